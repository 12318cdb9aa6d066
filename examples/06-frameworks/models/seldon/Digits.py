"""A Seldon component: a neural network that reads handwritten digits, in numpy alone."""

from pathlib import Path

import numpy as np
from seldon_core.flask_utils import SeldonMicroserviceException

PIXELS = 64


class Digits:
    """What scikit-learn's MLPClassifier learned, as arrays."""

    def __init__(self):
        with np.load(Path(__file__).with_name("network.npz")) as arrays:
            count = len(arrays.files) // 2
            self.layers = [(arrays[f"weights{i}"], arrays[f"bias{i}"]) for i in range(count)]
        self.class_names = [str(digit) for digit in range(10)]
        self.rewards = 0

    def predict(self, X, names, meta=None):
        """Return the probability of each digit, a row for each picture of 8 x 8 pixels."""
        pictures = np.asarray(X)
        if pictures.shape[1:] != (PIXELS,) or pictures.dtype.kind not in "biuf":
            found = f"{pictures.dtype} of shape {list(pictures.shape)}"
            raise SeldonMicroserviceException(
                f"a row of {PIXELS} numbers for each picture is wanted, not {found}",
                reason="WRONG_PICTURES",
            )
        values = pictures.astype(float)
        *hidden, (weights, bias) = self.layers
        for before, offset in hidden:
            values = np.maximum(values @ before + offset, 0)
        scores = values @ weights + bias
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def send_feedback(self, features, feature_names, reward, truth, routing=None):
        """Take note of how good an answer was."""
        self.rewards += reward
        return []

    def tags(self):
        return {"network": "x".join(str(len(bias)) for _, bias in self.layers)}

    def init_metadata(self):
        return {
            "name": "digits",
            "versions": ["1"],
            "platform": "seldon",
            "inputs": [{"name": "pixels", "datatype": "FP64", "shape": [-1, PIXELS]}],
            "outputs": [{"name": "probabilities", "datatype": "FP64", "shape": [-1, 10]}],
        }
