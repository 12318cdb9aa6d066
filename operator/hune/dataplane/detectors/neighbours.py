"""Whether a row lies off the ordinary rows around it just where that changes the model's answer.

An attack moves a row the steepest way from the value of the true class to that of another. Where it
keeps the length of the change small, that is the gradient of their difference: S.-M.
Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, equation 8. Where it keeps the change of each column
small, it is that gradient's sign: I. Goodfellow et al., "Explaining and Harnessing Adversarial
Examples", ICLR 2015, section 4. An ordinary row lies off its neighbours too, and so does one with
noise, but in a direction that has little to do with these. So the score is the cosine of the angle
between the row's way and the nearer of both. The place the row is compared with is the mean of its
nearest reference rows, the nearer counting for more; the model's answers for these say which class
it was, as in N. Papernot, P. McDaniel, "Deep k-Nearest Neighbors", 2018.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array, Arrays, ArraySpec, ArtefactError
from hune.dataplane.detectors.network import Network, network_arrays, score_finite

Numbers = npt.NDArray[np.float64]

ARRAYS: Final[Mapping[str, ArraySpec]] = {
    "references": ArraySpec("<f8", 2),
    "scale": ArraySpec("<f8", 1),
    "neighbours": ArraySpec("<i4", 1),
    **network_arrays("model"),
}
DTYPE: Final = "float64"
# Rows that are compared at once, so that a large batch takes no more memory than a small one.
_CHUNK: Final = 256
_TINY: Final = 1e-12


class Neighbours:
    """Reference rows, and the model that is asked about them."""

    def __init__(self, arrays: Arrays, count: int) -> None:
        """Check the arrays.

        Args:
            arrays: `references`, shape (references, columns); `scale`, shape (columns,): what each
                column is divided by before distances are taken; `neighbours`, shape (1,): how many
                of them a row is compared with; `model_…`: the network, see `Network`.
            count: Number of columns.

        Raises:
            ArtefactError: They are not of so many columns, or no model of several classes.
        """
        references, scale, neighbours = (arrays[n] for n in ("references", "scale", "neighbours"))
        if references.shape[1] != count or scale.shape != (count,) or not (scale > 0).all():
            raise ArtefactError(f"references.npy and scale.npy are not of {count} columns")
        if not np.isfinite(references).all() or not np.isfinite(scale).all():
            raise ArtefactError("references.npy or scale.npy holds NaN or infinity")
        if neighbours.shape != (1,) or not 0 < neighbours[0] <= len(references):
            raise ArtefactError("neighbours.npy must hold one number, 1 to that of the references")
        self._model = Network(arrays, "model", count)
        if self._model.outputs < 2:  # noqa: PLR2004 one class is no choice
            raise ArtefactError("model_sizes.npy: a model of two classes or more is wanted")
        self._neighbours = int(neighbours[0])
        self._scale = scale
        self._places = references / scale
        self._squares = np.einsum("ij,ij->i", self._places, self._places)
        self._answers = self._model.ask(references)

    def score(self, rows: Numbers) -> Numbers:
        """Return how nearly each row was moved as an attack would move it.

        Args:
            rows: Shape (rows, columns).

        Returns:
            Shape (rows,), a cosine, -1 to 1; NaN for a row that is not finite.
        """
        parts = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)] or [rows]
        return np.concatenate([score_finite(self._score, part) for part in parts])

    def _score(self, rows: Numbers) -> Numbers:
        places = rows / self._scale
        nearest, weights = self._find_neighbours(places)
        away = places - np.einsum("ij,ijk->ik", weights, self._places[nearest])
        said = self._model.ask(rows)
        now, before = _classes(said, np.einsum("ij,ijk->ik", weights, self._answers[nearest]))
        # A step in the scaled space is so many times one in the columns' own.
        gradient = self._model.slope(rows, now, before) * self._scale
        nearer: Numbers = np.maximum(_cosines(away, gradient), _cosines(away, np.sign(gradient)))
        return nearer

    def _find_neighbours(self, places: Numbers) -> tuple[Array, Numbers]:
        """Return the nearest references and their weights, both of shape (rows, neighbours)."""
        squares = np.einsum("ij,ij->i", places, places)[:, np.newaxis]
        distances = np.maximum(squares + self._squares - 2 * places @ self._places.T, 0.0)
        nearest = np.argpartition(distances, self._neighbours - 1, axis=1)[:, : self._neighbours]
        near = np.take_along_axis(distances, nearest, axis=1)
        # The nearest one has the weight 1/e; one twice as far, in squares, 1/e².
        weights = np.exp(-near / np.maximum(near.min(axis=1, keepdims=True), _TINY))
        return nearest, weights / weights.sum(axis=1, keepdims=True)


def _cosines(ways: Numbers, others: Numbers) -> Numbers:
    """Return the cosine of the angle between the rows of both, shape (rows,)."""
    lengths = np.linalg.norm(ways, axis=1) * np.linalg.norm(others, axis=1)
    cosines: Numbers = np.einsum("ij,ij->i", ways, others) / np.maximum(lengths, _TINY)
    return cosines


def _classes(said: Numbers, expected: Numbers) -> tuple[Array, Array]:
    """Return the class that is said of each row, and another one that it may have had before.

    That is what the neighbours are, or, where they are of the same class, the second likeliest.
    """
    now = said.argmax(axis=1)
    before = expected.argmax(axis=1)
    others = said.copy()
    others[np.arange(len(said)), now] = -1.0
    return now, np.where(before == now, others.argmax(axis=1), before)
