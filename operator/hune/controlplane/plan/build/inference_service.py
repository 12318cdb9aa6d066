"""The InferenceService of a revision."""

from collections.abc import Mapping
from typing import Any

from hune.contract import names
from hune.controlplane.api.placement import Profile
from hune.controlplane.api.serving import Autoscaling, CustomContainer, Replicas
from hune.controlplane.plan.build.artefacts import (
    Artefacts,
    build_artefacts,
    digests_annotation,
)
from hune.controlplane.plan.build.explainer import (
    asks_model,
    build_explainer,
    build_explainer_volumes,
    build_standalone,
)
from hune.controlplane.plan.build.guard import (
    RESTRICTED,
    build_guard,
    build_guard_volumes,
    build_lite,
)
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.build.pod import build_placement, build_pod
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
        | build_placement(revision)
        | _containers(owner, revision, stamp, artefacts)
        | artefacts.predictor
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": predictor} | _standalone(revision, name, stamp),
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
    spec = inference_service["spec"]
    metadata = inference_service["metadata"]
    fresh = build_metadata(owner, metadata["name"], metadata["name"])
    explainer = {key: spec[key] for key in ("explainer",) if key in spec}
    predictor = {
        key: value
        for key, value in spec["predictor"].items()
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
        "spec": {"predictor": predictor | dict(scale)} | explainer,
    }


def _annotations(revision: Revision, scale: Mapping[str, Any], stamp: Stamp) -> dict[str, str]:
    annotations = {
        f"{_ANNOTATION}deploymentMode": "Standard",
        _AUTOSCALER_CLASS: "hpa" if "scaleMetric" in scale else "none",
        STAMP: stamp.text(explainer=revision.explainer is not None),
    } | digests_annotation(revision)
    if revision.source is not None and revision.source.secret_ref is not None:
        # KServe's manifests and its chart configure different keys for the same thing.
        for key in ("storageSecretName", "secretName"):
            annotations[f"{_ANNOTATION}{key}"] = revision.source.secret_ref.name
    return annotations


def _pod(revision: Revision, name: str, stamp: Stamp, artefacts: Artefacts) -> dict[str, Any]:
    pod = build_pod(revision, stamp)
    pod["volumes"] = [
        *build_guard_volumes(name),
        *artefacts.volumes,
        *build_explainer_volumes(revision),
    ]
    if artefacts.init_containers:
        pod["initContainers"] = artefacts.init_containers
    return pod


def _containers(
    owner: Owner, revision: Revision, stamp: Stamp, artefacts: Artefacts
) -> dict[str, Any]:
    if revision.placement.profile is Profile.LITE:
        return {"containers": [_lite(revision, stamp, artefacts)]}
    guard = build_guard(
        stamp.guard_image, stamp.pull_policy, stamp.drain_seconds, stamp.guard_resources
    )
    guard["ports"] += _asked_port(revision)
    guard["volumeMounts"] += artefacts.guard_mounts
    explainer = build_explainer(revision, stamp, artefacts)
    basics = _predictor_basics(owner, revision, stamp)
    if artefacts.model_mounts:
        basics["volumeMounts"] = artefacts.model_mounts
    if revision.container is not None:
        custom = _custom_container(revision.container, basics, artefacts)
        return {"containers": [custom, guard, *explainer]}
    return {"containers": [guard, *explainer], "model": _model(owner, revision, basics, artefacts)}


def _standalone(revision: Revision, name: str, stamp: Stamp) -> dict[str, Any]:
    if revision.standalone is None:
        return {}
    return {"explainer": build_standalone(revision, revision.standalone, name, stamp)}


def _asked_port(revision: Revision) -> list[dict[str, Any]]:
    """Return what has KServe's Service of the predictor lead past the guard, for an explainer.

    That Service has a port for each that the guard's container names. The pod's NetworkPolicy lets
    nobody but the explainer's pod through.
    """
    if revision.standalone is None or not asks_model(revision.standalone):
        return []
    port = revision.predictor_port
    return [{"name": names.PREDICTOR_PORT_NAME, "containerPort": port, "protocol": "TCP"}]


def _lite(revision: Revision, stamp: Stamp, artefacts: Artefacts) -> dict[str, Any]:
    own = [variable.document() for variable in revision.env]
    resources = revision.resources.document() if revision.resources else stamp.guard_resources
    container = build_lite(
        stamp.guard_image,
        stamp.pull_policy,
        stamp.drain_seconds,
        resources,
        [*own, *_asked_artefact(artefacts)],
    )
    container["volumeMounts"] += [*artefacts.model_mounts, *artefacts.guard_mounts]
    return container


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
    result["env"] = [*result["env"], *_asked_artefact(artefacts)]
    return result


def _asked_artefact(artefacts: Artefacts) -> list[dict[str, Any]]:
    """Return what has KServe mount the model at /mnt/models of a container that is not its own."""
    if artefacts.model_uri is None:
        return []
    return [{"name": "STORAGE_URI", "value": artefacts.model_uri}]


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
