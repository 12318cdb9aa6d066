"""The PrometheusRule that watches a deployment's objectives."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hune.contract import metrics
from hune.controlplane.api.objectives import Objectives, milliseconds
from hune.controlplane.plan.build import alert, promql
from hune.controlplane.plan.build.alert import Subject
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner

# Evaluated seldom, since days of samples are read each time; still within the five minutes that
# Prometheus looks back for a recorded value.
_SLOW = {"6h", "3d"}
_SLOW_INTERVAL = "2m"


def build_prometheus_rule(
    owner: Owner, objectives: Objectives, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the rules; their `spec` is also a rule file for a Prometheus without its operator.

    Args:
        owner: The ModelDeployment.
        objectives: What is promised.
        labels: The platform's labels, by which its Prometheus chooses rules.
    """
    metadata = build_metadata(owner, owner.name)
    metadata["labels"] = {**labels, **metadata["labels"]}
    scope = promql.build_scope(owner.namespace, owner.name)
    subject = Subject(scope, f"{owner.namespace}/{owner.name}")
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": list(_groups(subject, objectives))},
    }


def _groups(subject: Subject, objectives: Objectives) -> Iterator[dict[str, Any]]:
    windows = _windows(objectives)
    recordings = [_record_failures(subject, window) for window in windows if window not in _SLOW]
    if objectives.latency_p95 is not None:
        recordings.append(_record_latency(subject))
    rules = [*recordings, *_alerts(subject, objectives)]
    yield {"name": "hune-objectives", "rules": rules}
    slow = [_record_failures(subject, window) for window in windows if window in _SLOW]
    if slow:
        yield {"name": "hune-error-budget", "interval": _SLOW_INTERVAL, "rules": slow}


def _windows(objectives: Objectives) -> list[str]:
    """Return the windows over which failures are looked at, each once."""
    burns = alert.BURNS if objectives.availability is not None else ()
    windows = [window for burn in burns for window in (burn.short, burn.long)]
    if objectives.error_percent is not None:
        windows.append(alert.WINDOW)
    return list(dict.fromkeys(windows))


def _alerts(subject: Subject, objectives: Objectives) -> Iterator[dict[str, Any]]:
    if objectives.availability is not None:
        yield from alert.build_availability_alerts(subject, Decimal(objectives.availability))
    if objectives.latency_p95 is not None:
        yield alert.build_latency_alert(subject, milliseconds(objectives.latency_p95) / 1000)
    if objectives.error_percent is not None:
        yield alert.build_error_alert(subject, objectives.error_percent)
    if objectives.throughput is not None:
        yield from alert.build_throughput_alerts(subject, objectives.throughput)
    absent = f"absent({promql.select(metrics.GUARD_INFORMATION, subject.scope)})"
    yield alert.build_absence_alert(subject, absent)
    yield from alert.build_detector_alerts(subject)
    yield alert.build_attack_alert(subject)


def _record_failures(subject: Subject, window: str) -> dict[str, str]:
    expression = promql.failure_ratio(subject.scope, window)
    return {"record": f"{alert.FAILURE_RATIO}{window}", "expr": expression}


def _record_latency(subject: Subject) -> dict[str, str]:
    expression = promql.latency_quantile(
        subject.scope, alert.WINDOW, "0.95", metrics.GUARD_DURATION
    )
    return {"record": alert.LATENCY, "expr": expression}
