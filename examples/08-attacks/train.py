"""Train a perceptron on scikit-learn's digits: `train.py FOLDER`.

The folder gets `model.joblib`. Beside the folder lie its accuracy, the rows that it was trained
with, and fresh ones, which set a detector's threshold; attack.py takes the rest.
"""

import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def main(folder: Path) -> None:
    """Train, measure, save."""
    images, digits = load_digits(return_X_y=True)
    # A pixel is 0 to 1.
    train, others, labels, other_labels = train_test_split(
        images / 16, digits, train_size=1000, random_state=0
    )
    fresh, rest, _, rest_labels = train_test_split(
        others, other_labels, train_size=400, random_state=0
    )
    model = MLPClassifier((256,), alpha=0.1, learning_rate_init=3e-3, tol=1e-3, random_state=0)
    model.fit(train, labels)
    accuracy = f"{model.score(rest, rest_labels):.4f}"
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    folder.with_suffix(".accuracy").write_text(accuracy)
    np.save(folder.with_name("train.npy"), train)
    np.save(folder.with_name("fresh.npy"), fresh)
    np.savez(folder.with_name("rest.npz"), images=rest, digits=rest_labels)
    print(f"perceptron: accuracy {accuracy} on {len(rest)} digits it has not seen")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
