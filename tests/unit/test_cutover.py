from datetime import UTC, datetime
from typing import Any

import pytest

from hune.controlplane.policy.cutover import Cutover, decide_cutover, retires_in
from hune.controlplane.policy.observed import Observed

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def observed(routed: str | None, **revisions: str) -> Observed:
    children: dict[tuple[str, str], dict[str, Any]] = {
        ("InferenceService", name): {
            "metadata": {"name": name, "generation": 1},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        for name, ready in revisions.items()
    }
    if routed is not None:
        selector = {"hune.dev/revision": routed}
        children["Service", "income"] = {"spec": {"selector": selector}}
    return Observed(children=children)


@pytest.mark.parametrize(
    ("reason", "seen", "wanted", "decided"),
    [
        ("nothing serves yet", observed(None), "a", Cutover("a", None, ())),
        ("it serves", observed("a", a="True"), "a", Cutover("a", None, ())),
        ("it serves, though not ready", observed("a", a="False"), "a", Cutover("a", None, ())),
        ("a new one is not made yet", observed("a", a="True"), "b", Cutover("a", "b", ())),
        ("it starts", observed("a", a="True", b="False"), "b", Cutover("a", "b", ())),
        (
            "KServe said nothing yet",
            observed("a", a="True", b="Unknown"),
            "b",
            Cutover("a", "b", ()),
        ),
        ("it is ready", observed("a", a="True", b="True"), "b", Cutover("b", None, ("a",))),
        ("the old one is broken", observed("a", a="False", b="False"), "b", Cutover("a", "b", ())),
        (
            "a third one was on its way",
            observed("a", a="True", b="True", c="False"),
            "c",
            Cutover("a", "c", ("b",)),
        ),
        ("the old one was deleted", observed("a", b="False"), "b", Cutover("b", None, ())),
        ("the Service was deleted", observed(None, a="True"), "b", Cutover("b", None, ("a",))),
        (
            "back to the one that drains",
            observed("b", a="True", b="True"),
            "a",
            Cutover("a", None, ("b",)),
        ),
    ],
)
def test_traffic_moves_only_to_what_is_ready(
    reason: str, seen: Observed, wanted: str, decided: Cutover
) -> None:
    assert decide_cutover(seen, "income", wanted) == decided, reason


def test_a_service_without_selector_routes_nowhere() -> None:
    assert (
        Observed(children={("Service", "income"): {"spec": {}}}).routed_revision("income") is None
    )


@pytest.mark.parametrize(
    ("since", "seconds"),
    [
        (None, 15.0),
        ("2026-01-01T12:00:00Z", 15.0),
        ("2026-01-01T11:59:50Z", 5.0),
        ("2026-01-01T12:59:45+01:00", 0.0),
        ("2026-01-01T11:00:00Z", -3585.0),
    ],
)
def test_a_replaced_revision_is_kept_for_its_grace(since: str | None, seconds: float) -> None:
    assert retires_in(since, 15, NOW) == seconds
