"""Write manifests/monitoring: what a Prometheus without its operator needs, and the dashboard."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hune.cli.output import to_yaml
from hune.contract import names
from hune.controlplane.plan.build.alert import (
    Subject,
    build_absence_alert,
    build_attack_alert,
    build_detector_alerts,
)
from hune.controlplane.plan.build.pod_monitor import METRICS_PATH, build_relabelings, pod_label
from tests.support.dashboard import build_dashboard

JOB = "hune-guards"
_ANY = Subject("", "{{ $labels.namespace }}/{{ $labels.deployment }}")


def generate(root: Path) -> None:
    """Write the generated files below a root that holds manifests/."""
    folder = root / "manifests/monitoring"
    (folder / "dashboard.json").write_text(json.dumps(build_dashboard(), indent=1) + "\n")
    (folder / "rules.yaml").write_text(to_yaml([build_rules()]))
    (folder / "scrape.yaml").write_text(to_yaml([{"scrape_configs": [build_scrape()]}]))


def build_rules() -> dict[str, Any]:
    """Return the alerts that hold for all deployments, whatever they promise."""
    silent = f'sum by (namespace, deployment) (up{{job="{JOB}"}}) == 0'
    detectors = [*build_detector_alerts(_ANY), build_attack_alert(_ANY)]
    rules = [build_absence_alert(_ANY, silent), *detectors]
    return {"groups": [{"name": "hune", "rules": rules}]}


def build_scrape() -> dict[str, Any]:
    """Return how Prometheus finds the guards by itself; they get the labels a PodMonitor gives."""
    port = {
        "action": "keep",
        "source_labels": ["__meta_kubernetes_pod_container_port_name"],
        "regex": names.GUARD_PORT_NAME,
    }
    deployed = {
        "action": "keep",
        "source_labels": [pod_label(names.LABEL_DEPLOYMENT)],
        "regex": ".+",
    }
    places = [
        {
            "action": "replace",
            "source_labels": [f"__meta_kubernetes_{source}"],
            "target_label": target,
        }
        for source, target in (("namespace", "namespace"), ("pod_name", "pod"))
    ]
    shared = [_in_snake_case(relabeling) for relabeling in build_relabelings()]
    return {
        "job_name": JOB,
        "metrics_path": METRICS_PATH,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [deployed, port, *places, *shared],
    }


def build_static_scrape(targets: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the same for a Prometheus that cannot discover, as Debian's cannot.

    Args:
        targets: What Kubernetes' discovery would find, as `discovered` says it.
    """
    scrape = build_scrape()
    del scrape["kubernetes_sd_configs"]
    return scrape | {"static_configs": list(targets)}


def discovered(
    pod: Mapping[str, Any], moved: Mapping[int, int] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield what Kubernetes' discovery finds of a pod: a target for each port of a container.

    Args:
        pod: The pod.
        moved: Where a declared port really listens, when elsewhere.
    """
    metadata = pod["metadata"]
    labels = {pod_label(name): value for name, value in metadata["labels"].items()}
    labels |= {
        "__meta_kubernetes_namespace": metadata["namespace"],
        "__meta_kubernetes_pod_name": metadata["name"],
    }
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", []):
            listening = (moved or {}).get(port["containerPort"], port["containerPort"])
            yield {
                "targets": [f"{pod['status']['podIP']}:{listening}"],
                "labels": {
                    **labels,
                    "__meta_kubernetes_pod_container_name": container["name"],
                    "__meta_kubernetes_pod_container_port_name": port.get("name", ""),
                    "__meta_kubernetes_pod_container_port_number": str(port["containerPort"]),
                },
            }


def _in_snake_case(relabeling: dict[str, Any]) -> dict[str, Any]:
    spelt = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    return {spelt.get(name, name): value for name, value in relabeling.items()}
