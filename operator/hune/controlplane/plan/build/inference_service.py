"""The InferenceService of a revision."""

import json
from collections.abc import Mapping
from typing import Any

from hune.contract import names
from hune.controlplane.api.serving import Autoscaling, CustomContainer, Replicas
from hune.controlplane.plan.build.guard import RESTRICTED, build_guard, build_guard_volumes
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.build.stamp import STAMP, Stamp
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.revision import Revision
from hune.controlplane.plan.runtime import runtime_arguments, runtime_environment
from hune.controlplane.policy.observed import Document

API_VERSION = "serving.kserve.io/v1beta1"
_ANNOTATION = "serving.kserve.io/"
_AUTOSCALER_CLASS = f"{_ANNOTATION}autoscalerClass"
# KServe's own name for a claim's volume, which it adds unless it is there: kubelet never mounts a
# claim that two volumes of one pod name.
_CLAIM_VOLUME = "kserve-pvc-source"
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
    predictor = (
        dict(scale)
        | _pod(revision, name, stamp)
        | _placement(revision)
        | _containers(owner, revision, stamp)
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
    }
    if revision.source is None:
        return annotations
    annotations[names.ANNOTATION_DIGESTS] = json.dumps(
        {revision.source.uri: revision.source.digest}
    )
    if revision.source.secret_ref is not None:
        # KServe's manifests and its chart configure different keys for the same thing.
        for key in ("storageSecretName", "secretName"):
            annotations[f"{_ANNOTATION}{key}"] = revision.source.secret_ref.name
    return annotations


def _pod(revision: Revision, name: str, stamp: Stamp) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": stamp.drain_seconds + _LAST_REQUEST_SECONDS,
        "volumes": build_guard_volumes(name),
    }
    if revision.service_account_name is not None:
        pod["serviceAccountName"] = revision.service_account_name
    if revision.source is not None and revision.source.uri.startswith("pvc://"):
        _verify_claim(pod, revision.source.uri, stamp)
    return pod


def _verify_claim(pod: dict[str, Any], uri: str, stamp: Stamp) -> None:
    """Check a claim's digest ourselves: KServe gives a pvc:// source no initializer."""
    claim, _, path = uri.removeprefix("pvc://").partition("/")
    mount = {"name": _CLAIM_VOLUME, "mountPath": "/mnt/claim", "readOnly": True}
    pod["volumes"].append(
        {
            "name": _CLAIM_VOLUME,
            "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
        }
    )
    pod["initContainers"] = [
        {
            "name": "hune-verify",
            "image": stamp.storage_image,
            "imagePullPolicy": stamp.pull_policy,
            "args": ["verify", uri, f"/mnt/claim/{path}".rstrip("/")],
            "env": [_digests_variable()],
            "resources": {
                "requests": {"cpu": "50m", "memory": "64Mi"},
                "limits": {"cpu": "1", "memory": "256Mi"},
            },
            "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
            "volumeMounts": [mount],
        }
    ]


def _digests_variable() -> dict[str, Any]:
    path = f"metadata.annotations['{names.ANNOTATION_DIGESTS}']"
    return {
        "name": "HUNE_DIGESTS",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}},
    }


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


def _containers(owner: Owner, revision: Revision, stamp: Stamp) -> dict[str, Any]:
    guard = build_guard(
        stamp.guard_image, stamp.pull_policy, stamp.drain_seconds, stamp.guard_resources
    )
    if revision.container is not None:
        custom = _custom_container(owner, revision, revision.container, stamp)
        return {"containers": [custom, guard]} | _storage(revision, stamp)
    return {
        "containers": [guard],
        "model": _model(owner, revision, stamp),
    } | _storage(revision, stamp)


def _storage(revision: Revision, stamp: Stamp) -> dict[str, Any]:
    if revision.source is None or revision.source.uri.startswith("pvc://"):
        return {}
    return {"storageContainerName": stamp.storage_container}


def _model(owner: Owner, revision: Revision, stamp: Stamp) -> dict[str, Any]:
    source = revision.source
    if source is None:
        raise ValueError("a revision has a source or a container")
    model = {
        "modelFormat": {"name": source.format},
        "protocolVersion": revision.protocol.value.lower(),
        "storageUri": _storage_uri(source.uri),
    } | _predictor_basics(owner, revision, stamp)
    # KServe's Container schema requires a name and its defaulter fills this one in.
    model["name"] = ""
    if revision.runtime is not None:
        model["runtime"] = revision.runtime
    arguments = runtime_arguments(revision.runtime, owner.name)
    if arguments:
        model["args"] = arguments
    return model


def _custom_container(
    owner: Owner, revision: Revision, container: CustomContainer, stamp: Stamp
) -> dict[str, Any]:
    result = {
        "name": names.PREDICTOR_CONTAINER,
        "image": container.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "user", "containerPort": container.port, "protocol": "TCP"}],
    } | _predictor_basics(owner, revision, stamp)
    if container.command:
        result["command"] = list(container.command)
    if container.args:
        result["args"] = list(container.args)
    if revision.source is not None:
        # KServe mounts the artefact at /mnt/models for a custom container that asks so.
        asked = {"name": "STORAGE_URI", "value": _storage_uri(revision.source.uri)}
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


def _storage_uri(uri: str) -> str:
    """Return a uri as KServe gets it: claims are its own to mount, the rest our initializer's."""
    return uri if uri.startswith("pvc://") else names.STORAGE_PREFIX + uri
