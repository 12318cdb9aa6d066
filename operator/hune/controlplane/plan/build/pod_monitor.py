"""The PodMonitor that has Prometheus scrape a deployment's guards."""

import re
from collections.abc import Mapping
from typing import Any

from hune.contract import names
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner

METRICS_PATH = "/metrics"
_LABELS = {"deployment": names.LABEL_DEPLOYMENT, "revision": names.LABEL_REVISION}


def build_pod_monitor(owner: Owner, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the monitor; retiring revisions are scraped too.

    Args:
        owner: The ModelDeployment.
        labels: The platform's labels, by which its Prometheus chooses monitors.
    """
    metadata = build_metadata(owner, owner.name)
    metadata["labels"] = {**labels, **metadata["labels"]}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": {names.LABEL_DEPLOYMENT: owner.name}},
            "podMetricsEndpoints": [
                {
                    "port": names.GUARD_PORT_NAME,
                    "path": METRICS_PATH,
                    "relabelings": build_relabelings(),
                }
            ],
        },
    }


def build_relabelings() -> list[dict[str, Any]]:
    """Return how a pod's labels become those by which the queries know its guard."""
    labels = [
        {"action": "replace", "sourceLabels": [pod_label(label)], "targetLabel": name}
        for name, label in _LABELS.items()
    ]
    # A runtime's own container may call its port by the same name, but none may take the guard's.
    guards = {
        "action": "keep",
        "sourceLabels": ["__meta_kubernetes_pod_container_port_number"],
        "regex": str(names.GUARD_PORT),
    }
    # The port's name, which the Prometheus operator adds under a name that the guard itself uses.
    return [guards, *labels, {"action": "labeldrop", "regex": "endpoint"}]


def pod_label(label: str) -> str:
    """Return what Prometheus' service discovery calls a label of a pod."""
    return "__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", label)
