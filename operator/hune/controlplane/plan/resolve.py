"""Following a ModelDeployment's references: its version, placement class and runtime."""

from dataclasses import dataclass

from pydantic import ValidationError

from hune.controlplane.api.modeldeployment import NAME_RULE, ModelDeploymentSpec
from hune.controlplane.api.modelversion import ModelVersionSpec, Source
from hune.controlplane.errors import describe
from hune.controlplane.plan.architecture import check_architectures
from hune.controlplane.plan.build.model_version import inline_version_name
from hune.controlplane.plan.host_name import check_host_name
from hune.controlplane.plan.placement import check_lite, resolve_placement
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.revision import Revision, build_revision
from hune.controlplane.plan.runtime import resolve_runtime
from hune.controlplane.policy.observed import Document, Observed
from hune.controlplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec whose references and classes are followed.

    Attributes:
        model_version: ModelVersion that is served; the revision's own name for a server that
            carries its own model.
        revision: The revision that the spec asks for.
    """

    model_version: str
    revision: Revision


def parse_spec(document: Document) -> ModelDeploymentSpec | Problem:
    """Parse the spec; a fault becomes a message with path, value and what is wanted."""
    if NAME_RULE.check is not None and not NAME_RULE.check(document):
        return Problem("Invalid", NAME_RULE.message)
    try:
        return ModelDeploymentSpec.model_validate(document.get("spec", {}))
    except ValidationError as error:
        return Problem("Invalid", describe(error, "spec"))


def resolve(
    owner: Owner, spec: ModelDeploymentSpec, observed: Observed, settings: Settings
) -> Resolved | Problem:
    """Follow the spec's references, or say which one leads nowhere."""
    found = _resolve_model(owner, spec, observed)
    if isinstance(found, Problem):
        return found
    version, source = found
    revision = _resolve_revision(spec, source, settings)
    if isinstance(revision, Problem):
        return revision
    unnamed = check_host_name(owner, revision.name(owner.name), settings.domain_template)
    if unnamed is not None:
        return unnamed
    return Resolved(version or revision.name(owner.name), revision)


def _resolve_revision(
    spec: ModelDeploymentSpec, source: Source | None, settings: Settings
) -> Revision | Problem:
    placement = resolve_placement(spec, settings)
    if isinstance(placement, Problem):
        return placement
    unfit = check_lite(spec, placement, source)
    if unfit is not None:
        return unfit
    runtime = resolve_runtime(spec.serving, source, placement.profile)
    if isinstance(runtime, Problem):
        return runtime
    revision = build_revision(spec, source, runtime, placement)
    return check_architectures(spec, revision, settings.architectures) or revision


def referenced_version(owner: Owner, spec: ModelDeploymentSpec) -> str | None:
    """Return the name of the ModelVersion that a spec refers to or stands for."""
    if spec.model is None:
        return None
    if spec.model.source is not None:
        return inline_version_name(owner.name, spec.model.source)
    return spec.model.version


def _resolve_model(
    owner: Owner, spec: ModelDeploymentSpec, observed: Observed
) -> tuple[str | None, Source | None] | Problem:
    name = referenced_version(owner, spec)
    if spec.model is None or spec.model.source is not None:
        return name, spec.model.source if spec.model else None
    if observed.model_version is None:
        return Problem(
            "ModelVersionNotFound",
            f"spec.model.version: there is no ModelVersion {name!r} in namespace "
            f"{owner.namespace!r}; make it with `hune register` or `kubectl apply`",
        )
    try:
        return name, ModelVersionSpec.model_validate(observed.model_version["spec"]).source
    except ValidationError as error:
        return Problem("ModelVersionInvalid", f"ModelVersion {name!r}: {describe(error, 'spec')}")
