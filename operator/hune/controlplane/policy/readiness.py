"""Whether a revision serves: its predictor as KServe says, its guard as its pods say."""

from hune.contract.state import EXPLAINER, UNREACHABLE, DetectorFault
from hune.controlplane.api.conditions import Condition, Status, find
from hune.controlplane.api.modeldeployment import (
    EXPLAINER_READY,
    GUARD_READY,
    PREDICTOR_READY,
)
from hune.controlplane.policy.diagnosis import diagnose, diagnose_explainer
from hune.controlplane.policy.observed import Document, Observed, guard_status


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
    """Say whether a guard of the revision is ready, and judges.

    A guard is ready when its predictor answers, which KServe reports a moment later: both are
    told together, so that one change is one write. A detector's fault comes first: with the
    failure policy `Closed` it is why no guard is ready.
    """
    for fault in observed.detector_faults.get(revision, ()):
        if fault.detector != EXPLAINER:
            return _blind(fault)
    if _guarded(observed, revision):
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


def explainer_condition(observed: Observed, revision: str) -> Condition:
    """Say whether a revision's answers can be explained, as its guards say."""
    reason, message = "Explaining", f"answers of revision {revision} are explained on request"
    faults = observed.detector_faults.get(revision, ())
    fault = next((fault for fault in faults if fault.detector == EXPLAINER), None)
    if not _guarded(observed, revision):
        reason = "NotReady"
        message = f"no guard of revision {revision} is ready; see PredictorReady"
    elif fault is not None:
        # Why a pod of its own does not answer, its guards cannot tell.
        own = diagnose_explainer(observed, revision) if fault.reason == UNREACHABLE else None
        reason, message = (own or fault).reason, f"spec.explainer: {(own or fault).message}"
    status = Status.TRUE if reason == "Explaining" else Status.FALSE
    return Condition(type=EXPLAINER_READY, status=status, reason=reason, message=message)


def _guarded(observed: Observed, revision: str) -> bool:
    service = observed.inference_service(revision)
    guards = map(guard_status, observed.pods_of(revision))
    ready = any(guard.get("ready") is True for guard in guards)
    return service is not None and is_ready(service) and ready


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


def count_ready(observed: Observed, revision: str) -> int:
    """Count the pods of a revision that are ready, once KServe calls the revision ready."""
    service = observed.inference_service(revision)
    if service is None or not is_ready(service):
        return 0
    return sum(find(pod, "Ready")["status"] == "True" for pod in observed.pods_of(revision))
