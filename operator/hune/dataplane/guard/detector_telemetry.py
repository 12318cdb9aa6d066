"""What is counted of a detector; the label `detector` is the part it plays, never its name."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from hune.contract import metrics

# Missing: there is no artefact. Unusable: it is not what it says, or not what was asked for. Table:
# a request has other columns. Crash: scoring failed.
FAILURES: Final = ("Missing", "Unusable", "Table", "Crash")
_BUCKETS: Final = (
    *(0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001),
    *(0.002, 0.005, 0.01, 0.05, 0.1, 1.0),
)


class DetectorTelemetry:
    """Counts and times of one detector."""

    def __init__(self, registry: CollectorRegistry, detector: str) -> None:
        """Register the metrics.

        Args:
            registry: Where they are published.
            detector: The part it plays, as `outliers`.
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
        self._rows, self._flagged = rows.labels(detector), flagged.labels(detector)
        self._took: Callable[[float], None] = durations.labels(detector).observe
        self._failures = {reason: failures.labels(detector, reason) for reason in FAILURES}

    def scored(self, rows: int, flagged: int, seconds: float) -> None:
        """Count the rows of one request."""
        self._rows.inc(rows)
        self._flagged.inc(flagged)
        self._took(seconds)

    def failed(self, reason: str) -> None:
        """Count a failure, by one of `FAILURES`."""
        self._failures[reason].inc()
