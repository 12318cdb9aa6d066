"""The check for outliers: a fitted detector, and what its scores mean for the caller."""

import time
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.detector import Detector
from hune.dataplane.guard.answers import Header
from hune.dataplane.guard.finding import Finding
from hune.dataplane.wire.table import Table, TableError

REJECT: Final = "Reject"
_HEADER: Final = b"x-hune-outlier"
_OUTLIER: Final[Header] = (_HEADER, b"true")
_INLIER: Final[Header] = (_HEADER, b"false")
_NAMED_ROWS: Final = 10


class Counters(Protocol):
    """What is counted of a detector."""

    def scored(self, rows: int, flagged: int, seconds: float) -> None:
        """Count the rows of one request."""

    def failed(self, reason: str) -> None:
        """Count a request that could not be scored."""


class OutlierCheck:
    """Scores the rows of a request and names those that stand out.

    A row whose score is above the threshold is an outlier. So is one that has no finite score, as
    where it holds null: nobody can say that it is like those the model was trained on.
    """

    def __init__(
        self,
        detector: Detector,
        on_detect: str,
        counters: Counters,
        threshold: float | None = None,
    ) -> None:
        """Take a detector into service.

        Args:
            detector: The fitted detector.
            on_detect: `Flag` or `Reject`.
            counters: Where to count.
            threshold: Used in place of the detector's own.
        """
        self._detector = detector
        self._rejects = on_detect == REJECT
        self._counters = counters
        self._threshold = detector.threshold if threshold is None else threshold

    def inspect(self, table: Table) -> Finding:
        """Return the verdict on each row.

        Raises:
            TableError: The rows are not of the detector's columns; the caller's fault or the
                operator's, and counted as a failure of reason `Table`.
        """
        started = time.perf_counter()
        try:
            scores = self._detector.score(table.numbers(self._detector.names, self._detector.count))
        except TableError:
            self._counters.failed("Table")
            raise
        except Exception:
            self._counters.failed("Crash")
            raise
        # Not `scores > threshold`: what cannot be compared is not below it either.
        flagged: list[int] = np.flatnonzero(~(scores <= self._threshold)).tolist()
        self._counters.scored(len(scores), len(flagged), time.perf_counter() - started)
        return self._finding(scores, flagged)

    def _finding(self, scores: npt.NDArray[np.float64], flagged: list[int]) -> Finding:
        note = {
            "outlier": bool(flagged),
            "outlier_rows": flagged,
            "outlier_scores": _sayable(scores),
            "outlier_threshold": self._threshold,
        }
        rejected = self._reason(flagged) if flagged and self._rejects else ""
        return Finding(note, (_OUTLIER if flagged else _INLIER,), rejected)

    def _reason(self, flagged: list[int]) -> str:
        named = ", ".join(map(str, flagged[:_NAMED_ROWS]))
        more = f" and {len(flagged) - _NAMED_ROWS} more" if len(flagged) > _NAMED_ROWS else ""
        rows = "row" if len(flagged) == 1 else "rows"
        return (
            f"{rows} {named}{more} (counted from 0) unlike those that the model was trained on: "
            f"outlier score above {self._threshold:.6g}, or null in the row; check the values"
        )


def _sayable(scores: npt.NDArray[np.float64]) -> list[float | None]:
    """Return the scores with None for what JSON has no number for."""
    values: list[float] = scores.tolist()
    if np.isfinite(scores).all():
        return [*values]
    return [value if np.isfinite(value) else None for value in values]
