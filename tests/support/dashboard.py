"""The Grafana dashboard, from the queries that the alerts use too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hune.contract import metrics
from hune.controlplane.plan.build import promql
from tests.support.prometheus import Prometheus

SCOPE = 'namespace=~"$namespace", deployment=~"$deployment"'
WINDOW = "$__rate_interval"
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# What every guard exports from the beginning, and the panels of which must thus show something.
ALWAYS_THERE = {
    metrics.GUARD_REQUESTS,
    metrics.GUARD_INFORMATION,
    metrics.GUARD_DRAINING,
    metrics.GUARD_IN_FLIGHT,
    f"{metrics.GUARD_DURATION}_bucket",
    f"{metrics.GUARD_PREDICTOR_DURATION}_bucket",
    metrics.GUARD_ACCESS_DECISIONS,
    metrics.DETECTOR_ROWS,
    metrics.DETECTOR_FLAGGED,
    metrics.DETECTOR_FAILURES,
}
_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8


@dataclass(frozen=True)
class Panel:
    """One graph.

    Attributes:
        title: What it shows.
        unit: Grafana's name of the unit.
        lines: Queries by the legend of their lines.
    """

    title: str
    unit: str
    lines: dict[str, str]


def _rate(metric: str) -> str:
    return f"rate({promql.select(metric, SCOPE)}[{WINDOW}])"


def _each(metric: str, label: str) -> str:
    return promql.total(_rate(metric), f"{promql.DEPLOYMENT}, {label}")


def _latency(quantile: str, metric: str = metrics.GUARD_DURATION) -> str:
    return promql.latency_quantile(SCOPE, WINDOW, quantile, metric)


NAME = "{{namespace}}/{{deployment}}"
VERSION = f"{NAME} {{{{model_version}}}}"
QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}
PANELS = (
    Panel(
        "Requests by code",
        "reqps",
        {
            f"{VERSION} {{{{code}}}}": promql.by_version(
                _rate(metrics.GUARD_REQUESTS), SCOPE, f"{promql.VERSION}, code"
            )
        },
    ),
    Panel(
        "Latency of predictions",
        "s",
        {f"{NAME} {name}": _latency(quantile) for name, quantile in QUANTILES.items()},
    ),
    Panel(
        "Latency of predictors alone",
        "s",
        {
            f"{NAME} {name}": _latency(quantile, metrics.GUARD_PREDICTOR_DURATION)
            for name, quantile in QUANTILES.items()
        },
    ),
    Panel(
        "Share of predictions that fail",
        "percentunit",
        {NAME: promql.failure_ratio(SCOPE, WINDOW)},
    ),
    Panel(
        "Requests in flight",
        "short",
        {NAME: promql.total(promql.select(metrics.GUARD_IN_FLIGHT, SCOPE))},
    ),
    Panel(
        "Share of rows that are flagged",
        "percentunit",
        {
            f"{NAME} {{{{detector}}}}": f"{_each(metrics.DETECTOR_FLAGGED, 'detector')}"
            f" / {_each(metrics.DETECTOR_ROWS, 'detector')}"
        },
    ),
    Panel(
        "Breaches of data contracts",
        "ops",
        {f"{NAME} {{{{kind}}}}": _each(metrics.GUARD_CONTRACT_BREACHES, "kind")},
    ),
    Panel(
        "Decisions on access",
        "ops",
        {f"{NAME} {{{{outcome}}}}": _each(metrics.GUARD_ACCESS_DECISIONS, "outcome")},
    ),
    Panel(
        "Failures of detectors",
        "ops",
        {f"{NAME} {{{{reason}}}}": _each(metrics.DETECTOR_FAILURES, "reason")},
    ),
    Panel(
        "Guards",
        "short",
        {VERSION: promql.total(promql.select(metrics.GUARD_INFORMATION, SCOPE), promql.VERSION)},
    ),
    Panel(
        "Guards that drain",
        "short",
        {VERSION: promql.by_version(promql.select(metrics.GUARD_DRAINING, SCOPE), SCOPE)},
    ),
)


def build_dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "title": "Hune: models",
        "uid": "hune-models",
        "tags": ["hune"],
        "editable": True,
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": list(_variables())},
        "panels": [_build_panel(number, panel) for number, panel in enumerate(PANELS)],
    }


def queries() -> list[str]:
    """Return every query as Grafana sends it when all deployments are chosen."""
    return [
        query.replace("$namespace", ".+").replace("$deployment", ".+").replace(WINDOW, "1m")
        for panel in PANELS
        for query in panel.lines.values()
    ]


def blank(prometheus: Prometheus) -> list[str]:
    """Return the queries that find nothing."""
    return [query for query in queries() if not prometheus.query(query)]


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    information = metrics.GUARD_INFORMATION
    queries = {
        "namespace": f"label_values({information}, namespace)",
        "deployment": f'label_values({information}{{namespace=~"$namespace"}}, deployment)',
    }
    for name, query in queries.items():
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "refresh": 2,
            "includeAll": True,
            "allValue": ".+",
            "multi": True,
            "current": {"text": "All", "value": "$__all"},
        }


def _build_panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    targets = [
        {
            "refId": chr(ord("A") + place),
            "expr": query,
            "legendFormat": legend,
            "datasource": _SOURCE,
        }
        for place, (legend, query) in enumerate(panel.lines.items())
    ]
    return {
        "id": number + 1,
        "title": panel.title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": targets,
    }
