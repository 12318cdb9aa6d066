"""Planning of a ModelVersion: who uses it, and with which images."""

from collections.abc import Iterable, Sequence

from hune.controlplane.api.modelversion import ModelVersionStatus
from hune.controlplane.plan.plan import Plan
from hune.controlplane.policy.observed import Document

_MOST_IMAGES = 64
_MOST_USERS = 128


def plan_model_version(document: Document, users: Sequence[str], pods: Iterable[Document]) -> Plan:
    """Plan one ModelVersion; it has no children.

    Args:
        document: The ModelVersion.
        users: Names of the ModelDeployments that have a revision of it.
        pods: The pods of those revisions.
    """
    former = document.get("status", {})
    known: list[str] = list(former.get("imageDigests", []))
    fresh = sorted({digest for pod in pods for digest in _image_digests(pod)} - set(known))
    return Plan(
        status=ModelVersionStatus(
            observed_generation=document["metadata"].get("generation", 0),
            used_by=sorted(users)[:_MOST_USERS],
            image_digests=[*known, *fresh][-_MOST_IMAGES:],
        )
    )


def _image_digests(pod: Document) -> Iterable[str]:
    for status in pod.get("status", {}).get("containerStatuses", []):
        image: str = status.get("imageID", "")
        if "sha256:" in image and status.get("ready"):
            yield image
