import pytest

from hune.controlplane.api.conditions import Condition, Status
from hune.controlplane.plan.event import Event, plan_attack_event, plan_events


def condition(kind: str, status: str, reason: str) -> Condition:
    return Condition(type=kind, status=Status(status), reason=reason, message=f"about {reason}")


def former(kind: str, status: str, reason: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason}


@pytest.mark.parametrize(
    ("why", "before", "now", "wanted"),
    [
        ("a fault", [], condition("PredictorReady", "False", "Unschedulable"), "Warning"),
        (
            "the same fault",
            [former("PredictorReady", "False", "Unschedulable")],
            condition("PredictorReady", "False", "Unschedulable"),
            None,
        ),
        (
            "another fault",
            [former("PredictorReady", "False", "Unschedulable")],
            condition("PredictorReady", "False", "ImageNotPulled"),
            "Warning",
        ),
        ("on its way", [], condition("PredictorReady", "False", "Progressing"), None),
        (
            "a component came to hold, which Ready tells",
            [former("PredictorReady", "False", "Progressing")],
            condition("PredictorReady", "True", "Serving"),
            None,
        ),
        (
            "ready",
            [former("Ready", "False", "Progressing")],
            condition("Ready", "True", "Ready"),
            "Normal",
        ),
        (
            "not ready, which the component tells",
            [former("Ready", "True", "Ready")],
            condition("Ready", "False", "Unschedulable"),
            None,
        ),
        ("an invalid spec", [], condition("Accepted", "False", "Invalid"), "Warning"),
        ("suspended, as was wished", [], condition("Accepted", "False", "Suspended"), "Normal"),
        (
            "accepted is the normal case",
            [former("Accepted", "False", "Invalid")],
            condition("Accepted", "True", "Valid"),
            None,
        ),
        ("the first route", [], condition("RolledOut", "True", "Routed"), None),
        (
            "objectives that nobody watches",
            [],
            condition("ObjectivesWatched", "False", "PrometheusNotInstalled"),
            "Warning",
        ),
        (
            "objectives are watched from the beginning",
            [],
            condition("ObjectivesWatched", "True", "RulesApplied"),
            None,
        ),
        (
            "objectives are watched at last",
            [former("ObjectivesWatched", "False", "PrometheusNotInstalled")],
            condition("ObjectivesWatched", "True", "RulesApplied"),
            "Normal",
        ),
        (
            "cut over",
            [former("RolledOut", "False", "WaitingForRevision")],
            condition("RolledOut", "True", "Routed"),
            "Normal",
        ),
    ],
)
def test_an_event_is_for_what_turned(
    why: str, before: list[dict[str, str]], now: Condition, wanted: str | None
) -> None:
    expected = [] if wanted is None else [Event(wanted, now.reason, now.message)]
    assert plan_events(before, [now]) == expected, why


@pytest.mark.parametrize("detections", [{}, {"adversarial": 0}, {"outliers": 9}])
def test_without_adversarial_rows_nobody_is_alarmed(detections: dict[str, int]) -> None:
    assert plan_attack_event(detections) is None


def test_an_attack_is_told_with_its_rows() -> None:
    event = plan_attack_event({"adversarial": 7, "outliers": 9})
    assert event is not None
    assert (event.type, event.reason) == ("Warning", "AdversarialInput")
    assert event.message.startswith("guards flagged 7 rows within the last 5 minutes")
    single = plan_attack_event({"adversarial": 1})
    assert single is not None
    assert " 1 row within" in single.message
