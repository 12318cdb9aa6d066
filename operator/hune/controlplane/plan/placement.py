"""Placement: a class of the platform and the deployment's own wishes, as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hune.controlplane.api.placement import Placement, Toleration
from hune.controlplane.plan.problem import Problem
from hune.controlplane.settings import Settings


@dataclass(frozen=True, slots=True)
class ResolvedPlacement:
    """Where pods may run, with the class already applied."""

    architectures: tuple[str, ...]
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Toleration, ...]

    def document(self) -> dict[str, Any]:
        """Return a plain form, for hashing."""
        return {
            "architectures": list(self.architectures),
            "nodeSelector": dict(self.node_selector),
            "tolerations": [toleration.document() for toleration in self.tolerations],
        }


def resolve_placement(placement: Placement, settings: Settings) -> ResolvedPlacement | Problem:
    """Apply the placement class; what the deployment itself says goes before the class."""
    if placement.class_ is None:
        return _combine(placement.architectures, {}, placement, [])
    offered = settings.placement_classes.get(placement.class_)
    if offered is None:
        known = ", ".join(sorted(settings.placement_classes)) or "none"
        return Problem(
            "UnknownPlacementClass",
            f"spec.placement.class: {placement.class_!r} is not offered by this platform; "
            f"it offers: {known}",
        )
    architectures = placement.architectures or offered.architectures
    return _combine(architectures, offered.node_selector, placement, offered.tolerations)


def _combine(
    architectures: Sequence[str],
    selector: dict[str, str],
    placement: Placement,
    tolerations: Sequence[Toleration],
) -> ResolvedPlacement:
    return ResolvedPlacement(
        tuple(sorted(str(architecture) for architecture in architectures)),
        tuple(sorted((selector | placement.node_selector).items())),
        (*tolerations, *placement.tolerations),
    )
