"""Deceive the perceptron: `attack.py FOLDER`, the folder that train.py filled.

Beside the folder lie then three requests for the same digits, which the model has not seen and
knows: as they are, with noise, and changed as little as deceives the model, the noise being as
large as that. The change is DeepFool's (S.-M. Moosavi-Dezfooli et al., CVPR 2016): step by step
along the gradient of the likeliest wrong digit's lead over the true one.
"""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np

Rows = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Digits = np.ndarray[tuple[int], np.dtype[np.int64]]
COUNT, STEPS = 50, 20


def main(folder: Path) -> None:
    """Attack, write the requests, say what came of it."""
    model = joblib.load(folder / "model.joblib")
    rest = np.load(folder.with_name("rest.npz"))
    known = model.predict(rest["images"]) == rest["digits"]
    images, digits = rest["images"][known][:COUNT], rest["digits"][known][:COUNT]
    attacked = deceive(model, images, digits)
    size = np.linalg.norm(attacked - images, axis=1, keepdims=True)
    noise = np.random.default_rng(0).normal(size=images.shape)
    noisy = np.clip(images + noise * size / np.linalg.norm(noise, axis=1, keepdims=True), 0, 1)
    for name, rows in (("ordinary", images), ("noisy", noisy), ("attacked", attacked)):
        write(folder.with_name(f"{name}.json"), rows)
    wrong = (model.predict(attacked) != digits).sum()
    change = f"{size.mean():.2f}, where a digit is {np.linalg.norm(images, axis=1).mean():.1f} long"
    print(f"{wrong} of {COUNT} digits are taken for another one; they were moved by {change}")


def deceive(model: Any, images: Rows, digits: Digits) -> Rows:
    """Return each image, changed until the model takes it for another digit."""
    (first, second), (bias, _) = model.coefs_, model.intercepts_
    rows, here = images.copy(), np.arange(len(images))
    for _ in range(STEPS):
        hidden = np.maximum(rows @ first + bias, 0)
        scores = hidden @ second + model.intercepts_[1]
        true = scores[here, digits]
        scores[here, digits] = -np.inf
        wrong = scores.argmax(axis=1)
        lead = scores[here, wrong] - true
        towards = (second[:, wrong] - second[:, digits]).T
        slope = (towards * (hidden > 0)) @ first.T
        way = 1.02 * (1e-4 - lead) / (slope * slope).sum(axis=1)
        moved = np.clip(rows + way[:, np.newaxis] * slope, 0, 1)
        rows = np.where(lead[:, np.newaxis] < 0, moved, rows)
    return rows


def write(file: Path, rows: Rows) -> None:
    """Write a V2 request."""
    tensor = {"name": "digits", "shape": list(rows.shape), "datatype": "FP64"}
    file.write_text(json.dumps({"inputs": [tensor | {"data": rows.ravel().tolist()}]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
