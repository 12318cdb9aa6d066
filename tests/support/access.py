"""Who may ask in a namespace of a test, and the tokens by which they are known."""

from typing import Any

from hune.contract.access import DEFAULT_CALLER
from hune.contract.names import TOKEN_AUDIENCE
from hune.controlplane.cluster import resources
from tests.support.api import Api, Document
from tests.support.eventually import eventually
from tests.support.install import NAMESPACE
from tests.support.space import Space

AUTHORIZER = "hune-authorizer"
_GROUP = "rbac.authorization.k8s.io"


def build_account(name: str = DEFAULT_CALLER) -> Document:
    """Return a ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def build_right(
    account: str = DEFAULT_CALLER, *deployments: str, verb: str = "predict"
) -> list[Document]:
    """Return a Role to use all deployments or some, and its binding to an account."""
    name = f"{verb}-{account}"
    rule: dict[str, Any] = {
        "apiGroups": ["hune.dev"],
        "resources": ["modeldeployments"],
        "verbs": [verb],
    }
    if deployments:
        rule["resourceNames"] = list(deployments)
    metadata = {"name": name}
    role = {"apiVersion": f"{_GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]}
    binding = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account}],
    }
    return [role, binding]


def build_caller() -> list[Document]:
    """Return the ServiceAccount that asks unless another is named, and its right."""
    return [build_account(), *build_right()]


def make_token(space: Space, account: str = DEFAULT_CALLER, audience: str = TOKEN_AUDIENCE) -> str:
    """Return a fresh token, made as a person makes one."""
    words = ("create", "token", account, "-n", space.name, "--audience", audience)
    return space.cluster.kubectl(*words).strip()


def authorizer_pods(api: Api) -> list[str]:
    """Return the names of the authorizer's pods."""
    return [pod["metadata"]["name"] for pod in _find_pods(api)]


def kill_authorizer(api: Api, name: str) -> None:
    """Remove one of its pods as a lost node would, without waiting."""
    api.delete(resources.POD, NAMESPACE, name, grace=0)


def wait_authorizer_whole(api: Api, replicas: int = 2) -> None:
    """Wait until so many pods of it are ready, and no other is there."""
    # Not the Deployment's status, which for a moment still counts a pod that was just killed.
    eventually(lambda: [is_ready(pod) for pod in _find_pods(api)] == [True] * replicas, 120, 0.25)


def is_ready(pod: Document) -> bool:
    """Tell whether a pod takes traffic, and goes on to."""
    ready = {"type": "Ready", "status": "True"}.items()
    conditions = pod.get("status", {}).get("conditions", [])
    here = "deletionTimestamp" not in pod["metadata"]
    return here and any(ready <= condition.items() for condition in conditions)


def _find_pods(api: Api) -> list[Document]:
    return api.find(resources.POD, NAMESPACE, f"app.kubernetes.io/name={AUTHORIZER}")
