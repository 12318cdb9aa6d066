"""Why a revision does not serve, in the words of who knows best."""

from typing import Any

import pytest

from hune.contract.refusal import Refusal
from hune.controlplane.policy.diagnosis import diagnose
from hune.controlplane.policy.observed import Observed

REFUSED = Refusal("DigestMismatch", "s3://m", "found sha256:0, wanted sha256:1").to_json()


def status(name: str = "kserve-container", **states: Any) -> dict[str, Any]:
    return {"name": name, "image": "example.org/m:1", **states}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **more}}


def pod(
    *containers: dict[str, Any], init: list[dict[str, Any]] | None = None, **status: Any
) -> Any:
    return {
        "metadata": {"name": "p", "labels": {"hune.dev/revision": "a"}},
        "status": {
            "containerStatuses": list(containers),
            "initContainerStatuses": init or [],
            **status,
        },
    }


def seen(*pods: Any, **model_status: Any) -> Observed:
    service = {"metadata": {"name": "a"}, "status": {"modelStatus": model_status}}
    return Observed(children={("InferenceService", "a"): service}, pods=pods)


UNSCHEDULABLE = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available.\nmore"}
    ]
}


@pytest.mark.parametrize(
    ("why", "observed", "reason", "words"),
    [
        ("nothing is wrong yet", seen(), "Progressing", "revision a is starting"),
        ("nothing is known at all", Observed(), "Progressing", "revision a is starting"),
        (
            "the cluster has no KServe, whatever else is wrong",
            Observed(kserve_installed=False, deployment_messages={"a": "quota"}),
            "KServeNotInstalled",
            "install KServe",
        ),
        (
            "the initializer refuses",
            seen(pod(init=[status("storage-initializer", state=ended(1, message=REFUSED))])),
            "DigestMismatch",
            "found sha256:0, wanted sha256:1",
        ),
        (
            "the initializer refused and is tried again",
            seen(
                pod(
                    init=[
                        status(
                            "storage-initializer",
                            **waiting("CrashLoopBackOff"),
                            lastState=ended(1, message=REFUSED),
                        )
                    ],
                    **UNSCHEDULABLE,
                )
            ),
            "DigestMismatch",
            "found sha256:0",
        ),
        (
            "a predictor may not speak for the initializer",
            seen(pod(status(state=ended(1, message=REFUSED)))),
            "ContainerFailing",
            "kserve-container ended with exit code 1",
        ),
        (
            "the image's name is wrong",
            seen(pod(status(**waiting("InvalidImageName", "couldn't parse")))),
            "ImageNotPulled",
            "image 'example.org/m:1' cannot be pulled",
        ),
        (
            "the image is not there",
            seen(pod(status(**waiting("ErrImagePull", "not found\nmore")))),
            "ImageNotPulled",
            "(not found)",
        ),
        (
            "a Secret is missing, says kubelet",
            seen(pod(status(**waiting("CreateContainerConfigError", 'secret "api" not found')))),
            "SecretNotFound",
            "Secret 'api' is not in this namespace",
        ),
        (
            "a ConfigMap is missing, though its name says secret",
            seen(
                pod(
                    status(
                        **waiting("CreateContainerConfigError", 'configmap "my-secret" not found')
                    )
                )
            ),
            "ContainerNotMade",
            'configmap "my-secret" not found',
        ),
        (
            "a key is missing in a Secret",
            seen(
                pod(
                    status(**waiting("CreateContainerConfigError", "couldn't find key k in Secret"))
                )
            ),
            "ContainerNotMade",
            "couldn't find key k",
        ),
        (
            "a webhook of KServe misses a Secret",
            Observed(deployment_messages={"a": 'denied: secrets "s3" not found'}),
            "SecretNotFound",
            "no pod could be made: Secret 's3'",
        ),
        (
            "a quota is used up",
            Observed(deployment_messages={"a": "exceeded quota: small\nmore"}),
            "PodNotMade",
            "no pod could be made: exceeded quota: small",
        ),
        (
            "another revision's message is not ours",
            Observed(deployment_messages={"b": "exceeded quota"}),
            "Progressing",
            "starting",
        ),
        (
            "no node takes it",
            seen(pod(**UNSCHEDULABLE)),
            "Unschedulable",
            "0/3 nodes are available.",
        ),
        (
            "it used too much memory",
            seen(pod(status(state=ended(137, reason="OOMKilled")))),
            "ContainerFailing",
            "raise spec.serving.resources.limits",
        ),
        (
            "the server crashed and waits to be started again",
            seen(pod(status(**waiting("CrashLoopBackOff"), lastState=ended(2)))),
            "ContainerFailing",
            "exit code 2; see its log",
        ),
        (
            "the server said why",
            seen(pod(status(lastState=ended(2, message="no such model\ntrace")))),
            "ContainerFailing",
            "exit code 2: no such model",
        ),
        (
            "a container that ended well is no fault",
            seen(pod(init=[status("storage-initializer", state=ended(0))])),
            "Progressing",
            "starting",
        ),
        (
            "KServe knows no such runtime",
            seen(
                transitionStatus="InvalidSpec",
                lastFailureInfo={"reason": "RuntimeNotRecognized", "message": "no such runtime"},
            ),
            "RuntimeNotRecognized",
            "KServe: no such runtime",
        ),
        (
            "KServe gives no details",
            seen(transitionStatus="BlockedByFailedLoad"),
            "BlockedByFailedLoad",
            "KServe: BlockedByFailedLoad",
        ),
    ],
)
def test_the_most_telling_reason_is_named(
    why: str, observed: Observed, reason: str, words: str
) -> None:
    diagnosis = diagnose(observed, "a")
    assert diagnosis.reason == reason, why
    assert words in diagnosis.message, why


def test_a_pod_that_goes_is_not_asked() -> None:
    leaving = pod(status(state=ended(1)))
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    assert diagnose(seen(leaving), "a").reason == "Progressing"


def test_an_image_that_is_tried_again_and_again_is_told_in_the_same_words() -> None:
    tried = 'failed to do request: Head "https://r/v2/m": dial tcp: read udp 10.0.0.1:{}: timeout'
    tries = (
        waiting("ErrImagePull", tried.format(43286)),
        waiting("ImagePullBackOff", f"Back-off pulling image: ErrImagePull: {tried.format(50000)}"),
    )
    first, second = (diagnose(seen(pod(status(**each))), "a") for each in tries)
    assert first == second
    assert first.message.endswith("(timeout)")
