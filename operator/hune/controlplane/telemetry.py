"""What the operator tells Prometheus, and how it logs."""

import json
import logging
import sys

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from hune.contract import metrics
from hune.controlplane.cluster.client import Client

_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """The operator's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._reconciles = Counter(
            metrics.RECONCILES.removesuffix("_total"),
            "Reconciles by kind and outcome: done, retried (API server), failed (fault of ours).",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._duration = Histogram(
            metrics.RECONCILE_DURATION,
            "Seconds of one reconcile.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            metrics.QUEUE_DEPTH, "Keys waiting for a worker.", registry=self.registry
        )
        self.objects = Gauge(metrics.OBJECTS, "Objects in the store.", registry=self.registry)
        self.leader = Gauge(
            metrics.LEADER, "1 when this replica leads, else 0.", registry=self.registry
        )

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        """Count one reconcile."""
        self._reconciles.labels(kind, outcome).inc()
        self._duration.labels(kind).observe(seconds)

    def count_writes_of(self, client: Client) -> None:
        """Report a client's API writes by verb and resource."""
        self.registry.register(_Writes(client))


class _Writes(Collector):
    def __init__(self, client: Client) -> None:
        self._client = client

    def collect(self) -> list[CounterMetricFamily]:
        family = CounterMetricFamily(
            metrics.API_WRITES.removesuffix("_total"),
            "Writes to the API server by verb and resource.",
            labels=["verb", "resource"],
        )
        for (verb, resource), count in self._client.writes.items():
            family.add_metric([verb, resource], count)
        return [family]


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def configure_logging(*, verbose: bool) -> None:
    """Log one JSON object a line to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("hune").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("kopf").setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
