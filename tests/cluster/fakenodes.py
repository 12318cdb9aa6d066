"""Nodes without machines: kwok keeps their leases and plays the kubelet for their pods."""

from collections.abc import Sequence

ANNOTATION = "kwok.x-k8s.io/node"
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "2000", "ephemeral-storage": "1Ti"}
ARCHITECTURE = "kubernetes.io/arch"
ARM = {ARCHITECTURE: "arm64", "node.kubernetes.io/instance-type": "k3s"}
DEFAULT = {"fake-amd64": {ARCHITECTURE: "amd64"}, "fake-arm64": ARM}


def build_node(
    name: str, labels: dict[str, str], taints: Sequence[dict[str, str]]
) -> dict[str, object]:
    """Build a Node that kwok will manage; its architecture is that of its label."""
    common = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", ARCHITECTURE: "amd64"}
    merged = common | labels
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": merged, "annotations": {ANNOTATION: "fake"}},
        "spec": {"taints": list(taints)},
        "status": {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "nodeInfo": _describe(merged[ARCHITECTURE]),
        },
    }


def _describe(architecture: str) -> dict[str, str]:
    required = ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage")
    versions = ("containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion")
    known = {"architecture": architecture, "operatingSystem": "linux"}
    return dict.fromkeys(required + versions, "fake") | known
