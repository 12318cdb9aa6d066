from typing import Any

import pytest

from hune.controlplane.policy.observed import Observed
from hune.controlplane.policy.readiness import (
    count_ready,
    guard_condition,
    is_ready,
    predictor_condition,
)


def service(ready: str = "True", **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": "a", "generation": 2},
        "status": {"conditions": conditions, **status},
    }


def pod(name: str = "p", *, guard: bool = True, ready: str = "True", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"hune.dev/revision": "a"}, **more},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [
                {"name": "kserve-container", "ready": True},
                {"name": "transformer-container", "ready": guard},
            ],
        },
    }


def observed(document: dict[str, Any] | None, *pods: dict[str, Any]) -> Observed:
    children = {} if document is None else {("InferenceService", "a"): document}
    return Observed(children=children, pods=pods)


@pytest.mark.parametrize(
    ("reason", "document", "ready"),
    [
        ("KServe says so", service(), True),
        ("KServe says so of this generation", service(observedGeneration=2), True),
        ("KServe has not seen this generation", service(observedGeneration=1), False),
        ("KServe says no", service("False"), False),
        ("KServe does not know", service("Unknown"), False),
        ("KServe said nothing", {"metadata": {"name": "a"}}, False),
        ("no conditions yet", {"metadata": {"name": "a"}, "status": {}}, False),
    ],
)
def test_a_revision_is_ready_when_kserve_says_so_of_what_it_is_now(
    reason: str,
    document: dict[str, Any],
    ready: bool,  # noqa: FBT001
) -> None:
    assert is_ready(document) is ready, reason


@pytest.mark.parametrize(
    ("reason", "seen", "ready"),
    [
        ("a guard is ready", observed(service(), pod()), True),
        ("one of two is ready", observed(service(), pod("p", guard=False), pod("q")), True),
        ("no guard is", observed(service(), pod(guard=False)), False),
        ("there is no pod", observed(service()), False),
        ("KServe has yet to say so", observed(service("Unknown"), pod()), False),
        ("there is no revision", observed(None, pod()), False),
        ("it is on its way out", observed(service(), pod(deletionTimestamp="now")), False),
    ],
)
def test_the_guard_is_ready_with_its_predictor(reason: str, seen: Observed, ready: bool) -> None:  # noqa: FBT001
    condition = guard_condition(seen, "a")
    assert condition.is_true is ready, reason
    assert condition.reason == ("Guarding" if ready else "NotReady")


def test_the_predictor_is_ready_when_the_revision_is() -> None:
    condition = predictor_condition(observed(service()), "a")
    assert (condition.type, condition.is_true, condition.reason) == (
        "PredictorReady",
        True,
        "Serving",
    )


def test_else_the_predictors_condition_tells_the_diagnosis() -> None:
    condition = predictor_condition(Observed(kserve_installed=False), "a")
    assert (condition.is_true, condition.reason) == (False, "KServeNotInstalled")


def test_only_ready_pods_that_stay_are_counted() -> None:
    pods = (
        pod("p"),
        pod("q", ready="False"),
        pod("r", deletionTimestamp="now"),
        {"metadata": {"name": "s"}},
    )
    assert count_ready(observed(service(), *pods), "a") == 1
    assert count_ready(observed(service("False"), *pods), "a") == 0
    assert count_ready(observed(None, *pods), "a") == 0
