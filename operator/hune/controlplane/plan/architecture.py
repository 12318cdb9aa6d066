"""Whether every image of a pod has a build for the architectures it may be placed on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hune.controlplane.api.modeldeployment import LITE_FORMAT, ModelDeploymentSpec
from hune.controlplane.api.modelversion import Source
from hune.controlplane.api.placement import Architecture, Profile
from hune.controlplane.api.serving import Protocol
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.revision import Revision
from hune.controlplane.plan.runtime import known_runtime
from hune.controlplane.settings import Architectures

# What `hune convert` makes ONNX of.
_CONVERTIBLE = frozenset({"sklearn", "xgboost", "lightgbm"})


@dataclass(frozen=True, slots=True)
class _Image:
    """An image of the pod.

    Attributes:
        name: As a message calls it.
        builds: Architectures it has a build for; None where the table does not know it.
    """

    name: str
    builds: Sequence[Architecture] | None


def check_architectures(
    spec: ModelDeploymentSpec, revision: Revision, table: Architectures
) -> Problem | None:
    """Find an image that has no build for an architecture which the spec or its class chooses.

    The scheduler may take any of the chosen ones, so each image needs a build for each of them.
    Where none is chosen nothing is refused: an image says itself, as ever, that it does not run.

    Args:
        spec: The deployment's spec.
        revision: What it asks for, references and class followed.
        table: What the platform knows of images.
    """
    chosen = revision.placement.architectures
    for image in _images(revision, table):
        builds = image.builds
        if builds is None:
            builds = spec.placement.architectures or table.unknown
        missing = [architecture for architecture in chosen if architecture not in builds]
        if missing and image.builds is None:
            return _unknown(spec, revision, image, missing, table)
        if missing:
            return _not_built(spec, revision, image, missing, table)
    return None


def _images(revision: Revision, table: Architectures) -> Iterator[_Image]:
    lite = revision.placement.profile is Profile.LITE
    if not lite:
        yield _server(revision, table)
    own = ["lite" if lite else "guard"]
    if revision.source is not None or revision.detectors or revision.explainer is not None:
        own.append("storage")
    if revision.explainer is not None:
        own.append("explainer")
    for name in own:
        yield _Image(f"Hune's image {name!r}", table.hune.get(name))


def _server(revision: Revision, table: Architectures) -> _Image:
    if revision.container is not None:
        image = revision.container.image
        return _Image(f"image {image!r}", table.images.get(_without_tag(image)))
    if revision.runtime is not None:
        return _Image(f"runtime {revision.runtime!r}", table.runtimes.get(revision.runtime))
    served = revision.source.format if revision.source else ""
    return _Image(f"the runtime that KServe chooses for format {served!r}", None)


def _without_tag(image: str) -> str:
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def _not_built(
    spec: ModelDeploymentSpec,
    revision: Revision,
    image: _Image,
    missing: Sequence[str],
    table: Architectures,
) -> Problem:
    builds = image.builds or ()
    ways = [f"spec.placement.architectures to {_listed(builds)}"] if builds else []
    ways += _other_protocol(revision, table)
    ways += _lite(revision, table)
    only = f", only for {_listed(builds)}" if builds else ""
    return Problem(
        "NoBuildForArchitecture",
        f"{_chooser(spec)}: {image.name} has no build for {_listed(missing)}{only}; "
        + (f"set {', or '.join(ways)}" if ways else "name another server"),
    )


def _unknown(
    spec: ModelDeploymentSpec,
    revision: Revision,
    image: _Image,
    missing: Sequence[str],
    table: Architectures,
) -> Problem:
    ways = ["spec.placement.architectures to those it has a build for"]
    ways += _lite(revision, table)
    return Problem(
        "ArchitecturesUnknown",
        f"{_chooser(spec)}: Hune does not know whether {image.name} has a build for "
        f"{_listed(missing)}; set {', or '.join(ways)}",
    )


def _other_protocol(revision: Revision, table: Architectures) -> list[str]:
    """Name the protocol whose runtime has the builds, where Hune chose the runtime."""
    if revision.source is None or revision.runtime is None:
        return []
    if revision.runtime != known_runtime(revision.source.format, revision.protocol):
        return []
    other = Protocol.V1 if revision.protocol is Protocol.V2 else Protocol.V2
    runtime = known_runtime(revision.source.format, other)
    if runtime is None or not _has_all(revision, table.runtimes.get(runtime, ())):
        return []
    return [f"spec.serving.protocol to {other}, whose {runtime} has one"]


def _lite(revision: Revision, table: Architectures) -> list[str]:
    if revision.placement.profile is Profile.LITE or revision.container is not None:
        return []
    if revision.explainer is not None:
        return []
    if not _has_all(revision, table.hune.get("lite", ())):
        return []
    return _way_to_lite(revision.source)


def _way_to_lite(source: Source | None) -> list[str]:
    if source is not None and source.format == LITE_FORMAT:
        return ["spec.placement.profile to Lite"]
    if source is not None and source.format in _CONVERTIBLE:
        return ["spec.placement.profile to Lite, once `hune convert` made ONNX of the model"]
    return []


def _has_all(revision: Revision, builds: Sequence[Architecture]) -> bool:
    return set(revision.placement.architectures) <= {str(build) for build in builds}


def _chooser(spec: ModelDeploymentSpec) -> str:
    if spec.placement.architectures:
        return f"spec.placement.architectures {_listed(spec.placement.architectures)}"
    return f"spec.placement.class {spec.placement.class_!r}"


def _listed(architectures: Sequence[str]) -> str:
    return f"[{', '.join(architectures)}]"
