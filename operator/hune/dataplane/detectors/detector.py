"""A detector, ready to score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors import adversarial_ae, isolation_forest, mahalanobis, neighbours
from hune.dataplane.detectors.artefact import (
    Arrays,
    ArraySpec,
    ArtefactError,
    Header,
    read_arrays,
    read_header,
    threshold_of,
)

Numbers = npt.NDArray[np.float64]


class Detector(Protocol):
    """Says how much rows stand out from those it was fitted on.

    Attributes:
        name: What its author calls it.
        names: Names of the columns in their order; empty where they have none.
        count: Number of columns.
        threshold: A row with a higher score is flagged.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 above
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102 above
    @property
    def count(self) -> int: ...  # noqa: D102 above
    @property
    def threshold(self) -> float: ...  # noqa: D102 above

    def score(self, rows: Numbers) -> Numbers:
        """Return one score per row, shape (rows,), NaN where a row cannot be scored.

        Args:
            rows: Shape (rows, count).
        """


class Scorer(Protocol):
    """A method with its fitted arrays."""

    def score(self, rows: Numbers) -> Numbers:
        """Return one score per row."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of detection: the arrays it wants, its precision, and what it makes of them."""

    arrays: Mapping[str, ArraySpec]
    dtype: str
    build: Callable[[Arrays, int], Scorer]


METHODS: Final[Mapping[str, Method]] = {
    "IForest": Method(
        isolation_forest.ARRAYS, isolation_forest.DTYPE, isolation_forest.IsolationForest
    ),
    "Mahalanobis": Method(mahalanobis.ARRAYS, mahalanobis.DTYPE, mahalanobis.Mahalanobis),
    "Neighbours": Method(neighbours.ARRAYS, neighbours.DTYPE, neighbours.Neighbours),
    "AdversarialAE": Method(
        adversarial_ae.ARRAYS, adversarial_ae.DTYPE, adversarial_ae.AdversarialAE
    ),
}


@dataclass(frozen=True, slots=True)
class FittedDetector:
    """A detector as its artefact describes it."""

    name: str
    names: tuple[str, ...]
    count: int
    threshold: float
    header: Header
    scorer: Scorer

    def score(self, rows: Numbers) -> Numbers:
        """Return one score per row, shape (rows,)."""
        return self.scorer.score(rows)


def load_detector(directory: Path) -> FittedDetector:
    """Read a detector's artefact.

    Args:
        directory: Where `detector.json` and its arrays lie.

    Raises:
        ArtefactError: It cannot be read, or is not what it says.
    """
    header = read_header(directory)
    method = METHODS.get(header.method)
    if method is None:
        known = ", ".join(METHODS)
        raise ArtefactError(f"method {header.method[:80]!r} is none of {known}")
    if header.dtype != method.dtype:
        raise ArtefactError(f"dtype {header.dtype[:80]!r} is not {method.dtype}")
    scorer = method.build(read_arrays(directory, header, method.arrays), header.feature_count)
    threshold = threshold_of(header.threshold)
    count, names = header.feature_count, header.features
    return FittedDetector(header.name, names, count, threshold, header, scorer)
