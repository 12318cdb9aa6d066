"""The divergence between a model's answers for a row and for its reconstruction.

G. Vacanti, A. Van Looveren, "Adversarial Detection and Correction by Matching Prediction
Distributions", arXiv:2002.09364, 2020: an autoencoder learns to give back rows that the model
answers alike, and an attack does not survive it. The score is what alibi-detect's `AdversarialAE`
gives, with its temperature.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays, ArraySpec, ArtefactError
from hune.dataplane.detectors.network import Network, diverge, network_arrays, score_finite

Numbers = npt.NDArray[np.float64]

ARRAYS: Final[Mapping[str, ArraySpec]] = {
    "temperature": ArraySpec("<f8", 1),
    **network_arrays("autoencoder"),
    **network_arrays("model"),
}
DTYPE: Final = "float64"


class AdversarialAE:
    """An autoencoder and the model."""

    def __init__(self, arrays: Arrays, count: int) -> None:
        """Check the arrays.

        Args:
            arrays: `temperature`, shape (1,): below 1 it sharpens the model's answer for the row;
                `autoencoder_…` and `model_…`: the networks, see `Network`.
            count: Number of columns.

        Raises:
            ArtefactError: They are no autoencoder or model of so many columns.
        """
        temperature = arrays["temperature"]
        if temperature.shape != (1,) or not 0 < temperature[0] < np.inf:
            raise ArtefactError("temperature.npy must hold one number above 0")
        self._exponent = 1.0 / float(temperature[0])
        self._autoencoder = Network(arrays, "autoencoder", count)
        self._model = Network(arrays, "model", count)
        if self._autoencoder.outputs != count or self._model.outputs < 2:  # noqa: PLR2004 as above
            raise ArtefactError("the autoencoder must give back each column, the model two classes")

    def score(self, rows: Numbers) -> Numbers:
        """Return the divergence of each row.

        Args:
            rows: Shape (rows, columns).

        Returns:
            Shape (rows,), in nats, from zero; NaN for a row that is not finite.
        """
        return score_finite(self._score, rows)

    def _score(self, rows: Numbers) -> Numbers:
        said = self._model.ask(rows) ** self._exponent
        said /= said.sum(axis=1, keepdims=True)
        return diverge(said, self._model.ask(self._autoencoder.ask(rows)))
