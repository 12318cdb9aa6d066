"""Whether a revision serves: its predictor as KServe says, its guard as its pods say."""

from hune.contract import names
from hune.contract.state import DetectorFault
from hune.controlplane.api.conditions import Condition, Status, find
from hune.controlplane.api.modeldeployment import GUARD_READY, PREDICTOR_READY
from hune.controlplane.policy.diagnosis import diagnose
from hune.controlplane.policy.observed import Document, Observed


def predictor_condition(observed: Observed, revision: str) -> Condition:
    """Quote KServe's PredictorReady, with a diagnosis while it does not hold."""
    service = observed.inference_service(revision)
    if service is not None and is_ready(service):
        return Condition(
            type=PREDICTOR_READY,
            status=Status.TRUE,
            reason="Serving",
            message=f"revision {revision} is ready",
        )
    diagnosis = diagnose(observed, revision)
    return Condition(
        type=PREDICTOR_READY,
        status=Status.FALSE,
        reason=diagnosis.reason,
        message=diagnosis.message,
    )


def guard_condition(observed: Observed, revision: str) -> Condition:
    """Say whether a guard of the revision is ready.

    A guard is ready when its predictor answers, which KServe reports a moment later: both are
    told together, so that one change is one write.
    """
    service = observed.inference_service(revision)
    guards = (container_ready(pod, names.GUARD_CONTAINER) for pod in observed.pods_of(revision))
    if service is not None and is_ready(service) and any(guards):
        for fault in observed.detector_faults.get(revision, ()):
            return _blind(fault)
        return Condition(
            type=GUARD_READY,
            status=Status.TRUE,
            reason="Guarding",
            message=f"the guards of revision {revision} are ready",
        )
    return Condition(
        type=GUARD_READY,
        status=Status.FALSE,
        reason="NotReady",
        message=f"no guard of revision {revision} is ready; see PredictorReady",
    )


def _blind(fault: DetectorFault) -> Condition:
    return Condition(
        type=GUARD_READY,
        status=Status.FALSE,
        reason=fault.reason,
        message=f"spec.guard.{fault.detector}: {fault.message}",
    )


def is_ready(inference_service: Document) -> bool:
    """Tell whether KServe calls the InferenceService, as it is now, ready."""
    ready = find(inference_service, "Ready")
    status = inference_service.get("status", {})
    current = inference_service["metadata"].get("generation", 0)
    observed = int(status.get("observedGeneration", current))
    return bool(ready["status"] == "True" and observed >= current)


def container_ready(pod: Document, container: str) -> bool:
    """Tell whether a container of a pod is ready."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any(status["name"] == container and status.get("ready") is True for status in statuses)


def count_ready(observed: Observed, revision: str) -> int:
    """Count the pods of a revision that are ready, once KServe calls the revision ready."""
    service = observed.inference_service(revision)
    if service is None or not is_ready(service):
        return 0
    return sum(find(pod, "Ready")["status"] == "True" for pod in observed.pods_of(revision))
