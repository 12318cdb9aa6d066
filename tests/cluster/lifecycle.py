"""From nothing to a running cluster, and back."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from tests.cluster import (
    addons,
    binaries,
    cache,
    controlplane,
    fakenodes,
    images,
    kernel,
    kserve,
    network,
    node,
    packages,
)
from tests.cluster.cluster import CONTROL_PLANE, NODE, STATES, Cluster, all_own, own, write_record
from tests.cluster.command import ClusterError, run
from tests.cluster.progress import say, step


def start(name: str | None = None, *, with_node: bool = True, with_images: bool = True) -> Cluster:
    """Return a running cluster, started unless it runs.

    Args:
        name: Of the cluster; by default one for each kind, which can run side by side.
        with_node: Whether real pods are needed; else there are fake nodes only.
        with_images: Whether the project's images and KServe's servers are built and loaded.

    Returns:
        The cluster; the one of HUNE_KUBECONFIG where that is set, untouched.
    """
    foreign = os.environ.get("HUNE_KUBECONFIG")
    if foreign:
        return Cluster("foreign", Path(foreign).expanduser())
    name = name or (NODE if with_node else CONTROL_PLANE)
    with _lock(name):
        running = own(name)
        if running and is_healthy(running):
            return running
        if running:
            say(f"{name} is only half there; it starts anew")
            _remove(running)
        return _create(name, with_node=with_node, with_images=with_images)


def stop(name: str) -> None:
    """Remove a cluster with everything that it started, mounted and made."""
    with _lock(name):
        cluster = own(name)
        if cluster:
            with step(f"remove {name}"):
                _remove(cluster)


def load(cluster: Cluster, names: Iterable[str]) -> None:
    """Build images again where their files changed, and import them into the running node."""
    if cluster.network is None:
        say("a cluster that is not ours takes its images from its registry")
        return
    for name in names:
        image = images.find(name)
        (archive,) = images.build([image])
        with step(f"load {image.tag}"):
            node.load(cluster, archive)


def build(what: str) -> None:
    """Fill the caches: ``binaries``, ``images`` or ``all``."""
    packages.install_missing()
    binaries.build()
    if what != "binaries":
        images.build(images.everything().values())


def is_healthy(cluster: Cluster) -> bool:
    """Say whether all its programs run and its API answers."""
    complete = _completed(cluster).exists()
    return complete and all(each.alive() for each in cluster.processes()) and cluster.answers()


def _lock(name: str) -> AbstractContextManager[None]:
    """Lock a cluster: beside the states, since two checkouts may use different caches."""
    return cache.lock(STATES / ".locks" / name)


def _completed(cluster: Cluster) -> Path:
    """Return the file that says that its start came to the end."""
    return cluster.state / "completed"


def _create(name: str, *, with_node: bool, with_images: bool) -> Cluster:
    if os.geteuid():
        raise ClusterError("the embedded cluster needs root: namespaces, mounts, control groups")
    packages.install_missing()
    binaries.build()
    archives = _build_images(with_images=with_images) if with_node else []
    with _lock("networks"):
        taken = {each.own_network.slot for each in all_own()}
        space = network.Network(name, network.free_slot(taken))
        cluster = Cluster(name, STATES / name / "kubeconfig", space, has_node=with_node)
        write_record(cluster)
        space.create()
    with step(f"{name} up"):
        if with_node:
            _start_with_node(cluster, archives)
        else:
            _start_control_plane(cluster)
        _completed(cluster).touch()
    return cluster


def _build_images(*, with_images: bool) -> list[Path]:
    wanted = images.of_a_node() if with_images else images.essential()
    return images.build(wanted.values())


def _start_control_plane(cluster: Cluster) -> None:
    controlplane.start(cluster)
    kserve.install_kinds(cluster)
    kserve.install(cluster)
    addons.install(cluster, "gateway")
    for name, labels in fakenodes.DEFAULT.items():
        cluster.add_fake_node(name, labels)
    kserve.install_runtimes(cluster)


def _start_with_node(cluster: Cluster, archives: list[Path]) -> None:
    node.start_runtime(cluster)
    with ThreadPoolExecutor() as pool:
        loading = pool.submit(_load_all, cluster, archives)
        controlplane.start(cluster)
        kserve.install_kinds(cluster)
        node.start(cluster)
        loading.result()
    kserve.install(cluster)
    addons.install(cluster, "gateway", "coredns", "traefik", "storage")
    kserve.install_runtimes(cluster)
    addons.wait(cluster)


def _load_all(cluster: Cluster, archives: list[Path]) -> None:
    with step(f"load {len(archives)} images"):
        for archive in archives:
            node.load(cluster, archive)


def _remove(cluster: Cluster) -> None:
    for process in cluster.processes():
        # All its data goes as well: there is nothing to wait for.
        process.stop(grace=0)
    node.remove_containers(cluster)
    node.unmount(cluster)
    kernel.restore(cluster.state)
    cluster.own_network.remove()
    # A hundred thousand files of unpacked images: rm is several times faster than shutil.
    run(["rm", "-rf", cluster.state])
