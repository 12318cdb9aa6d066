"""alibi-detect's AdversarialAE as its users run it; runs in the environment of `attacks.py`.

`adversarial_ae.py FOLDER` fits it on what `attacks.py` left there, has it find its own threshold at
1 % false alarms, and writes `flagged.json`: the share that it flags of each kind of row.
"""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import tensorflow as tf
from alibi_detect.ad import AdversarialAE

HIDDEN, CODE, CLASSES = 128, 32, 10
# Of the rows that set the threshold; what is above it is flagged.
ORDINARY_PERCENT = 99


def main(folder: Path) -> None:
    """Fit, judge, save."""
    tf.keras.utils.set_random_seed(0)
    train, fresh = (np.load(folder / f"{name}.npy").astype("f4") for name in ("train", "fresh"))
    detector = fit(train, network(joblib.load(folder / "model.joblib")))
    detector.infer_threshold(fresh, threshold_perc=ORDINARY_PERCENT)
    flagged = {}
    with np.load(folder / "rows.npz") as rows:
        for name in rows.files:
            said = detector.predict(rows[name].astype("f4"))
            flagged[name] = float(np.mean(said["data"]["is_adversarial"]))
    (folder / "flagged.json").write_text(json.dumps(flagged))


def fit(train: Any, model: Any) -> Any:
    """Return the detector with its own defaults, its networks as large as ours."""
    dense, columns = tf.keras.layers.Dense, train.shape[1]
    encoder = tf.keras.Sequential(
        [tf.keras.Input((columns,)), dense(HIDDEN, "relu"), dense(CODE, "relu")]
    )
    decoder = tf.keras.Sequential([tf.keras.Input((CODE,)), dense(HIDDEN, "relu"), dense(columns)])
    detector = AdversarialAE(encoder_net=encoder, decoder_net=decoder, model=model)
    detector.fit(train, epochs=20, batch_size=64, verbose=False)
    return detector


def network(perceptron: Any) -> Any:
    """Return scikit-learn's perceptron as Keras has it."""
    pairs = zip(perceptron.coefs_, perceptron.intercepts_, strict=True)
    weights = [array for pair in pairs for array in pair]
    hidden = tf.keras.layers.Dense(len(perceptron.intercepts_[0]), "relu")
    model = tf.keras.Sequential(
        [tf.keras.Input((len(weights[0]),)), hidden, tf.keras.layers.Dense(CLASSES, "softmax")]
    )
    model.set_weights(weights)
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]))
