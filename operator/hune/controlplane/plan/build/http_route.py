"""The HTTPRoute that exposes a ModelDeployment through the platform's Gateway."""

from typing import Any

from hune.contract import names
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner
from hune.controlplane.settings import Gateway


def build_http_route(owner: Owner, gateway: Gateway) -> dict[str, Any]:
    """Return the route from `<name>-<namespace>.<domain>` to the stable Service."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": build_metadata(owner, owner.name),
        "spec": {
            "parentRefs": [{"name": gateway.name, "namespace": gateway.namespace}],
            "hostnames": [f"{owner.name}-{owner.namespace}.{gateway.domain}"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": owner.name, "port": names.SERVICE_PORT}],
                }
            ],
        },
    }
