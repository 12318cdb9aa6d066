"""How a revision's artefacts get into its pod: the model's, and what the guard loads beside it.

What lies elsewhere is downloaded by KServe's initializer, which is ours by name. A claim is
mounted; the model's is checked by an init container of ours, since KServe gives it no initializer.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from hune.contract import names
from hune.controlplane.api.guard import Detector
from hune.controlplane.plan.build.guard import RESTRICTED
from hune.controlplane.plan.build.stamp import Stamp
from hune.controlplane.plan.revision import Revision

_CLAIM = "pvc://"
# KServe's own name for a claim's volume, which it adds unless it is there: kubelet never mounts a
# claim that two volumes of one pod name.
_MODEL_VOLUME = "kserve-pvc-source"
_DETECTOR_VOLUME = "hune-outliers"
_DETECTOR_CLAIM = f"{names.ARTEFACT_DIRECTORY}/claim"
_OUTLIERS = f"{names.ARTEFACT_DIRECTORY}/outliers"


@dataclass(frozen=True, slots=True)
class Artefacts:
    """What a revision's artefacts add to its InferenceService.

    Attributes:
        model_uri: What the predictor asks KServe for; None when `predictor` asks for all.
        predictor: Fields of `spec.predictor`.
        model_mounts: Volume mounts of the predictor's container.
        guard_mounts: Volume mounts of the guard.
        volumes: Volumes of the pod.
        init_containers: Containers that run before KServe's initializer.
    """

    model_uri: str | None = None
    predictor: dict[str, Any] = field(default_factory=dict)
    model_mounts: list[dict[str, Any]] = field(default_factory=list)
    guard_mounts: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    init_containers: list[dict[str, Any]] = field(default_factory=list)


def build_artefacts(revision: Revision, stamp: Stamp) -> Artefacts:
    """Return what the artefacts of a revision ask for."""
    model = revision.source.uri if revision.source else ""
    detector = revision.outliers.uri if revision.outliers else ""
    remote = {names.MODEL_DIRECTORY: model, _OUTLIERS: detector}
    downloads = [(uri, path) for path, uri in remote.items() if uri and not _is_claim(uri)]
    several = bool(detector) and not _is_claim(detector)
    artefacts = Artefacts(
        model_uri=None if several or not model else _kserve_uri(model),
        predictor=_downloads(downloads, stamp, several=several),
    )
    if _is_claim(model):
        _mount_model(artefacts, model, stamp, ourselves=several)
    if _is_claim(detector):
        _mount_detector(artefacts, detector, model)
    return artefacts


def detector_path(detector: Detector) -> str:
    """Return where the guard finds a detector's artefact."""
    if not _is_claim(detector.uri):
        return _OUTLIERS
    return f"{_DETECTOR_CLAIM}/{_split(detector.uri)[1]}".rstrip("/")


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
            {"uri": _kserve_uri(uri), "mountPath": path} for uri, path in downloads
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


def _mount_detector(artefacts: Artefacts, uri: str, model: str) -> None:
    """Mount a claim for the guard, whole: a path that is not there must not stop the pod."""
    claim, _ = _split(uri)
    volume = _MODEL_VOLUME if _is_claim(model) and _split(model)[0] == claim else _DETECTOR_VOLUME
    if volume == _DETECTOR_VOLUME:
        artefacts.volumes.append(_claim_volume(volume, claim))
    artefacts.guard_mounts.append({"name": volume, "mountPath": _DETECTOR_CLAIM, "readOnly": True})


def _verification(uri: str, path: str, stamp: Stamp) -> dict[str, Any]:
    digests = f"metadata.annotations['{names.ANNOTATION_DIGESTS}']"
    return {
        "name": "hune-verify",
        "image": stamp.storage_image,
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


def _is_claim(uri: str) -> bool:
    return uri.startswith(_CLAIM)


def _split(uri: str) -> tuple[str, str]:
    """Return a claim's name and the path in it."""
    claim, _, path = uri.removeprefix(_CLAIM).partition("/")
    return claim, path


def _kserve_uri(uri: str) -> str:
    """Return a uri as KServe gets it: claims are its own to mount, the rest our initializer's."""
    return uri if _is_claim(uri) else names.STORAGE_PREFIX + uri
