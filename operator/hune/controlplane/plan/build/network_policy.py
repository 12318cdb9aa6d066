"""The NetworkPolicy of a revision."""

from typing import Any

from hune.contract import names
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner


def build_network_policy(owner: Owner, revision: str) -> dict[str, Any]:
    """Return the policy that lets callers reach the guard, and nothing past it."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": build_metadata(owner, revision, revision),
        "spec": {
            "podSelector": {"matchLabels": {names.LABEL_REVISION: revision}},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": names.GUARD_PORT, "protocol": "TCP"}]}],
        },
    }
