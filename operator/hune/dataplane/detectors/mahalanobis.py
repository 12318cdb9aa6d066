"""The Mahalanobis distance in the space of the first principal components.

P. C. Mahalanobis, "On the generalised distance in statistics", 1936. alibi-detect's `Mahalanobis`
goes on learning from what it scores, with weight 1/(n + 1) for a row after n others. A guard must
not: two replicas would disagree, and an attacker could teach it. So its state after the reference
is frozen: what its own equations give where a new row has weight zero.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays, ArraySpec, ArtefactError

Numbers = npt.NDArray[np.float64]

ARRAYS: Final[Mapping[str, ArraySpec]] = {
    "mean": ArraySpec("<f8", 1),
    "directions": ArraySpec("<f8", 2),
}
DTYPE: Final = "float64"


class Mahalanobis:
    """Mean and whitened principal components of the reference."""

    def __init__(self, arrays: Arrays, count: int) -> None:
        """Check the arrays.

        Args:
            arrays: `mean`, shape (columns,); `directions`, shape (columns, components): principal
                components, each divided by the standard deviation along it.
            count: Number of columns.

        Raises:
            ArtefactError: They are no mean and directions of so many columns.
        """
        self._mean, self._directions = arrays["mean"], arrays["directions"]
        columns, components = self._directions.shape
        if self._mean.shape != (count,) or columns != count or not 0 < components <= count:
            raise ArtefactError(f"mean.npy and directions.npy are not of {count} columns")
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise ArtefactError(f"{name}.npy holds NaN or infinity")

    def score(self, rows: Numbers) -> Numbers:
        """Return the squared distance of each row from the mean.

        Args:
            rows: Shape (rows, columns).

        Returns:
            Shape (rows,), from zero; NaN for a row that holds NaN or infinity.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            places = (rows - self._mean) @ self._directions
            distances: Numbers = np.einsum("ij,ij->i", places, places)
            return distances
