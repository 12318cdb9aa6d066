"""The alerts: one function for each promise, and those that hold for every guard."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hune.contract import metrics
from hune.controlplane.plan.build import promql

CRITICAL = "critical"
WARNING = "warning"
# The window of what should hold at any time.
WINDOW = "5m"
_HOLD = "1m"
FAILURE_RATIO = "hune:prediction_failures:ratio_rate"
LATENCY = f"hune:prediction_duration_seconds:p95_rate{WINDOW}"
# A share of fewer predictions than this says little: one slow or failed one would be an alert.
_LEAST_PREDICTIONS = 20
_NOT_LOADED = 'reason=~"Missing|Refused|Unusable"'
# A detector flags some ordinary rows too, 1 or 5 of 100 as it was fitted: twice the larger rate and
# more than a handful is no chance.
_ATTACK_WINDOW = "10m"
_LEAST_ADVERSARIAL = 5
_FALSE_ALARMS = Decimal("0.1")
_BUDGET_HOURS = 30 * 24
# How Prometheus writes the value of what was measured.
_NUMBER = "{{ $value | humanize }}"
_PERCENTAGE = "{{ $value | humanizePercentage }}"
_DURATION = "{{ $value | humanizeDuration }}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What alerts are about.

    Attributes:
        scope: Matchers that choose the deployment's guards.
        name: How the alert calls it: `<namespace>/<name>`.
    """

    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class Burn:
    """A speed at which the error budget is used up, and the two windows in which it must show.

    Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
    """

    factor: Decimal
    long: str
    short: str
    severity: str

    def threshold(self, availability: Decimal) -> Decimal:
        """Return the share of failures, 0 to 1, that it means for an availability in percent."""
        return self.factor * (100 - availability) / 100


BURNS = (
    Burn(Decimal("14.4"), "1h", "5m", CRITICAL),
    Burn(Decimal(6), "6h", "30m", CRITICAL),
    Burn(Decimal(1), "3d", "6h", WARNING),
)


def build_alert(
    subject: Subject,
    name: str,
    expression: str,
    severity: str,
    says: str,
    hold: str | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return an alerting rule.

    Args:
        subject: What it is about.
        name: Name of the alert.
        expression: What must not be, in PromQL.
        severity: `critical` for what should wake somebody, `warning` for what can wait.
        says: The message, a Prometheus template.
        hold: How long it must have been so, as a Prometheus duration; at once by default.
        labels: More labels.
    """
    return {
        "alert": name,
        "expr": expression,
        **({"for": hold} if hold else {}),
        "labels": {"severity": severity} | (labels or {}),
        "annotations": {"summary": f"{subject.name}: {says}"},
    }


def build_availability_alerts(subject: Subject, availability: Decimal) -> Iterator[dict[str, Any]]:
    """Yield an alert for each burn rate; one that even an outage cannot reach has none."""
    for burn in BURNS:
        threshold = burn.threshold(availability)
        if threshold >= 1:
            continue
        conditions = [
            f"{promql.select(FAILURE_RATIO + window, subject.scope)} > {plain(threshold)}"
            for window in (burn.long, burn.short)
        ]
        yield build_alert(
            subject,
            "HuneErrorBudgetBurn",
            " and ".join([*conditions, _enough(subject, burn.short)]),
            burn.severity,
            f"{_PERCENTAGE} of its predictions failed within {burn.long}; at this rate, what an"
            f" availability of {plain(availability)} % allows for 30 days is gone in"
            f" {plain(_BUDGET_HOURS / burn.factor)} hours",
            labels={"long": burn.long, "short": burn.short},
        )


def build_latency_alert(subject: Subject, seconds: Decimal) -> dict[str, Any]:
    """Return the alert for predictions that take too long."""
    measured = promql.select(LATENCY, subject.scope)
    return build_alert(
        subject,
        "HuneLatencyHigh",
        f"{measured} > {plain(seconds)} and {_enough(subject, WINDOW)}",
        CRITICAL,
        f"5 of 100 predictions take longer than {_DURATION}; promised are {plain(seconds)}s",
        _HOLD,
    )


def build_error_alert(subject: Subject, percent: int) -> dict[str, Any]:
    """Return the alert for too many failures at once."""
    measured = promql.select(FAILURE_RATIO + WINDOW, subject.scope)
    return build_alert(
        subject,
        "HuneErrorsHigh",
        f"{measured} > {plain(Decimal(percent) / 100)} and {_enough(subject, WINDOW)}",
        CRITICAL,
        f"{_PERCENTAGE} of its predictions fail; promised are at most {percent}%",
        _HOLD,
    )


def build_throughput_alerts(subject: Subject, least: int) -> Iterator[dict[str, Any]]:
    """Yield the alert for a promise that is not kept, and for demand that goes beyond it."""
    demand = promql.demand_rate(subject.scope, WINDOW)
    served = promql.prediction_rate(subject.scope, WINDOW, promql.NOT_FAILED)
    yield build_alert(
        subject,
        "HuneThroughputMissed",
        f"{served} < {least} and {demand} >= {least}",
        CRITICAL,
        f"{_NUMBER} predictions per second are answered and more are asked for; promised are"
        f" {least}",
        _HOLD,
    )
    yield build_alert(
        subject,
        "HuneTrafficAbovePlan",
        f"{demand} > {least}",
        WARNING,
        f"{_NUMBER} predictions per second are asked for, planned are {least}; raise"
        " spec.serving.replicas, or the objective",
        "10m",
    )


def build_absence_alert(subject: Subject, expression: str) -> dict[str, Any]:
    """Return the alert for a deployment of which no guard is heard."""
    return build_alert(
        subject,
        "HuneGuardAbsent",
        expression,
        CRITICAL,
        "no guard answers Prometheus, so nothing is known; see the conditions of the"
        " ModelDeployment",
        "5m",
    )


def build_detector_alerts(subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield the alerts for predictions that are left without a detector's verdict."""
    failures = promql.select(metrics.DETECTOR_FAILURES, subject.scope)
    yield build_alert(
        subject,
        "HuneDetectorFailing",
        f"{promql.total(f'increase({failures}[10m])')} > 0",
        WARNING,
        f"a detector failed {_NUMBER} times within 10 minutes; the guard's log says why",
    )
    # Counted once, at the start, and thus before there is anything to see an increase of.
    unloaded = promql.select(metrics.DETECTOR_FAILURES, subject.scope, _NOT_LOADED)
    yield build_alert(
        subject,
        "HuneDetectorNotLoaded",
        f"{promql.total(unloaded)} > 0",
        WARNING,
        "a detector could not be loaded, so its verdicts are missing; check spec.guard",
    )


def build_attack_alert(subject: Subject) -> dict[str, Any]:
    """Return the alert for more adversarial rows than a detector's false alarms explain."""
    adversarial = (subject.scope, 'detector="adversarial"')
    flagged, rows = (
        promql.total(f"increase({promql.select(metric, *adversarial)}[{_ATTACK_WINDOW}])")
        for metric in (metrics.DETECTOR_FLAGGED, metrics.DETECTOR_ROWS)
    )
    return build_alert(
        subject,
        "HuneAdversarialInput",
        f"{flagged} >= {_LEAST_ADVERSARIAL} and {flagged} > {plain(_FALSE_ALARMS)} * {rows}",
        WARNING,
        f"{_NUMBER} adversarial rows within {_ATTACK_WINDOW}, more than false alarms explain; see"
        " who asks, or refuse them by spec.guard.adversarial.onDetect: Reject",
    )


def plain(number: Decimal) -> str:
    """Return a number in digits, without exponent and without zeros that say nothing."""
    return f"{number.normalize():f}"


def _enough(subject: Subject, window: str) -> str:
    return f"{promql.prediction_count(subject.scope, window)} >= {_LEAST_PREDICTIONS}"
