"""The guard container: KServe's collocated transformer in front of the predictor."""

from collections.abc import Mapping, Sequence
from typing import Any

from hune.contract import names

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# How large a body may be, and how many are held, follows from it.
MEMORY: dict[str, Any] = {
    "name": "HUNE_MEMORY_BYTES",
    "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}},
}
_SETTINGS_VOLUME = "hune-guard"
_KEY_VOLUME = "hune-prediction-key"


def build_guard(
    image: str, pull_policy: str, drain_seconds: int, resources: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the guard's container; all that it is told is stamped on the revision."""
    return {
        "name": names.GUARD_CONTAINER,
        "image": image,
        "imagePullPolicy": pull_policy,
        "ports": [
            {
                "name": names.GUARD_PORT_NAME,
                "containerPort": names.GUARD_PORT,
                "protocol": "TCP",
            }
        ],
        "env": [{"name": "HUNE_DRAIN_SECONDS", "value": str(drain_seconds)}, MEMORY],
        "readinessProbe": _probe("/hune/ready", period=2, failures=3),
        "livenessProbe": _probe("/hune/live", period=10, failures=6),
        "resources": dict(resources),
        "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": _SETTINGS_VOLUME, "mountPath": names.GUARD_DIRECTORY, "readOnly": True},
            {"name": _KEY_VOLUME, "mountPath": names.PREDICTION_KEY_DIRECTORY, "readOnly": True},
        ],
    }


def build_lite(
    image: str,
    pull_policy: str,
    drain_seconds: int,
    resources: Mapping[str, Any],
    environment: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the one container of profile Lite: the guard, with the model in its own process.

    KServe mounts the model where that process looks for it, and calls a pod's only container as it
    calls a predictor's.
    """
    container = build_guard(image, pull_policy, drain_seconds, resources)
    return container | {
        "name": names.PREDICTOR_CONTAINER,
        "env": [*container["env"], *environment],
    }


def build_guard_volumes(revision: str) -> list[dict[str, Any]]:
    """Return the volumes the guard mounts: its settings and the namespace's prediction key."""
    return [
        {"name": _SETTINGS_VOLUME, "configMap": {"name": f"{revision}-guard"}},
        {"name": _KEY_VOLUME, "secret": {"secretName": names.PREDICTION_KEY_SECRET}},
    ]


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": names.GUARD_PORT, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
        "successThreshold": 1,
    }
