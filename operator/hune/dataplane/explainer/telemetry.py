"""The explainer's metrics."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import disable_created_metrics as _disable_created_metrics

from hune.contract import metrics

_BUCKETS: Final = (
    *(0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_disable_created_metrics()  # type: ignore[no-untyped-call]


class Telemetry:
    """Counts and times of one explainer."""

    def __init__(self, held: Callable[[], int], ready: Callable[[], bool]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            metrics.EXPLAINER_REQUESTS,
            "Requests for explanations answered, by HTTP status code.",
            ["code"],
            registry=self._registry,
        )
        rows = Counter(metrics.EXPLAINER_ROWS, "Rows explained.", registry=self._registry)
        durations = Histogram(
            metrics.EXPLAINER_DURATION,
            "Seconds that explaining the rows of one request took.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        predictions = Counter(
            metrics.EXPLAINER_PREDICTOR_REQUESTS,
            "Requests that the explainer made to the predictor.",
            registry=self._registry,
        )
        Gauge(
            metrics.EXPLAINER_IN_FLIGHT, "Explanations under way.", registry=self._registry
        ).set_function(held)
        Gauge(
            metrics.EXPLAINER_READY, "1 while it can explain.", registry=self._registry
        ).set_function(ready)
        self._count_rows, self._took = rows.inc, durations.observe
        self.asked: Callable[[float], None] = predictions.inc

    def explained(self, rows: int, seconds: float) -> None:
        """Count one request's rows."""
        self._count_rows(rows)
        self._took(seconds)

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._requests.labels(str(status)).inc()

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
