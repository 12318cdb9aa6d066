"""Why a revision is not ready yet: a chain of named checks, the first that knows decides."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hune.contract import names
from hune.contract.refusal import Refusal
from hune.contract.state import EXPLAINER, DetectorFault
from hune.controlplane.api.conditions import find
from hune.controlplane.policy.observed import Document, Observed

PROGRESSING = "Progressing"
_PULL_FAILURES = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
)
# KServe's webhook and kubelet word it alike: `secrets "x" not found`, `secret "x" not found`.
_SECRET_NOT_FOUND = re.compile(r'\bsecrets? "([^"]*)" not found')


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What keeps a revision from serving.

    Attributes:
        reason: CamelCase word for the condition.
        message: What was seen and what to do.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at; `resources` says where those of its pods are set."""

    revision: str
    inference_service: Document | None
    pods: list[Document]
    deployment_message: str
    detector_faults: Sequence[DetectorFault]
    resources: str = "spec.serving.resources"


Check = Callable[[Subject], Diagnosis | None]


def diagnose(observed: Observed, revision: str) -> Diagnosis:
    """Return the most telling reason why a revision is not ready."""
    if not observed.kserve_installed:
        return Diagnosis(
            "KServeNotInstalled",
            "this cluster has no serving.kserve.io/v1beta1 InferenceService; install KServe 0.20 "
            "or newer, Hune goes on by itself then",
        )
    subject = Subject(
        revision,
        observed.inference_service(revision),
        observed.pods_of(revision),
        observed.deployment_messages.get(revision, ""),
        observed.detector_faults.get(revision, ()),
    )
    for check in CHAIN:
        diagnosis = check(subject)
        if diagnosis is not None:
            return diagnosis
    return Diagnosis(PROGRESSING, f"revision {revision} is starting")


def diagnose_explainer(observed: Observed, revision: str) -> Diagnosis | None:
    """Return why the pod of a revision's explainer does not run; None where none is known."""
    name = f"{revision}{names.EXPLAINER_SUFFIX}"
    subject = Subject(name, None, observed.pods_of(name), "", (), "the chart's explainerResources")
    found = (check(subject) for check in CHAIN)
    return next((diagnosis for diagnosis in found if diagnosis is not None), None)


def artefact_refused(subject: Subject) -> Diagnosis | None:
    """Say what the initializer said: wrong digest, no such artefact, no access."""
    for status in _init_statuses(subject):
        for state in (status.get("state", {}), status.get("lastState", {})):
            refusal = Refusal.from_json(state.get("terminated", {}).get("message", ""))
            if refusal is not None:
                return Diagnosis(refusal.reason, refusal.message)
    return None


def image_not_pulled(subject: Subject) -> Diagnosis | None:
    """Say which image cannot be pulled."""
    for status in _statuses(subject):
        waiting = status.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _PULL_FAILURES:
            return Diagnosis(
                "ImageNotPulled",
                f"container {status['name']}: image {status.get('image', '')!r} cannot be pulled; "
                "check its name and the registry's access, or set the platform's mirror "
                f"({_innermost_cause(waiting.get('message', ''))})",
            )
    return None


def container_not_created(subject: Subject) -> Diagnosis | None:
    """Say which reference of a container is missing, for example a Secret."""
    for status in _statuses(subject):
        waiting = status.get("state", {}).get("waiting", {})
        if waiting.get("reason") in {"CreateContainerConfigError", "CreateContainerError"}:
            where = f"container {status['name']}"
            return _missing_reference("ContainerNotMade", where, waiting.get("message", ""))
    return None


def pod_not_made(subject: Subject) -> Diagnosis | None:
    """Say why the Deployment could make no pod: a webhook, a quota, Pod Security."""
    if subject.pods or not subject.deployment_message:
        return None
    return _missing_reference("PodNotMade", "no pod could be made", subject.deployment_message)


def unschedulable(subject: Subject) -> Diagnosis | None:
    """Say that no node takes the pod."""
    for pod in subject.pods:
        scheduled = find(pod, "PodScheduled")
        if scheduled["status"] == "False":
            return Diagnosis(
                "Unschedulable",
                f"no node takes the pod; check spec.placement and {subject.resources} against "
                f"the nodes ({_first_line(scheduled.get('message', ''))})",
            )
    return None


def container_failing(subject: Subject) -> Diagnosis | None:
    """Say how a container ended."""
    for status in _statuses(subject):
        for state in (status.get("state", {}), status.get("lastState", {})):
            ended = state.get("terminated", {})
            if ended.get("exitCode", 0) != 0:
                return Diagnosis(
                    "ContainerFailing", _how_it_ended(status, ended, subject.resources)
                )
    return None


def detector_faulty(subject: Subject) -> Diagnosis | None:
    """Quote a guard that is not ready because a detector cannot judge."""
    for fault in subject.detector_faults:
        if fault.detector == EXPLAINER:
            continue
        return Diagnosis(fault.reason, f"spec.guard.{fault.detector}: {fault.message}")
    return None


def invalid_for_kserve(subject: Subject) -> Diagnosis | None:
    """Quote KServe when it says that the InferenceService cannot work."""
    status = (subject.inference_service or {}).get("status", {})
    model = status.get("modelStatus", {})
    if model.get("transitionStatus") in {"InvalidSpec", "BlockedByFailedLoad"}:
        info = model.get("lastFailureInfo", {})
        return Diagnosis(
            info.get("reason") or model["transitionStatus"],
            f"KServe: {info.get('message') or model['transitionStatus']}; check "
            "spec.model and spec.serving.runtime",
        )
    return None


CHAIN: tuple[Check, ...] = (
    artefact_refused,
    image_not_pulled,
    container_not_created,
    pod_not_made,
    unschedulable,
    container_failing,
    detector_faulty,
    invalid_for_kserve,
)


def _missing_reference(reason: str, where: str, message: str) -> Diagnosis:
    found = _SECRET_NOT_FOUND.search(message)
    if found is None:
        return Diagnosis(reason, f"{where}: {_first_line(message)}")
    return Diagnosis(
        "SecretNotFound",
        f"{where}: Secret {found[1]!r} is not in this namespace; create it, or correct the "
        "secretRef or secretKeyRef that names it",
    )


def _how_it_ended(status: dict[str, Any], ended: dict[str, Any], resources: str) -> str:
    where = f"container {status['name']}"
    if ended.get("reason") == "OOMKilled":
        return f"{where} used more memory than its limit; raise {resources}.limits"
    said = _first_line(ended.get("message", ""))
    told = f": {said}" if said else "; see its log"
    return f"{where} ended with exit code {ended['exitCode']}{told}"


def _statuses(subject: Subject) -> Iterator[dict[str, Any]]:
    for pod in subject.pods:
        yield from pod.get("status", {}).get("initContainerStatuses", [])
        yield from pod.get("status", {}).get("containerStatuses", [])


def _init_statuses(subject: Subject) -> Iterator[dict[str, Any]]:
    for pod in subject.pods:
        yield from pod.get("status", {}).get("initContainerStatuses", [])


def _innermost_cause(text: str) -> str:
    """Return what a chain of errors ends with.

    The rest of it is worded differently while kubelet tries and while it waits to try again, with
    another local port each time: a status that quoted it would be written for ever.
    """
    return _first_line(text).rpartition(": ")[2]


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:500]
