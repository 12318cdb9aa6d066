"""The Debian packages the cluster runs on."""

import platform
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.command import ClusterError, run, try_run
from tests.cluster.progress import step

PACKAGES = (
    "buildah",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "debian-archive-keyring",
    "debootstrap",
    "etcd-client",
    "etcd-server",
    "gcc",
    "iproute2",
    "ipset",
    "iptables",
    "libc6-dev",
    "openssl",
    "runc",
    "socat",
    "util-linux",
)


def install_missing() -> None:
    """Install what the cluster needs and is not there yet."""
    install(PACKAGES)


def install(packages: Iterable[str]) -> None:
    """Install what is not there yet; refresh the package lists only if that fails at first."""
    missing = [package for package in packages if not _installed(package)]
    if not missing:
        return
    if not Path("/usr/bin/apt-get").exists():
        raise ClusterError(
            f"this machine ({platform.platform()}) has no apt-get: the embedded cluster needs"
            " Debian or Ubuntu; set HUNE_KUBECONFIG to use another cluster"
        )
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"install {', '.join(missing)}", expected="about a minute"):
        try:
            run(install, environment=quiet)
        except ClusterError:
            run(["apt-get", "update"], environment=quiet)
            run(install, environment=quiet)


def _installed(package: str) -> bool:
    return try_run(["dpkg-query", "--status", package])
