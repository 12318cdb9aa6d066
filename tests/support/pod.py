"""A pod that runs a script of ours: the guard's image is a Python with nothing beside it."""

from collections.abc import Mapping
from typing import Any

from hune import __version__

IMAGE = f"docker.io/hune/guard:{__version__}"
FOLDER = "/etc/script"
RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def build_pod(name: str, script: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return a pod that runs a script once, out of the ConfigMap of the pod's name."""
    container = {
        "name": "python",
        "image": IMAGE,
        "command": ["python3", f"{FOLDER}/{script}"],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "script", "mountPath": FOLDER, "readOnly": True}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "volumes": [{"name": "script", "configMap": {"name": name}}],
        },
    }
