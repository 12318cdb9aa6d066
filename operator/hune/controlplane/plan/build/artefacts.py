"""How a revision's artefacts get into its pod: the model's, and what the guard loads beside it.

What lies elsewhere is downloaded by KServe's initializer, which is ours by name. A claim is
mounted; the model's is checked by an init container of ours, since KServe gives it no initializer.
"""

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hune.contract import names
from hune.controlplane.api.explainer import Explainer
from hune.controlplane.api.guard import Detector
from hune.controlplane.plan.build.guard import RESTRICTED
from hune.controlplane.plan.build.stamp import Stamp
from hune.controlplane.plan.revision import Revision

_CLAIM = "pvc://"
# KServe's own name for a claim's volume, which it adds unless it is there: kubelet never mounts a
# claim that two volumes of one pod name.
_MODEL_VOLUME = "kserve-pvc-source"
# Not below what KServe may mount read-only at the same time: no folder could be made in that.
_CLAIMS = "/srv/hune/claims"
_EXPLAINER_VOLUME = "hune-explainer"
# Named, for the Lite image is the initializer's and serves when it is told nothing.
_INITIALIZER = ("/opt/hune/bin/python", "-m", "hune.dataplane.storage")


@dataclass(frozen=True, slots=True)
class Artefacts:
    """What a revision's artefacts add to its InferenceService.

    Attributes:
        model_uri: What the predictor asks KServe for; None when `predictor` asks for all.
        predictor: Fields of `spec.predictor`, or of `spec.explainer`.
        model_mounts: Volume mounts of the predictor's container.
        guard_mounts: Volume mounts of the guard.
        explainer_mounts: Volume mounts of the explainer.
        volumes: Volumes of the pod.
        init_containers: Containers that run before KServe's initializer.
    """

    model_uri: str | None = None
    predictor: dict[str, Any] = field(default_factory=dict)
    model_mounts: list[dict[str, Any]] = field(default_factory=list)
    guard_mounts: list[dict[str, Any]] = field(default_factory=list)
    explainer_mounts: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    init_containers: list[dict[str, Any]] = field(default_factory=list)


def build_artefacts(revision: Revision, stamp: Stamp) -> Artefacts:
    """Return what the artefacts of a revision ask for."""
    model = revision.source.uri if revision.source else ""
    explainer = revision.sidecar.uri if revision.sidecar else ""
    beside = {_downloaded(part): found.uri for part, found in revision.detectors.items()}
    beside[names.EXPLAINER_DIRECTORY] = explainer
    remote = {names.MODEL_DIRECTORY: model, **beside}
    downloads = [(uri, path) for path, uri in remote.items() if uri and not _is_claim(uri)]
    several = any(uri and not _is_claim(uri) for uri in beside.values())
    artefacts = Artefacts(
        model_uri=None if several or not model else _kserve_uri(model, stamp),
        predictor=_downloads(downloads, stamp, several=several),
    )
    if _is_claim(model):
        _mount_model(artefacts, model, stamp, ourselves=several)
    _mount_detectors(artefacts, revision.detectors, model)
    if _is_claim(explainer):
        _mount_explainer_claim(artefacts, explainer)
    elif explainer:
        _share_downloads(artefacts, [path for _, path in downloads])
    return artefacts


def build_explainer_artefacts(explainer: Explainer, stamp: Stamp) -> Artefacts:
    """Return what an explainer in a pod of its own asks for: its artefact, and nothing else.

    KServe mounts a download into it as into every container that it calls by its own name. It finds
    Hune's initializer by the scheme: a storage container is named for predictors only.
    """
    if _is_claim(explainer.uri):
        artefacts = Artefacts()
        _mount_explainer_claim(artefacts, explainer.uri)
        return artefacts
    download = {"uri": _kserve_uri(explainer.uri, stamp), "mountPath": names.EXPLAINER_DIRECTORY}
    return Artefacts(predictor={"storageUris": [download]})


def detector_path(part: str, detector: Detector) -> str:
    """Return where the guard finds the artefact of the detector that plays a part."""
    return _mounted(detector.uri) if _is_claim(detector.uri) else _downloaded(part)


def explainer_path(explainer: Explainer) -> str:
    """Return where the explainer finds its artefact."""
    return _mounted(explainer.uri) if _is_claim(explainer.uri) else names.EXPLAINER_DIRECTORY


def digests_annotation(revision: Revision) -> dict[str, str]:
    """Return what tells the initializer which digest the model must have.

    A detector's is checked by the guard that loads it.
    """
    if revision.source is None:
        return {}
    digests = {revision.source.uri: revision.source.digest}
    return {names.ANNOTATION_DIGESTS: json.dumps(digests)}


def _downloads(downloads: list[tuple[str, str]], stamp: Stamp, *, several: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if downloads:
        fields["storageContainerName"] = stamp.storage_container
    if several:
        fields["storageUris"] = [
            {"uri": _kserve_uri(uri, stamp), "mountPath": path} for uri, path in downloads
        ]
    return fields


def _mount_model(artefacts: Artefacts, uri: str, stamp: Stamp, *, ourselves: bool) -> None:
    """Mount a claim for the predictor, which KServe does unless it has several artefacts to get."""
    claim, path = _split(uri)
    artefacts.volumes.append(_claim_volume(_MODEL_VOLUME, claim))
    artefacts.init_containers.append(_verification(uri, path, stamp))
    if ourselves:
        mount = {"name": _MODEL_VOLUME, "mountPath": names.MODEL_DIRECTORY, "readOnly": True}
        artefacts.model_mounts.append(mount | ({"subPath": path} if path else {}))


def _mount_detectors(artefacts: Artefacts, detectors: Mapping[str, Detector], model: str) -> None:
    """Mount claims for the guard, each once and whole: a missing path must not stop the pod."""
    volumes = {_split(model)[0]: _MODEL_VOLUME} if _is_claim(model) else {}
    mounted = set()
    for part, detector in detectors.items():
        claim, _ = _split(detector.uri)
        if not _is_claim(detector.uri) or claim in mounted:
            continue
        if claim not in volumes:
            volumes[claim] = f"hune-{part}"
            artefacts.volumes.append(_claim_volume(volumes[claim], claim))
        mount = {"name": volumes[claim], "mountPath": f"{_CLAIMS}/{claim}", "readOnly": True}
        artefacts.guard_mounts.append(mount)
        mounted.add(claim)


def _mount_explainer_claim(artefacts: Artefacts, uri: str) -> None:
    """Mount a claim for the explainer, whole, as for a detector."""
    claim, _ = _split(uri)
    known = {
        volume["persistentVolumeClaim"]["claimName"]: volume["name"] for volume in artefacts.volumes
    }
    if claim not in known:
        artefacts.volumes.append(_claim_volume(_EXPLAINER_VOLUME, claim))
    mount = {"name": known.get(claim, _EXPLAINER_VOLUME), "mountPath": f"{_CLAIMS}/{claim}"}
    artefacts.explainer_mounts.append(mount | {"readOnly": True})


def _share_downloads(artefacts: Artefacts, paths: Sequence[str]) -> None:
    """Mount for the explainer what KServe downloads.

    KServe mounts it for predictor and guard only. It takes the volume that is there by the name
    that it would give: of the paths' common parent, with dashes.
    """
    parent = posixpath.commonpath(paths)
    name = parent.strip("/").replace("/", "-")
    artefacts.volumes.append({"name": name, "emptyDir": {}})
    artefacts.explainer_mounts.append({"name": name, "mountPath": parent, "readOnly": True})


def _verification(uri: str, path: str, stamp: Stamp) -> dict[str, Any]:
    digests = f"metadata.annotations['{names.ANNOTATION_DIGESTS}']"
    return {
        "name": "hune-verify",
        "image": stamp.storage_image,
        "command": list(_INITIALIZER),
        "imagePullPolicy": stamp.pull_policy,
        "args": ["verify", uri, f"/mnt/claim/{path}".rstrip("/")],
        "env": [
            {
                "name": names.VARIABLE_DIGESTS,
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": digests}},
            }
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": _MODEL_VOLUME, "mountPath": "/mnt/claim", "readOnly": True}],
    }


def _claim_volume(name: str, claim: str) -> dict[str, Any]:
    return {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}


def _downloaded(part: str) -> str:
    return f"{names.ARTEFACT_DIRECTORY}/{part}"


def _mounted(uri: str) -> str:
    claim, path = _split(uri)
    return f"{_CLAIMS}/{claim}/{path}".rstrip("/")


def _is_claim(uri: str) -> bool:
    return uri.startswith(_CLAIM)


def _split(uri: str) -> tuple[str, str]:
    """Return a claim's name and the path in it."""
    claim, _, path = uri.removeprefix(_CLAIM).partition("/")
    return claim, path


def _kserve_uri(uri: str, stamp: Stamp) -> str:
    """Return a uri as KServe gets it: claims are its own to mount, the rest our initializer's.

    An object that names no storage container gets any that knows its scheme. Each of ours has one
    of its own, its name, so that none stands in for another and nobody else gets ours.
    """
    return uri if _is_claim(uri) else f"{stamp.storage_container}+{uri}"
