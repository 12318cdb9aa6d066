"""What is counted of a detector; the label `detector` is the part it plays, never its name."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from hune.contract import metrics
from hune.contract.state import WINDOW_SECONDS
from hune.dataplane.guard.recent import Recent

# Missing: there is no artefact. Unusable: it is not what it says, or not what was asked for. Table:
# a request has other columns. Slow: scoring a request took too long. Crash: scoring failed.
FAILURES: Final = ("Missing", "Unusable", "Table", "Slow", "Crash")
_BUCKETS: Final = (
    *(0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001),
    *(0.002, 0.005, 0.01, 0.05, 0.1, 1.0),
)


def build_detector_telemetry(
    registry: CollectorRegistry, detectors: Iterable[str]
) -> dict[str, "DetectorTelemetry"]:
    """Register the metrics, and return what each detector counts with.

    Args:
        registry: Where they are published.
        detectors: The parts that detectors play, as `outliers`.
    """
    label = ["detector"]
    rows = Counter(metrics.DETECTOR_ROWS, "Rows scored.", label, registry=registry)
    flagged = Counter(
        metrics.DETECTOR_FLAGGED, "Rows that a detector flagged.", label, registry=registry
    )
    durations = Histogram(
        metrics.DETECTOR_DURATION,
        "Seconds that scoring the rows of one request took.",
        label,
        buckets=_BUCKETS,
        registry=registry,
    )
    failures = Counter(
        metrics.DETECTOR_FAILURES,
        "Times that a detector could not be loaded or could not score a request.",
        [*label, "reason"],
        registry=registry,
    )
    return {
        name: DetectorTelemetry(
            rows.labels(name),
            flagged.labels(name),
            durations.labels(name),
            {reason: failures.labels(name, reason) for reason in FAILURES},
        )
        for name in detectors
    }


class DetectorTelemetry:
    """Counts and times of one detector.

    Attributes:
        recent: The rows that it flagged lately.
    """

    def __init__(
        self, rows: Counter, flagged: Counter, durations: Histogram, failures: dict[str, Counter]
    ) -> None:
        self._rows, self._flagged = rows, flagged
        self._took: Callable[[float], None] = durations.observe
        self._failures = failures
        self.recent = Recent(WINDOW_SECONDS)

    def scored(self, rows: int, flagged: int, seconds: float) -> None:
        """Count the rows of one request."""
        self._rows.inc(rows)
        self._took(seconds)
        if flagged:
            self._flagged.inc(flagged)
            self.recent.add(flagged)

    def failed(self, reason: str) -> None:
        """Count a failure, by one of `FAILURES`."""
        self._failures[reason].inc()
