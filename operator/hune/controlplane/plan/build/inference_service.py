"""The InferenceService of a revision."""

from collections.abc import Mapping
from typing import Any

from hune.contract import names
from hune.controlplane.api.serving import Autoscaling, CustomContainer, Replicas
from hune.controlplane.plan.build.artefacts import (
    Artefacts,
    build_artefacts,
    digests_annotation,
)
from hune.controlplane.plan.build.guard import RESTRICTED, build_guard, build_guard_volumes
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.build.stamp import STAMP, Stamp
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.revision import Revision
from hune.controlplane.plan.runtime import (
    loading_environment,
    runtime_arguments,
    runtime_environment,
)
from hune.controlplane.policy.observed import Document

API_VERSION = "serving.kserve.io/v1beta1"
_ANNOTATION = "serving.kserve.io/"
_AUTOSCALER_CLASS = f"{_ANNOTATION}autoscalerClass"
# Time for kube-proxy to forget a pod, on top of the guard's own drain.
_PREDICTOR_MARGIN_SECONDS = 5
# The guard's limit for one prediction, and a little more: the last one taken may need all of it.
_LAST_REQUEST_SECONDS = 65


def build_inference_service(
    owner: Owner,
    revision: Revision,
    scale: Mapping[str, Any],
    stamp: Stamp,
) -> dict[str, Any]:
    """Return the InferenceService of a revision, in the form KServe's defaulter leaves alone."""
    name = revision.name(owner.name)
    metadata = build_metadata(owner, name, name)
    metadata["labels"]["networking.kserve.io/visibility"] = "cluster-local"
    metadata["annotations"] = _annotations(revision, scale, stamp)
    artefacts = build_artefacts(revision, stamp)
    predictor = (
        dict(scale)
        | _pod(revision, name, stamp, artefacts)
        | _placement(revision)
        | _containers(owner, revision, stamp, artefacts)
        | artefacts.predictor
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": predictor},
    }


def build_scale(replicas: Replicas, autoscaling: Autoscaling | None) -> dict[str, Any]:
    """Return the fields that scale a revision in place."""
    if autoscaling is None:
        return {"minReplicas": replicas.min, "maxReplicas": replicas.min}
    return {
        "minReplicas": replicas.min,
        "maxReplicas": max(replicas.min, replicas.max or replicas.min),
        "scaleMetric": autoscaling.metric.value.lower(),
        "scaleTarget": autoscaling.target_utilization_percentage,
    }


def rescale_inference_service(
    owner: Owner, inference_service: Document, scale: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an existing revision as it is, scaled as asked; for one the spec moved away from."""
    metadata = inference_service["metadata"]
    fresh = build_metadata(owner, metadata["name"], metadata["name"])
    predictor = {
        key: value
        for key, value in inference_service["spec"]["predictor"].items()
        if key not in {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": fresh
        | {
            "labels": dict(metadata.get("labels", {})),
            "annotations": dict(metadata.get("annotations", {})),
        },
        "spec": {"predictor": predictor | dict(scale)},
    }


def _annotations(revision: Revision, scale: Mapping[str, Any], stamp: Stamp) -> dict[str, str]:
    annotations = {
        f"{_ANNOTATION}deploymentMode": "Standard",
        _AUTOSCALER_CLASS: "hpa" if "scaleMetric" in scale else "none",
        STAMP: stamp.text(),
    } | digests_annotation(revision)
    if revision.source is not None and revision.source.secret_ref is not None:
        # KServe's manifests and its chart configure different keys for the same thing.
        for key in ("storageSecretName", "secretName"):
            annotations[f"{_ANNOTATION}{key}"] = revision.source.secret_ref.name
    return annotations


def _pod(revision: Revision, name: str, stamp: Stamp, artefacts: Artefacts) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": stamp.drain_seconds + _LAST_REQUEST_SECONDS,
        "volumes": [*build_guard_volumes(name), *artefacts.volumes],
    }
    if revision.service_account_name is not None:
        pod["serviceAccountName"] = revision.service_account_name
    if artefacts.init_containers:
        pod["initContainers"] = artefacts.init_containers
    return pod


def _placement(revision: Revision) -> dict[str, Any]:
    placement = revision.placement
    result: dict[str, Any] = {}
    if placement.node_selector:
        result["nodeSelector"] = dict(placement.node_selector)
    if placement.tolerations:
        result["tolerations"] = [toleration.document() for toleration in placement.tolerations]
    if placement.architectures:
        result["affinity"] = {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {
                                    "key": "kubernetes.io/arch",
                                    "operator": "In",
                                    "values": list(placement.architectures),
                                }
                            ]
                        }
                    ]
                }
            }
        }
    return result


def _containers(
    owner: Owner, revision: Revision, stamp: Stamp, artefacts: Artefacts
) -> dict[str, Any]:
    guard = build_guard(
        stamp.guard_image, stamp.pull_policy, stamp.drain_seconds, stamp.guard_resources
    )
    guard["volumeMounts"] += artefacts.guard_mounts
    basics = _predictor_basics(owner, revision, stamp)
    if artefacts.model_mounts:
        basics["volumeMounts"] = artefacts.model_mounts
    if revision.container is not None:
        custom = _custom_container(revision.container, basics, artefacts)
        return {"containers": [custom, guard]}
    return {"containers": [guard], "model": _model(owner, revision, basics, artefacts)}


def _model(
    owner: Owner, revision: Revision, basics: dict[str, Any], artefacts: Artefacts
) -> dict[str, Any]:
    source = revision.source
    if source is None:
        raise ValueError("a revision has a source or a container")
    model = {
        "modelFormat": {"name": source.format},
        "protocolVersion": revision.protocol.value.lower(),
    } | basics
    if artefacts.model_uri is None:
        model["env"] = [*model["env"], *loading_environment(revision.runtime)]
    else:
        model["storageUri"] = artefacts.model_uri
    # KServe's Container schema requires a name and its defaulter fills this one in.
    model["name"] = ""
    if revision.runtime is not None:
        model["runtime"] = revision.runtime
    arguments = runtime_arguments(revision.runtime, owner.name)
    if arguments:
        model["args"] = arguments
    return model


def _custom_container(
    container: CustomContainer, basics: dict[str, Any], artefacts: Artefacts
) -> dict[str, Any]:
    result = {
        "name": names.PREDICTOR_CONTAINER,
        "image": container.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "user", "containerPort": container.port, "protocol": "TCP"}],
    } | basics
    if container.command:
        result["command"] = list(container.command)
    if container.args:
        result["args"] = list(container.args)
    if artefacts.model_uri is not None:
        # KServe mounts the artefact at /mnt/models for a custom container that asks so.
        asked = {"name": "STORAGE_URI", "value": artefacts.model_uri}
        result["env"] = [*result["env"], asked]
    return result


def _predictor_basics(owner: Owner, revision: Revision, stamp: Stamp) -> dict[str, Any]:
    own = [variable.document() for variable in revision.env]
    overridden = {variable["name"] for variable in own}
    given = [
        variable
        for variable in runtime_environment(revision.runtime, owner.name)
        if variable["name"] not in overridden
    ]
    resources = revision.resources.document() if revision.resources else stamp.predictor_resources
    return {
        "resources": dict(resources),
        "env": [*given, *own],
        "securityContext": RESTRICTED,
        # The predictor outlives the guard's drain: a request in the guard still finds it.
        "lifecycle": {
            "preStop": {"sleep": {"seconds": stamp.drain_seconds + _PREDICTOR_MARGIN_SECONDS}}
        },
    }
