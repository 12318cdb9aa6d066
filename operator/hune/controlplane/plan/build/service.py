"""The stable Service of a ModelDeployment."""

from typing import Any

from hune.contract import names
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner


def build_service(owner: Owner, revision: str) -> dict[str, Any]:
    """Return the Service that points at one revision's guards."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": build_metadata(owner, owner.name),
        "spec": {
            "selector": {names.LABEL_DEPLOYMENT: owner.name, names.LABEL_REVISION: revision},
            "ports": [
                {
                    "name": "http",
                    "port": names.SERVICE_PORT,
                    "targetPort": names.GUARD_PORT,
                    "protocol": "TCP",
                }
            ],
        },
    }
