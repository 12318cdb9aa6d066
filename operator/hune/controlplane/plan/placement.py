"""Placement: a class of the platform and the deployment's own wishes, as one."""

from dataclasses import dataclass
from typing import Any

from hune.controlplane.api.modeldeployment import LITE_FORMAT, ModelDeploymentSpec
from hune.controlplane.api.modelversion import Source
from hune.controlplane.api.placement import Profile, Toleration
from hune.controlplane.plan.problem import Problem
from hune.controlplane.settings import PlacementClass, Settings


@dataclass(frozen=True, slots=True)
class ResolvedPlacement:
    """Where pods may run, with the class already applied."""

    profile: Profile
    architectures: tuple[str, ...]
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Toleration, ...]

    def document(self) -> dict[str, Any]:
        """Return a plain form, for hashing."""
        return {
            **({"profile": self.profile.value} if self.profile is not Profile.FULL else {}),
            "architectures": list(self.architectures),
            "nodeSelector": dict(self.node_selector),
            "tolerations": [toleration.document() for toleration in self.tolerations],
        }


def resolve_placement(spec: ModelDeploymentSpec, settings: Settings) -> ResolvedPlacement | Problem:
    """Apply the placement class; what the deployment itself says goes before the class."""
    placement = spec.placement
    offered: PlacementClass | None = PlacementClass()
    if placement.class_ is not None:
        offered = settings.placement_classes.get(placement.class_)
    if offered is None:
        known = ", ".join(sorted(settings.placement_classes)) or "none"
        return Problem(
            "UnknownPlacementClass",
            f"spec.placement.class: {placement.class_!r} is not offered by this platform; "
            f"it offers: {known}",
        )
    architectures = placement.architectures or offered.architectures
    return ResolvedPlacement(
        _profile(spec, offered),
        tuple(sorted(str(architecture) for architecture in architectures)),
        tuple(sorted((offered.node_selector | placement.node_selector).items())),
        (*offered.tolerations, *placement.tolerations),
    )


def check_lite(
    spec: ModelDeploymentSpec, placement: ResolvedPlacement, source: Source | None
) -> Problem | None:
    """Refuse profile Lite for what it cannot serve; the spec alone may not show it."""
    if placement.profile is Profile.FULL:
        return None
    by_class = spec.placement.profile is None
    brought = f", which placement.class {spec.placement.class_!r} brings," if by_class else ""
    if source is not None and source.format != LITE_FORMAT:
        return Problem(
            "UnsupportedFormat",
            f"spec.placement.profile: Lite{brought} serves format {LITE_FORMAT}, the model has "
            f"{source.format!r}; convert it with `hune convert`, or set spec.placement.profile to "
            "Full",
        )
    if spec.explainer is not None:
        return Problem(
            "UnsupportedExplainer",
            f"spec.placement.profile: Lite{brought} has no explainer; leave out spec.explainer, or "
            "set spec.placement.profile to Full",
        )
    return None


def _profile(spec: ModelDeploymentSpec, offered: PlacementClass) -> Profile:
    """Return the profile; a server that the deployment names itself needs Full."""
    if spec.placement.profile is not None:
        return spec.placement.profile
    names_a_server = spec.serving.container is not None or spec.serving.runtime is not None
    return Profile.FULL if names_a_server else offered.profile
