"""The NetworkPolicies of a revision."""

from typing import Any

from hune.contract import names
from hune.controlplane.plan.build.explainer import read_asked_port
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner
from hune.controlplane.policy.observed import Document


def build_network_policies(owner: Owner, inference_service: Document) -> list[dict[str, Any]]:
    """Return the policies of the pods that an InferenceService makes.

    Callers reach the guard and nothing past it. An explainer in a pod of its own is reached by the
    revision's guards alone; it reaches the predictor past the guard if it asks the model.
    """
    revision = inference_service["metadata"]["name"]
    guards: list[dict[str, Any]] = [{"ports": [_port(names.GUARD_PORT)]}]
    if "explainer" not in inference_service["spec"]:
        return [_build_network_policy(owner, revision, guards)]
    explainer = f"{revision}{names.EXPLAINER_SUFFIX}"
    asked = read_asked_port(inference_service)
    if asked is not None:
        guards.append({"from": [_pods(explainer)], "ports": [_port(asked)]})
    explained = [{"from": [_pods(revision)], "ports": [_port(names.EXPLAINER_PORT)]}]
    return [
        _build_network_policy(owner, revision, guards),
        _build_network_policy(owner, explainer, explained),
    ]


def _build_network_policy(
    owner: Owner, revision: str, ingress: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": build_metadata(owner, revision, revision),
        "spec": {**_pods(revision), "policyTypes": ["Ingress"], "ingress": ingress},
    }


def _pods(revision: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {names.LABEL_REVISION: revision}}}


def _port(number: int) -> dict[str, Any]:
    return {"port": number, "protocol": "TCP"}
