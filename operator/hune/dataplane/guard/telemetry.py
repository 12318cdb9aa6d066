"""The guard's metrics. Labels come from fixed sets, never from what a client wrote."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import disable_created_metrics as _disable_created_metrics

from hune.contract import metrics
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.access_telemetry import AccessTelemetry
from hune.dataplane.guard.detector_telemetry import build_detector_telemetry
from hune.dataplane.guard.role import ADVERSARIAL, OUTLIERS
from hune.dataplane.wire.paths import Endpoint

# Close together where objectives lie: between two bounds a quantile is only a guess. The last is as
# long as a predictor may take: beyond it a quantile would stand still.
_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0),
)
# Counted from 0: a counter that came with the first failure would show no increase by it.
_ANNOUNCED: Final = (200, 500, 502, 503, 504)
_EXPLAINER_FAILURES: Final = (
    *("Unreachable", "TimeLimit", "Broken", "Unable", "Busy", "Failed", "PredictorFailed"),
    "NoRoom",
)
_disable_created_metrics()  # type: ignore[no-untyped-call]


class Telemetry:
    """Counts and times; labelled children are looked up once, off the request path."""

    def __init__(self, in_flight: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            metrics.GUARD_REQUESTS,
            "Requests answered, by what was wanted and by HTTP status code.",
            ["endpoint", "code"],
            registry=self._registry,
        )
        durations = Histogram(
            metrics.GUARD_DURATION,
            "Seconds from a request's headers to the end of its answer, predictor included.",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        predictor = Histogram(
            metrics.GUARD_PREDICTOR_DURATION,
            "Seconds that the predictor took for what was passed on to it.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._answered: dict[tuple[Endpoint, int], Counter] = {
            (Endpoint.PREDICT, status): self._requests.labels(Endpoint.PREDICT.value, str(status))
            for status in _ANNOUNCED
        }
        self._durations = {endpoint: durations.labels(endpoint.value) for endpoint in Endpoint}
        self.predictor_took: Callable[[float], None] = predictor.observe
        self._breaches = Counter(
            metrics.GUARD_CONTRACT_BREACHES,
            "Breaches of the data contract, by its feature (none for unknown columns) and kind.",
            ["feature", "kind"],
            registry=self._registry,
        )
        explainer = Counter(
            metrics.GUARD_EXPLAINER_FAILURES,
            "Requests for explanations that the explainer did not answer, by what went wrong.",
            ["reason"],
            registry=self._registry,
        )
        self._explainer = {reason: explainer.labels(reason) for reason in _EXPLAINER_FAILURES}
        self.access = AccessTelemetry(self._registry)
        self._add_state(in_flight)
        roles = (role.name for role in (OUTLIERS, ADVERSARIAL))
        self.detectors = build_detector_telemetry(self._registry, roles)

    def _add_state(self, in_flight: Callable[[], int]) -> None:
        Gauge(
            metrics.GUARD_IN_FLIGHT, "Requests being answered.", registry=self._registry
        ).set_function(in_flight)
        self._information = Gauge(
            metrics.GUARD_INFORMATION,
            "Always 1; the labels say what this guard serves.",
            ["deployment", "namespace", "model_version", "revision", "arm", "protocol"],
            registry=self._registry,
        )
        self._draining = Gauge(
            metrics.GUARD_DRAINING,
            "1 while every answer closes its connection.",
            registry=self._registry,
        )
        self._failures = Counter(
            metrics.GUARD_FILE_FAILURES,
            "Times that a mounted file changed and was unusable, its last good content kept.",
            ["file"],
            registry=self._registry,
        )

    def answered(self, endpoint: Endpoint, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._answered.get((endpoint, status))
        if counter is None:
            counter = self._requests.labels(endpoint.value, str(status))
            self._answered[endpoint, status] = counter
        counter.inc()
        self._durations[endpoint].observe(seconds)

    def broke_contract(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count one request's breaches by feature and kind; names are the contract's own."""
        for (feature, kind), count in counts.items():
            self._breaches.labels(feature, kind).inc(count)

    def explainer_failed(self, reason: str) -> None:
        """Count an explanation that did not come about, by one of the known reasons."""
        self._explainer[reason].inc()

    def refused(self, status: int) -> None:
        """Count a request that was refused before it was one."""
        self._requests.labels(Endpoint.NONE.value, str(status)).inc()

    def serves(self, settings: GuardSettings, *, closing: bool) -> None:
        """Publish what the guard serves from now on."""
        self._information.clear()
        self._information.labels(
            settings.deployment,
            settings.namespace,
            settings.model_version,
            settings.revision,
            settings.arm,
            settings.protocol,
        ).set(1)
        self._draining.set(closing)

    def file_failed(self, path: Path) -> None:
        """Count a mounted file that became unusable."""
        self._failures.labels(path.name).inc()

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
