"""The embedded cluster: a real Kubernetes with KServe, from source, on one machine, as root."""

from tests.cluster.cluster import CONTROL_PLANE, NODE, Cluster, own
from tests.cluster.command import ClusterError
from tests.cluster.lifecycle import load, start, stop

__all__ = ["CONTROL_PLANE", "NODE", "Cluster", "ClusterError", "load", "own", "start", "stop"]
