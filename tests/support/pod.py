"""A pod that runs a script of ours: the guard's image is a Python with nothing beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hune import __version__
from hune.contract.names import TOKEN_AUDIENCE

IMAGE = f"docker.io/hune/guard:{__version__}"
FOLDER = "/etc/script"
TOKEN_FILE = "/var/run/hune/token"
RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def build_pod(
    name: str, script: str, environment: Mapping[str, str], account: str = ""
) -> dict[str, Any]:
    """Return a pod that runs a script once, out of the ConfigMap of the pod's name.

    With an account it finds, at TOKEN_FILE, a token of it by which guards know it; kubelet renews
    it there.
    """
    container: dict[str, Any] = {
        "name": "python",
        "image": IMAGE,
        "command": ["python3", f"{FOLDER}/{script}"],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "script", "mountPath": FOLDER, "readOnly": True}],
    }
    volumes: list[dict[str, Any]] = [{"name": "script", "configMap": {"name": name}}]
    if account:
        token = {"path": Path(TOKEN_FILE).name, "audience": TOKEN_AUDIENCE}
        source = {"serviceAccountToken": token | {"expirationSeconds": 600}}
        volumes.append({"name": "token", "projected": {"sources": [source]}})
        folder = str(Path(TOKEN_FILE).parent)
        container["volumeMounts"].append({"name": "token", "mountPath": folder, "readOnly": True})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "volumes": volumes,
            **({"serviceAccountName": account} if account else {}),
        },
    }
