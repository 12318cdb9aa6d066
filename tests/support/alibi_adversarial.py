"""What alibi-detect's AdversarialAE says, asked without any adapter of ours; runs in the image's
environment.

`alibi_adversarial.py FOLDER` trains a perceptron on digits and leaves `model.joblib`, `train.npy`,
`fresh.npy`, and `scores.npz` with rows and their scores.
"""

import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import tensorflow as tf
from alibi_detect.ad import AdversarialAE
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HIDDEN, CODE, EPOCHS, BATCH, TEMPERATURE = 16, 8, 4, 128, 0.5


def main(folder: Path) -> None:
    """Train, fit, score, save."""
    digits = load_digits()
    train, fresh = digits.data[:600], digits.data[600:900]
    perceptron = MLPClassifier((12,), activation="tanh", max_iter=40, random_state=0)
    model = make_pipeline(StandardScaler(), perceptron).fit(train, digits.target[:600])
    joblib.dump(model, folder / "model.joblib")
    np.save(folder / "train.npy", train)
    np.save(folder / "fresh.npy", fresh)
    odd = np.concatenate([fresh, 16 - fresh[:50], np.full((1, 64), 1e3)])
    scaler, own = model[0], train.std(axis=0)
    own[own == 0] = 1
    scores = {}
    for name, spread in (("each", own), ("same", np.full(64, np.sqrt(train.var(axis=0).mean())))):
        detector = fit((train - scaler.mean_) / spread, perceptron, spread / scaler.scale_)
        scores[name] = detector.score((odd - scaler.mean_) / spread)
    np.savez(folder / "scores.npz", rows=odd, **scores)


def fit(rows: Any, perceptron: Any, spread: Any) -> Any:
    """Return the detector.

    Args:
        rows: Columns with mean 0.
        perceptron: What is defended.
        spread: What each column is to be multiplied by before the perceptron sees it.
    """
    tf.keras.backend.set_floatx("float64")
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(0)
    dense, columns = tf.keras.layers.Dense, rows.shape[1]
    encoder = tf.keras.Sequential(
        [tf.keras.Input((columns,)), dense(HIDDEN, "relu"), dense(CODE, "relu")]
    )
    decoder = tf.keras.Sequential([tf.keras.Input((CODE,)), dense(HIDDEN, "relu"), dense(columns)])
    model = tf.keras.Sequential(
        [tf.keras.Input((columns,)), dense(12, "tanh"), dense(10, "softmax")]
    )
    pairs = zip(perceptron.coefs_, perceptron.intercepts_, strict=True)
    first, *weights = [array for pair in pairs for array in pair]
    model.set_weights([first * spread[:, np.newaxis], *weights])
    detector = AdversarialAE(
        threshold=0.0,
        encoder_net=encoder,
        decoder_net=decoder,
        model=model,
        temperature=TEMPERATURE,
    )
    detector.fit(rows, epochs=EPOCHS, batch_size=BATCH, verbose=False)
    return detector


if __name__ == "__main__":
    main(Path(sys.argv[1]))
