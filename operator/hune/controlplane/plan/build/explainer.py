"""The explainer: a container beside guard and predictor, or a pod of its own."""

from collections.abc import Mapping
from typing import Any

from hune.contract import names
from hune.controlplane.api.explainer import Explainer, Method
from hune.controlplane.plan.build.artefacts import (
    Artefacts,
    build_explainer_artefacts,
    explainer_path,
)
from hune.controlplane.plan.build.guard import MEMORY, RESTRICTED
from hune.controlplane.plan.build.pod import build_placement, build_pod
from hune.controlplane.plan.build.stamp import Stamp
from hune.controlplane.plan.revision import Revision
from hune.controlplane.policy.observed import Document

# Requests that the guard took in its own drain still find it.
_MARGIN_SECONDS = 5
_SCRATCH = "hune-explainer-scratch"
_MODULE = "hune.dataplane.explainer"
_PREDICTOR_PORT = "HUNE_PREDICTOR_PORT"


def asks_model(explainer: Explainer) -> bool:
    """Tell whether it explains by asking the model."""
    return explainer.method is not Method.TREE_SHAP


def build_explainer(revision: Revision, stamp: Stamp, artefacts: Artefacts) -> list[dict[str, Any]]:
    """Return the container beside the predictor, or none where nothing is explained there.

    It has no readiness probe: while it loads, or cannot, predictions are made all the same.
    """
    if revision.sidecar is None:
        return []
    container = _build_container(revision, revision.sidecar, stamp, artefacts, {})
    return [{"name": names.EXPLAINER_CONTAINER} | container]


def build_standalone(
    revision: Revision, explainer: Explainer, name: str, stamp: Stamp
) -> dict[str, Any]:
    """Return the explainer as KServe's component: a Deployment and a Service of its own.

    Its pod bears another revision's label: the stable Service, the guards' readers and the
    predictor's NetworkPolicy choose by that label, and none of them means an explainer.

    Args:
        revision: What is explained.
        explainer: How.
        name: Of the revision's InferenceService.
        stamp: What the revision took from the operator's settings.
    """
    artefacts = build_explainer_artefacts(explainer, stamp)
    predictor = f"{name}{names.PREDICTOR_SUFFIX}"
    asked = {"HUNE_PREDICTOR_HOST": predictor} if asks_model(explainer) else {}
    container = _build_container(revision, explainer, stamp, artefacts, asked)
    more = {
        # KServe appends arguments that the explainer passes over; the image's own would be lost.
        "args": [_MODULE],
        "ports": [
            {
                "name": "http",
                "containerPort": names.EXPLAINER_PORT,
                "protocol": "TCP",
            }
        ],
        # Ready while it loads, and when it cannot: it says so itself to the guards that ask.
        "readinessProbe": _probe(delay=0, period=5, failures=3),
    }
    return (
        {
            "minReplicas": 1,
            "maxReplicas": 1,
            "labels": {names.LABEL_REVISION: f"{name}{names.EXPLAINER_SUFFIX}"},
            "annotations": {"serving.kserve.io/autoscalerClass": "none"},
            "volumes": [*artefacts.volumes, _scratch()],
            "containers": [{"name": names.PREDICTOR_CONTAINER} | container | more],
        }
        | build_pod(revision, stamp)
        | build_placement(revision)
        | artefacts.predictor
    )


def read_asked_port(inference_service: Document) -> int | None:
    """Return the predictor's port that an explainer in a pod of its own asks; None for no such."""
    (container,) = inference_service["spec"].get("explainer", {}).get("containers") or [{}]
    variables = {v["name"]: v.get("value", "") for v in container.get("env", [])}
    port = variables.get(_PREDICTOR_PORT, "")
    return int(port) if port.isdecimal() and "HUNE_PREDICTOR_HOST" in variables else None


def build_explainer_volumes(revision: Revision) -> list[dict[str, Any]]:
    """Return what the explainer beside a predictor writes to."""
    return [] if revision.sidecar is None else [_scratch()]


def _build_container(
    revision: Revision,
    explainer: Explainer,
    stamp: Stamp,
    artefacts: Artefacts,
    more: Mapping[str, str],
) -> dict[str, Any]:
    variables = {
        "HUNE_EXPLAINER_DIRECTORY": explainer_path(explainer),
        "HUNE_EXPLAINER_DIGEST": explainer.digest,
        "HUNE_EXPLAINER_METHOD": explainer.method.value,
        _PREDICTOR_PORT: str(revision.predictor_port),
        "HUNE_PREDICTOR_PROTOCOL": revision.protocol.value,
        "HUNE_DRAIN_SECONDS": str(stamp.drain_seconds + _MARGIN_SECONDS),
        **more,
    }
    return {
        "image": stamp.explainer_image,
        "imagePullPolicy": stamp.pull_policy,
        "env": [
            *({"name": name, "value": value} for name, value in variables.items()),
            MEMORY,
        ],
        # While a large forest is tabulated, or alibi is imported, it may not answer at once.
        "livenessProbe": _probe(delay=30, period=10, failures=6),
        "resources": dict(stamp.explainer_resources),
        "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
        "volumeMounts": [
            *artefacts.explainer_mounts,
            {"name": _SCRATCH, "mountPath": "/tmp"},  # noqa: S108 a volume of its own
        ],
    }


def _probe(*, delay: int, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/hune/live", "port": names.EXPLAINER_PORT, "scheme": "HTTP"},
        # Of 0 the API server keeps nothing, and it would be applied for ever.
        **({"initialDelaySeconds": delay} if delay else {}),
        "periodSeconds": period,
        "timeoutSeconds": 10,
        "failureThreshold": failures,
        "successThreshold": 1,
    }


def _scratch() -> dict[str, Any]:
    """Return a volume to write to: libraries cache what they compile."""
    return {"name": _SCRATCH, "emptyDir": {"sizeLimit": "256Mi"}}
