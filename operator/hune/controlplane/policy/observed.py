"""What a reconcile looked at: a plain snapshot, gathered before planning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hune.contract import names
from hune.contract.state import DetectorFault

Document = Mapping[str, Any]
INFERENCE_SERVICE = "InferenceService"
CONFIG_MAP = "ConfigMap"
NETWORK_POLICY = "NetworkPolicy"
SERVICE = "Service"
HTTP_ROUTE = "HTTPRoute"
PROMETHEUS_RULE = "PrometheusRule"
POD_MONITOR = "PodMonitor"


@dataclass(frozen=True, slots=True)
class Observed:
    """The cluster as seen for one ModelDeployment.

    Attributes:
        children: Owned objects by (kind, name).
        pods: Pods of its revisions.
        model_version: The ModelVersion that the spec refers to or stands for, if it exists.
        version_numbers: Numbers of the ModelVersions of the same model, for the next one.
        deployment_messages: By revision, why its Deployment could make no pod, if it could not.
        detector_faults: By revision, the detectors that its guards say cannot judge, and the
            explainer where it cannot explain.
        detections: By detector, the rows that its guards flagged within the last minutes.
        kserve_installed: Whether the cluster knows the InferenceService kind.
        monitoring_installed: Whether it knows the Prometheus operator's kinds.
    """

    children: Mapping[tuple[str, str], Document] = field(default_factory=dict)
    pods: Sequence[Document] = ()
    model_version: Document | None = None
    version_numbers: Sequence[int] = ()
    deployment_messages: Mapping[str, str] = field(default_factory=dict)
    detector_faults: Mapping[str, Sequence[DetectorFault]] = field(default_factory=dict)
    detections: Mapping[str, int] = field(default_factory=dict)
    kserve_installed: bool = True
    monitoring_installed: bool = True

    def revisions(self) -> list[str]:
        """Return the names of the revisions that exist, sorted."""
        return sorted(name for kind, name in self.children if kind == INFERENCE_SERVICE)

    def inference_service(self, revision: str) -> Document | None:
        """Return a revision's InferenceService."""
        return self.children.get((INFERENCE_SERVICE, revision))

    def config_map(self, revision: str) -> Document | None:
        """Return the ConfigMap of a revision's guard."""
        return self.children.get((CONFIG_MAP, f"{revision}-guard"))

    def routed_revision(self, deployment: str) -> str | None:
        """Return the revision that the stable Service points at, when it still exists."""
        service = self.children.get((SERVICE, deployment), {})
        revision = service.get("spec", {}).get("selector", {}).get(names.LABEL_REVISION)
        return revision if self.inference_service(revision or "") else None

    def pods_of(self, revision: str) -> list[Document]:
        """Return the pods of one revision that are not on their way out."""
        return [
            pod
            for pod in self.pods
            if pod["metadata"].get("labels", {}).get(names.LABEL_REVISION) == revision
            and "deletionTimestamp" not in pod["metadata"]
        ]


def is_explainer(pod: Document) -> bool:
    """Tell whether a pod is that of an explainer of its own."""
    revision: str = pod["metadata"].get("labels", {}).get(names.LABEL_REVISION, "")
    return revision.endswith(names.EXPLAINER_SUFFIX)


def guard_status(pod: Document) -> Document:
    """Return the status of the container that guards: in profile Lite it is the predictor's.

    KServe calls a pod's only container alike in every pod; an explainer's does not guard.
    """
    if is_explainer(pod):
        return {}
    statuses = {s["name"]: s for s in pod.get("status", {}).get("containerStatuses", [])}
    known: Document = statuses.get(names.GUARD_CONTAINER, {})
    return known or (statuses.get(names.PREDICTOR_CONTAINER, {}) if len(statuses) == 1 else {})
