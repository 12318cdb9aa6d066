"""Hune installed into a cluster as a user installs it: by its charts."""

import json
import os
from pathlib import Path
from typing import Any

from tests.cluster import NODE, Cluster, ClusterError, certificates, images, kserve, load, start
from tests.cluster.command import run
from tests.support.install import NAMESPACE, ROOT, helm

_NAMESPACE_MANIFEST = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": NAMESPACE,
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    },
}


def install(cluster: Cluster, values: dict[str, Any] | None = None) -> None:
    """Install or upgrade the charts and wait until the operator is ready.

    Args:
        cluster: Where to.
        values: Chart values beside the defaults.
    """
    cluster.kubectl("apply", "-f", "-", text=json.dumps(_NAMESPACE_MANIFEST))
    _upgrade(cluster, "hune-crds", {})
    ours = _with_our_images(cluster)
    _upgrade(cluster, "hune", _registry() | ours | (values or {}))


def uninstall(cluster: Cluster) -> None:
    """Remove Hune, its kinds and every object of them."""
    kinds = "modeldeployments.hune.dev,modelversions.hune.dev"
    cluster.kubectl("delete", kinds, "--all", "--all-namespaces", "--ignore-not-found")
    for name in ("hune", "hune-crds"):
        _helm(cluster, "uninstall", name, "--ignore-not-found", "--wait")
    labelled = ("-l", "app.kubernetes.io/part-of=hune", "--ignore-not-found")
    cluster.kubectl("delete", "crd", *labelled)
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


def ready_cluster() -> Cluster:
    """Return a cluster with a node, with KServe and this checkout's Hune in it."""
    cluster = start(NODE)
    install(cluster)
    return cluster


def require_kserve(cluster: Cluster) -> None:
    """Use the KServe of a cluster that is not ours, or install it where that was allowed.

    Raises:
        ClusterError: KServe is not there and was not asked for.
    """
    kind = "inferenceservices.serving.kserve.io"
    if cluster.kubectl("get", "crd", kind, "--ignore-not-found", "--output=name"):
        return
    if os.environ.get("HUNE_INSTALL_KSERVE") != "1":
        raise ClusterError(
            f"{cluster.kubeconfig}: KServe is not installed in this cluster; install KServe 0.20 "
            "or newer, or set HUNE_INSTALL_KSERVE=1 to have it installed"
        )
    certificates.create_authority(cluster.state / "pki")
    kserve.install_kinds(cluster)
    kserve.install(cluster)
    kserve.install_runtimes(cluster)


def _with_our_images(cluster: Cluster) -> dict[str, Any]:
    """Load this checkout's images into a node of ours; the values roll the operator out anew.

    A cluster that already runs may hold images of another state of the checkout under the same
    tag.
    """
    if cluster.network is None:
        return {}
    record = cluster.state / "project-images.json"
    loaded = json.loads(record.read_text()) if record.exists() else {}
    wanted = {name: image.archive.stem for name, image in images.installed().items()}
    load(cluster, [name for name, key in wanted.items() if loaded.get(name) != key])
    record.write_text(json.dumps(wanted))
    return {"podAnnotations": {"hune.dev/build": wanted["operator"]}}


def command_environment(cluster: Cluster) -> dict[str, str]:
    """Return the environment in which a person at this checkout types commands."""
    folders = (ROOT / ".venv/bin", cluster.binaries, os.environ["PATH"])
    return {"KUBECONFIG": str(cluster.kubeconfig), "PATH": ":".join(map(str, folders))}


def _registry() -> dict[str, Any]:
    """Point the images at a mirror, for a cluster that is not ours."""
    mirror = os.environ.get("HUNE_IMAGE_REGISTRY")
    return {"image": {"registry": mirror}} if mirror else {}


def _upgrade(cluster: Cluster, chart: str, values: dict[str, Any]) -> None:
    arguments = ("upgrade", "--install", chart, str(ROOT / "charts" / chart), "--values", "-")
    _helm(cluster, *arguments, "--wait", "--timeout", "3m", text=json.dumps(values))


def _helm(cluster: Cluster, *arguments: str, text: str = "") -> None:
    words: list[str | Path] = [helm(), "--kubeconfig", cluster.kubeconfig]
    run([*words, "--namespace", NAMESPACE, *arguments], text=text)
