from dataclasses import replace
from typing import Any

import pytest

from hune.contract.state import DetectorFault
from hune.controlplane.policy.observed import Observed, guard_status
from hune.controlplane.policy.readiness import (
    count_ready,
    explainer_condition,
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


def lite_pod(*, ready: bool = True) -> dict[str, Any]:
    """Return a pod of profile Lite, whose one container guards."""
    alone = pod(ready=str(ready))
    alone["status"]["containerStatuses"] = [{"name": "kserve-container", "ready": ready}]
    return alone


def explainer_pod(**state: Any) -> dict[str, Any]:
    """Return the pod of an explainer of its own, whose one container guards nothing."""
    alone = pod("e", ready="False")
    alone["metadata"]["labels"]["hune.dev/revision"] = "a-explainer"
    alone["status"]["containerStatuses"] = [{"name": "kserve-container", "ready": True} | state]
    return alone


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
        ("the one container of profile Lite is", observed(service(), lite_pod()), True),
        (
            "the one container of profile Lite is not",
            observed(service(), lite_pod(ready=False)),
            False,
        ),
        ("it is on its way out", observed(service(), pod(deletionTimestamp="now")), False),
    ],
)
def test_the_guard_is_ready_with_its_predictor(reason: str, seen: Observed, ready: bool) -> None:  # noqa: FBT001
    condition = guard_condition(seen, "a")
    assert condition.is_true is ready, reason
    assert condition.reason == ("Guarding" if ready else "NotReady")


@pytest.mark.parametrize("ready", [True, False])
def test_a_guard_that_cannot_judge_says_why_whether_it_answers_or_not(ready: bool) -> None:  # noqa: FBT001
    fault = DetectorFault("outliers", "DigestMismatch", "s3://m/o: its digest is another")
    seen = Observed(
        children={("InferenceService", "a"): service(str(ready))},
        pods=[pod(guard=ready)],
        detector_faults={"a": [fault]},
    )
    condition = guard_condition(seen, "a")
    assert (condition.is_true, condition.reason) == (False, "DigestMismatch")
    assert condition.message == "spec.guard.outliers: s3://m/o: its digest is another"


def test_an_explainer_that_cannot_is_told_beside_a_guard_that_can() -> None:
    fault = DetectorFault("explainer", "DigestMismatch", "it is another one")
    seen = replace(observed(service(), pod()), detector_faults={"a": [fault]})
    assert guard_condition(seen, "a").is_true
    told = explainer_condition(seen, "a")
    assert (told.type, told.is_true, told.reason) == ("ExplainerReady", False, "DigestMismatch")
    assert told.message == "spec.explainer: it is another one"


UNREACHABLE = DetectorFault("explainer", "ExplainerUnreachable", "it does not answer")
PULLING = {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}
KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ({"state": PULLING}, "ImageNotPulled", "cannot be pulled"),
        ({"lastState": KILLED}, "ContainerFailing", "raise the chart's explainerResources.limits"),
        ({}, "ExplainerUnreachable", "it does not answer"),
    ],
)
def test_a_pod_of_its_own_says_why_an_explainer_does_not_answer(
    state: dict[str, Any], reason: str, said: str
) -> None:
    seen = observed(service(), pod(), explainer_pod(**state))
    told = explainer_condition(replace(seen, detector_faults={"a": [UNREACHABLE]}), "a")
    assert (told.is_true, told.reason) == (False, reason)
    assert said in told.message
    assert guard_condition(seen, "a").is_true
    assert predictor_condition(seen, "a").is_true
    assert count_ready(seen, "a") == 1


def test_what_an_explainer_says_itself_goes_before_its_pod() -> None:
    fault = DetectorFault("explainer", "DigestMismatch", "it is another one")
    seen = observed(service(), pod(), explainer_pod(lastState=KILLED))
    told = explainer_condition(replace(seen, detector_faults={"a": [fault]}), "a")
    assert told.reason == "DigestMismatch"


def test_the_only_container_of_an_explainers_pod_is_no_guard() -> None:
    assert guard_status(explainer_pod()) == {}
    assert guard_status(lite_pod())["ready"] is True


def test_a_detector_that_cannot_keeps_nothing_from_being_explained() -> None:
    fault = DetectorFault("outliers", "DigestMismatch", "it is another one")
    seen = replace(observed(service(), pod()), detector_faults={"a": [fault]})
    assert not guard_condition(seen, "a").is_true
    assert explainer_condition(seen, "a").reason == "Explaining"


def test_nothing_is_explained_before_a_guard_is_ready() -> None:
    told = explainer_condition(observed(service(), pod(guard=False)), "a")
    assert (told.is_true, told.reason) == (False, "NotReady")


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
