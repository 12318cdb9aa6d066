"""A detector's verdict: a fitted detector, and what its scores mean for the caller."""

import math
import time
from typing import Final, Protocol

from hune.dataplane.detectors.detector import Detector
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.role import Role
from hune.dataplane.wire.table import Numbers, Table, TableError

REJECT: Final = "Reject"
_NAMED_ROWS: Final = 10
# Rows that are scored before the clock is looked at: a matter of milliseconds.
_PART: Final = 1024


class TooSlowError(Exception):
    """The rows of a request take longer to score than is allowed."""


class Counters(Protocol):
    """What is counted of a detector."""

    def scored(self, rows: int, flagged: int, seconds: float) -> None:
        """Count the rows of one request."""

    def failed(self, reason: str) -> None:
        """Count a request that could not be scored."""


class DetectorCheck:
    """Scores the rows of a request and names those that stand out.

    A row whose score is above the threshold is flagged. So is one that has no finite score, as
    where it holds null: nobody can say that it is an ordinary one.
    """

    def __init__(
        self,
        role: Role,
        detector: Detector,
        on_detect: str,
        counters: Counters,
        threshold: float | None = None,
        seconds: float = math.inf,
    ) -> None:
        """Take a detector into service.

        Args:
            role: The part that it plays.
            detector: The fitted detector.
            on_detect: `Flag` or `Reject`.
            counters: Where to count.
            threshold: Used in place of the detector's own.
            seconds: How long the rows of one request may take.
        """
        self._role = role
        self._detector = detector
        self._rejects = on_detect == REJECT
        self._counters = counters
        self._threshold = detector.threshold if threshold is None else threshold
        self._seconds = seconds

    def inspect(self, table: Table) -> Finding:
        """Return the verdict on each row.

        Raises:
            TableError: The rows are not of the detector's columns; the caller's fault or the
                operator's, and counted as a failure of reason `Table`.
            TooSlowError: They take too long; counted as a failure of reason `Slow`.
        """
        started = time.perf_counter()
        try:
            rows = table.numbers(self._detector.names, self._detector.count)
            scores = self._score(rows, started + self._seconds)
        except TableError:
            self._counters.failed("Table")
            raise
        except TooSlowError:
            self._counters.failed("Slow")
            raise
        except Exception:
            self._counters.failed("Crash")
            raise
        # Not `scores > threshold`: what cannot be compared is not below it either.
        threshold = self._threshold
        flagged = [row for row, score in enumerate(scores) if not score <= threshold]
        self._counters.scored(len(scores), len(flagged), time.perf_counter() - started)
        return self._finding(scores, flagged)

    def _score(self, rows: Numbers, deadline: float) -> list[float]:
        scores: list[float] = []
        for first in range(0, len(rows), _PART):
            if first and time.perf_counter() > deadline:
                what = f"{first} of {len(rows)} rows took more than {self._seconds:g} s"
                raise TooSlowError(f"{what}; send smaller batches, or use a quicker detector")
            scores += self._detector.score(rows[first : first + _PART]).tolist()
        return scores

    def _finding(self, scores: list[float], flagged: list[int]) -> Finding:
        word = self._role.word
        note = {
            word: bool(flagged),
            f"{word}_rows": flagged,
            f"{word}_scores": _sayable(scores),
            f"{word}_threshold": self._threshold,
        }
        rejected = self._reason(flagged) if flagged and self._rejects else ""
        return Finding(note, (self._role.header(flagged=bool(flagged)),), rejected)

    def _reason(self, flagged: list[int]) -> str:
        named = ", ".join(map(str, flagged[:_NAMED_ROWS]))
        more = f" and {len(flagged) - _NAMED_ROWS} more" if len(flagged) > _NAMED_ROWS else ""
        rows = "row" if len(flagged) == 1 else "rows"
        reason = self._role.reason.format(threshold=f"{self._threshold:.6g}")
        return f"{rows} {named}{more} (counted from 0) {reason}"


def _sayable(scores: list[float]) -> list[float | None]:
    """Return the scores with None for what JSON has no number for."""
    return [score if math.isfinite(score) else None for score in scores]
