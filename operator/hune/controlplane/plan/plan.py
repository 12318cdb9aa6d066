"""The result of planning: what should exist and what to tell the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hune.controlplane.api.base import Api
from hune.controlplane.policy.observed import Document


@dataclass(frozen=True, slots=True)
class Child:
    """An object that should exist.

    Attributes:
        document: The fields Hune owns, as they are applied.
        create_only: True for what is made once and then left alone.
        auxiliary: True for what nobody is served by: it is applied last of all, so that its
            refusal hinders nothing.
    """

    document: Document
    create_only: bool = False
    auxiliary: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Return (kind, name)."""
        return self.document["kind"], self.document["metadata"]["name"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reconcile decided.

    Attributes:
        status: The complete status of the object.
        children: Objects to apply, in this order.
        prune: (kind, name) of owned objects to delete.
        touched_pods: Names of pods whose ConfigMap volumes should be synchronised at once, with
            the value of the annotation that makes kubelet do so.
        requeue_after: Seconds until time itself may change the plan; None when only events can.
    """

    status: Api
    children: tuple[Child, ...] = ()
    prune: tuple[tuple[str, str], ...] = ()
    touched_pods: Mapping[str, str] = field(default_factory=dict)
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The object a plan is for."""

    api_version: str
    kind: str
    name: str
    namespace: str
    uid: str
    generation: int

    @classmethod
    def of(cls, document: Document) -> "Owner":
        """Return the identity of a custom resource."""
        metadata = document["metadata"]
        return cls(
            document["apiVersion"],
            document["kind"],
            metadata["name"],
            metadata.get("namespace", "default"),
            metadata.get("uid", ""),
            metadata.get("generation", 0),
        )

    def reference(self) -> dict[str, Any]:
        """Return the ownerReference that lets the garbage collector clean up."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
