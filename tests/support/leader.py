"""The operator's replica that leads, and its sudden end."""

from hune.controlplane.cluster import resources
from tests.support.api import Api
from tests.support.install import NAMESPACE

LEASE = "hune-operator"
_SELECTOR = "app.kubernetes.io/name=hune-operator"


def find_leader(api: Api) -> str:
    """Return the pod that leads; empty while none does."""
    lease = api.get(resources.LEASE, NAMESPACE, LEASE) or {}
    holder: str = lease.get("spec", {}).get("holderIdentity", "")
    # A holder is called after its host, which is its pod, and its process.
    return holder.rpartition("-")[0]


def kill_operator(api: Api) -> list[str]:
    """Remove the pod that leads as a lost node would, without waiting; all where none leads.

    Returns:
        The names of the removed pods.
    """
    running = [pod["metadata"]["name"] for pod in api.find(resources.POD, NAMESPACE, _SELECTOR)]
    leader = find_leader(api)
    victims = [leader] if leader in running else running
    for name in victims:
        api.delete(resources.POD, NAMESPACE, name, grace=0)
    return victims


def restarts(api: Api) -> dict[str, int]:
    """Return how often each of the operator's containers was restarted."""
    return {
        pod["metadata"]["name"]: status["restartCount"]
        for pod in api.find(resources.POD, NAMESPACE, _SELECTOR)
        for status in pod.get("status", {}).get("containerStatuses", [])
    }
