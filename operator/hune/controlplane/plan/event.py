"""What is worth a Kubernetes Event: conditions that turn, and attacks that guards report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hune.contract.state import WINDOW_SECONDS
from hune.controlplane.api.conditions import Condition

# Said while things are on their way; a person who describes the object reads the condition.
_QUIET = frozenset({"Progressing", "NotReady", "WaitingForRevision"})
# Not true because the user wants it so.
_WISHED = frozenset({"Suspended"})
_COMPONENTS = frozenset({"PredictorReady", "GuardReady"})


@dataclass(frozen=True, slots=True)
class Event:
    """One Event: `Normal` or `Warning`, a CamelCase reason and a message."""

    type: str
    reason: str
    message: str


def plan_events(former: Sequence[Mapping[str, Any]], fresh: Sequence[Condition]) -> list[Event]:
    """Return an Event for each condition that turned, and for each new reason of a fault.

    A component that comes to hold is told by Ready, once.
    """
    known = {condition["type"]: condition for condition in former}
    events = []
    for condition in fresh:
        before = known.get(condition.type, {})
        same = (before.get("status"), before.get("reason")) == (condition.status, condition.reason)
        if (
            same
            or condition.reason in _QUIET
            or (condition.type == "Accepted" and condition.is_true)
        ):
            continue
        if condition.is_true and condition.type in _COMPONENTS:
            continue
        if condition.type == "Ready" and not condition.is_true:
            continue
        if condition.type == "RolledOut" and not before:
            continue
        if condition.type == "ObjectivesWatched" and condition.is_true and not before:
            continue
        kind = "Normal" if condition.is_true or condition.reason in _WISHED else "Warning"
        events.append(Event(kind, condition.reason, condition.message))
    return events


def plan_attack_event(detections: Mapping[str, int]) -> Event | None:
    """Return the Event for rows that guards found to be adversarial; None where there are none.

    Args:
        detections: By detector, the rows that guards flagged within the last `WINDOW_SECONDS`.
    """
    rows = detections.get("adversarial", 0)
    if not rows:
        return None
    told = f"{rows} row{'s' if rows > 1 else ''} within the last {WINDOW_SECONDS // 60} minutes"
    return Event(
        "Warning",
        "AdversarialInput",
        f"guards flagged {told} as adversarial; hune_guard_detector_flagged_total says since when,"
        " spec.guard.adversarial.onDetect: Reject refuses such requests",
    )
