"""When alerts fire: Prometheus' own tool plays hours of a guard's counters to the real rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hune.controlplane.api.objectives import Objectives
from hune.controlplane.plan.build.prometheus_rule import build_prometheus_rule
from hune.controlplane.plan.plan import Owner
from tests.support import prometheus

pytestmark = pytest.mark.skipif(bool(prometheus.obstacle()), reason=prometheus.obstacle())
GUARD = 'namespace="shop", deployment="income", pod="income-1"'
OTHER = 'namespace="shop", deployment="other", pod="other-1"'
OWNER = Owner("hune.dev/v1alpha1", "ModelDeployment", "income", "shop", "u-1", 1)
DAY = 24 * 60
# Minutes, and how much a counter grows in each of them.
Phase = tuple[int, float]
Series = dict[str, str]


def rules_for(**objectives: Any) -> dict[str, Any]:
    built = build_prometheus_rule(OWNER, Objectives.model_validate(objectives), {})
    rules: dict[str, Any] = built["spec"]
    return rules


def counted(*phases: Phase) -> str:
    """Return a counter's values, one a minute."""
    parts, total = [], 0.0
    for minutes, growth in phases:
        parts.append(f"{total:g}+{growth:g}x{minutes - 1}")
        total += minutes * growth
    return " ".join(parts)


def answered(ok: Iterable[Phase], failed: Iterable[Phase], guard: str = GUARD) -> Series:
    """Return what a guard counts that answers some predictions and fails others."""
    counts = {"200": counted(*ok), "503": counted(*failed)}
    return {
        f'hune_guard_requests_total{{{guard}, endpoint="predict", code="{code}"}}': values
        for code, values in counts.items()
    }


def steady(minutes: int, per_minute: float, failing: float) -> Series:
    """Return predictions of which a share, 0 to 1, fails throughout."""
    failed = per_minute * failing
    return answered([(minutes, per_minute - failed)], [(minutes, failed)])


def outage(until: int, minutes: int, then: int = 1) -> Series:
    """Return predictions that all fail for some minutes, and none before and afterwards."""
    return answered(
        [(until, 100), (minutes, 0), (then, 100)], [(until, 0), (minutes, 100), (then, 0)]
    )


def timed(minutes: int, quick: float, slow: float) -> Series:
    """Return predictions within 0.1 s and within 0.4 s, so many of each a minute."""
    name = f'hune_guard_request_duration_seconds_bucket{{{GUARD}, endpoint="predict", le='
    bounds = {"0.1": quick, "0.25": quick, "0.4": quick + slow, "+Inf": quick + slow}
    buckets = {f'{name}"{le}"}}': counted((minutes, growth)) for le, growth in bounds.items()}
    return buckets | steady(minutes, quick + slow, 0)


def waiting(minutes: int, growth: float) -> Series:
    return {f"hune_guard_requests_in_flight{{{GUARD}}}": counted((minutes, growth))}


def detectors(reason: str, *failures: Phase) -> Series:
    name = f'hune_guard_detector_failures_total{{{GUARD}, reason="{reason}"}}'
    return {name: counted(*failures)}


def judged(minutes: int, rows: float, flagged: float) -> Series:
    """Return so many rows a minute that a detector of attacks scored, and so many it flagged."""
    return {
        f'hune_guard_detector_{name}_total{{{GUARD}, detector="adversarial"}}': counted(
            (minutes, growth)
        )
        for name, growth in (("rows", rows), ("flagged", flagged))
    }


def heard(minutes: int) -> Series:
    return {f"hune_guard_info{{{GUARD}}}": f"1+0x{minutes - 1}"}


@dataclass(frozen=True)
class Case:
    """A course of events.

    Attributes:
        why: What is shown.
        objectives: What is promised.
        series: What guards count.
        at: The minute that is looked at.
        firing: Alerts that fire then, a burn rate's with its long window; no others.
    """

    why: str
    objectives: Mapping[str, Any]
    series: Series
    at: int
    firing: set[str] = field(default_factory=set)


AVAILABLE, HALF = {"availability": "99.9"}, {"availability": "50"}
FAST, MIDDLE, SLOW = (f"HuneErrorBudgetBurn/{long}" for long in ("1h", "6h", "3d"))
LATENCY = {"latencyP95": "250ms"}
ERRORS = {"errorPercent": 5}
THROUGHPUT = {"throughput": 100}
MISSED, ABOVE = "HuneThroughputMissed", "HuneTrafficAbovePlan"
MISSING = f'hune_guard_detector_failures_total{{{GUARD}, reason="Missing"}}'
CASES = [
    Case("an outage", AVAILABLE, outage(600, 5), 602, {FAST, SLOW}),
    Case("a single failure", AVAILABLE, answered([(60, 100)], [(57, 0), (1, 1), (2, 0)]), 59),
    Case("15 budgets", AVAILABLE, steady(70, 100, 0.015), 69, {FAST, MIDDLE, SLOW}),
    Case("7 budgets", AVAILABLE, steady(420, 100, 0.007), 419, {MIDDLE, SLOW}),
    Case("1.1 budgets", AVAILABLE, steady(DAY, 100, 0.0011), DAY - 1, {SLOW}),
    Case("0.9 budgets", AVAILABLE, steady(DAY, 100, 0.0009), DAY - 1),
    Case("an outage that is over", AVAILABLE, outage(600, 5, 60), 611, {MIDDLE, SLOW}),
    Case("few predictions", AVAILABLE, answered([(60, 0.1)], [(59, 0), (1, 1)]), 60),
    Case("half a big budget", HALF, steady(60, 100, 0.25), 59),
    Case("an outage of a big budget", HALF, steady(60, 100, 1), 59, {SLOW}),
    Case("another's outage", AVAILABLE, answered([(60, 0)], [(60, 99)], OTHER), 59),
    Case("6 of 100 are slow", LATENCY, timed(30, 94, 6), 29, {"HuneLatencyHigh"}),
    Case("4 of 100 are slow", LATENCY, timed(30, 96, 4), 29),
    Case("all are slow, for two minutes", LATENCY, timed(30, 0, 100), 2, {"HuneLatencyHigh"}),
    Case("all are slow, for a minute", LATENCY, timed(30, 0, 100), 1),
    Case("the only one is slow", LATENCY, timed(30, 0, 0.1), 29),
    Case("6 of 100 fail", ERRORS, steady(30, 100, 0.06), 29, {"HuneErrorsHigh"}),
    Case("4 of 100 fail", ERRORS, steady(30, 100, 0.04), 29),
    Case("the only one fails", ERRORS, steady(30, 0.1, 1), 29),
    Case("as many as promised", THROUGHPUT, steady(30, 6000, 0), 29),
    Case("fewer are asked for", THROUGHPUT, steady(30, 60, 0.5), 29),
    Case("a third is refused", THROUGHPUT, steady(30, 8000, 0.33), 9, {MISSED}),
    Case("they pile up", THROUGHPUT, steady(30, 5400, 0) | waiting(30, 1200), 9, {MISSED}),
    Case("more than planned", THROUGHPUT, steady(30, 6600, 0), 29, {ABOVE}),
    Case("a detector fails", {}, detectors("Crash", (9, 0), (9, 1)), 15, {"HuneDetectorFailing"}),
    Case("a detector failed long ago", {}, detectors("Crash", (9, 1), (20, 0)), 25),
    Case("half of the rows are an attack", {}, judged(30, 10, 5), 25, {"HuneAdversarialInput"}),
    Case("false alarms as stated", {}, judged(30, 1000, 50), 25),
    Case("a false alarm where few ask", {}, judged(30, 0.2, 0.1), 25),
    Case("a detector is missing", {}, {MISSING: "1+0x30"}, 25, {"HuneDetectorNotLoaded"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_exactly_what_should_fire_does(case: Case, tmp_path: Path) -> None:
    series = heard(case.at + 2) | waiting(case.at + 2, 0) | case.series
    said = play(tmp_path, case.objectives, series, firing(case.at, case.firing))
    assert not said, said


@pytest.mark.parametrize(("at", "alerts"), [(14, set()), (16, {"HuneGuardAbsent"})])
def test_a_guard_that_is_heard_no_more_is_missed(at: int, alerts: set[str], tmp_path: Path) -> None:
    said = play(tmp_path, {}, {f"hune_guard_info{{{GUARD}}}": "1+0x9 stale"}, firing(at, alerts))
    assert not said, said


def test_an_alert_says_what_is_promised_and_what_is(tmp_path: Path) -> None:
    told = {
        "exp_labels": {"severity": "critical", "namespace": "shop", "deployment": "income"},
        "exp_annotations": {
            "summary": "shop/income: 5 of 100 predictions take longer than 385ms; promised are"
            " 0.25s"
        },
    }
    test = {"alertname": "HuneLatencyHigh", "eval_time": "10m", "exp_alerts": [told]}
    said = play(tmp_path, LATENCY, timed(30, 50, 50), {"alert_rule_test": [test]})
    assert not said, said


def play(
    folder: Path, objectives: Mapping[str, Any], series: Series, expected: Mapping[str, Any]
) -> str:
    """Play a course of events; return what promtool finds to be other than expected."""
    values = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": values, **expected}
    return prometheus.try_rules(folder, rules_for(**objectives), test)


def firing(at: int, alerts: set[str]) -> dict[str, Any]:
    """Return promtool's expectation that exactly these alerts fire at a minute."""
    samples = []
    for name, _, long in (alert.partition("/") for alert in sorted(alerts)):
        label = f', long="{long}"' if long else ""
        samples.append({"labels": f'{{alertname="{name}"{label}}}', "value": 1})
    query = 'count by (alertname, long) (ALERTS{alertstate="firing"})'
    return {"promql_expr_test": [{"expr": query, "eval_time": f"{at}m", "exp_samples": samples}]}
