"""What a fit learned."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A detector before its threshold.

    Attributes:
        arrays: Its state as arrays.
        score: The scores of the library that fitted it, to compare with: shape (rows, columns) to
            (rows,), however often asked; None where Hune itself fitted it.
        versions: What fitted it.
    """

    arrays: Arrays
    score: Callable[[Numbers], Numbers] | None
    versions: str
