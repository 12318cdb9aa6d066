"""Attack a real model with the adversarial-robustness-toolbox; runs in an environment of its own.

`attacks.py FOLDER SEED` trains a perceptron on scikit-learn's digits and writes to the folder:
`model.joblib`; `train.npy`, what it was trained with; `fresh.npy`, rows that set a threshold; and
`rows.npz` with `ordinary`, rows that neither saw, for each attack the rows that deceive the model,
and, as `noise_<attack>`, ordinary rows with noise as large as that attack.
"""

import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import tensorflow as tf
from art.attacks.evasion import (
    CarliniL2Method,
    DeepFool,
    FastGradientMethod,
    HopSkipJump,
    ProjectedGradientDescent,
)
from art.estimators.classification import TensorFlowV2Classifier
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

TRAIN, FRESH = 1000, 400
LARGEST = 0.15
# The attack by decisions alone asks the model some thousand times for each row.
DECISION_ROWS = 30
CLASSES = 10


def main(folder: Path, seed: int) -> None:
    """Train, attack, save."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.data))
    rows, classes = digits.data[order] / 16, digits.target[order]
    model = MLPClassifier((256,), alpha=0.1, learning_rate_init=3e-3, max_iter=60, random_state=0)
    model.fit(rows[:TRAIN], classes[:TRAIN])
    joblib.dump(model, folder / "model.joblib")
    np.save(folder / "train.npy", rows[:TRAIN])
    np.save(folder / "fresh.npy", rows[TRAIN : TRAIN + FRESH])
    ordinary, true = rows[TRAIN + FRESH :], classes[TRAIN + FRESH :]
    known = model.predict(ordinary) == true
    found = attack(model, ordinary[known].astype(np.float32), true[known])
    noise = {f"noise_{name}": add_noise(ordinary, size, seed) for name, (_, size) in found.items()}
    attacks = {name: some for name, (some, _) in found.items()}
    np.savez(folder / "rows.npz", ordinary=ordinary, **attacks, **noise)


def attack(model: Any, rows: Any, true: Any) -> dict[str, tuple[Any, float]]:
    """Return, for each attack, the rows that deceive the model and their mean distance."""
    target = classifier_of(model)
    gradient = {
        "FGSM": FastGradientMethod(target, eps=LARGEST),
        "PGD": ProjectedGradientDescent(
            target, eps=LARGEST, eps_step=LARGEST / 8, max_iter=20, verbose=False
        ),
        "DeepFool": DeepFool(target, max_iter=50, verbose=False, batch_size=64),
        "CarliniL2": CarliniL2Method(target, max_iter=20, verbose=False, batch_size=512),
    }
    made = {name: (rows, true, some.generate(rows)) for name, some in gradient.items()}
    few, decided = rows[:DECISION_ROWS], true[:DECISION_ROWS]
    jumps = HopSkipJump(target, max_iter=10, max_eval=500, init_eval=50, verbose=False)
    made["HopSkipJump"] = (few, decided, jumps.generate(few))
    return {name: deceived(model, *parts) for name, parts in made.items()}


def deceived(model: Any, rows: Any, true: Any, made: Any) -> tuple[Any, float]:
    """Return the rows that deceive the model, and how far they lie from the original ones."""
    wrong = model.predict(made) != true
    distance = float(np.linalg.norm(made[wrong] - rows[wrong], axis=1).mean())
    return made[wrong].astype(np.float64), distance


def classifier_of(model: Any) -> Any:
    """Return the perceptron as the toolbox takes it, with its own weights, before the softmax."""
    dense = tf.keras.layers.Dense
    network = tf.keras.Sequential(
        [tf.keras.Input((64,)), dense(256, activation="relu"), dense(CLASSES)]
    )
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    network.set_weights([array for pair in pairs for array in pair])
    return TensorFlowV2Classifier(
        network,
        nb_classes=CLASSES,
        input_shape=(64,),
        loss_object=tf.keras.losses.CategoricalCrossentropy(from_logits=True),
        clip_values=(0.0, 1.0),
    )


def add_noise(rows: Any, size: float, seed: int) -> Any:
    """Return each row three times with normal noise of a length, kept to what a pixel may be."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(3 * len(rows), rows.shape[1]))
    directions *= size / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.clip(np.tile(rows, (3, 1)) + directions, 0, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
