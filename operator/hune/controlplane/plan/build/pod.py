"""What all pods of a revision are: restricted, without a token, and placed alike."""

from typing import Any

from hune.controlplane.plan.build.stamp import Stamp
from hune.controlplane.plan.revision import Revision

# The guard's limit for one prediction, and a little more: the last one taken may need all of it.
_LAST_REQUEST_SECONDS = 65


def build_pod(revision: Revision, stamp: Stamp) -> dict[str, Any]:
    """Return the fields of a pod's spec that do not depend on what runs in it."""
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": stamp.drain_seconds + _LAST_REQUEST_SECONDS,
    }
    if revision.service_account_name is not None:
        pod["serviceAccountName"] = revision.service_account_name
    return pod


def build_placement(revision: Revision) -> dict[str, Any]:
    """Return the fields of a pod's spec that say where it may run."""
    placement = revision.placement
    result: dict[str, Any] = {}
    if placement.node_selector:
        result["nodeSelector"] = dict(placement.node_selector)
    if placement.tolerations:
        result["tolerations"] = [toleration.document() for toleration in placement.tolerations]
    if placement.architectures:
        result["affinity"] = {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {
                                    "key": "kubernetes.io/arch",
                                    "operator": "In",
                                    "values": list(placement.architectures),
                                }
                            ]
                        }
                    ]
                }
            }
        }
    return result
