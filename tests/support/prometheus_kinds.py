"""The kinds of the Prometheus operator, which a cluster may lack."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import Cluster, binaries

NAMES = ("podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
_PART = "prometheus-operator"


def install(cluster: Cluster) -> None:
    """Install the two kinds that Hune writes, and wait until they are served."""
    binaries.build(_PART)
    for name in NAMES:
        plural, _, group = name.partition(".")
        file = binaries.files(_PART, f"{group}_{plural}.yaml")
        cluster.kubectl("apply", "--server-side", "--validate=false", "-f", file)
    cluster.kubectl("wait", "--for=condition=Established", "crd", *NAMES, "--timeout=60s")


def remove(cluster: Cluster) -> None:
    """Remove them, with every object of them."""
    cluster.kubectl("delete", "crd", *NAMES, "--ignore-not-found")


@contextmanager
def installed(cluster: Cluster) -> Iterator[None]:
    """Have them for a while."""
    install(cluster)
    try:
        yield
    finally:
        remove(cluster)
