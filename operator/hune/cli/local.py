"""A ModelDeployment whose artefacts lie on this machine: what its guard is told."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hune.cli.documents import (
    Document,
    find_version,
    in_namespace,
    read_documents,
    read_field,
)
from hune.cli.errors import UserError
from hune.contract.access import OPEN, AccessSettings, split_address
from hune.contract.digest import digest_of
from hune.contract.guard import DetectorSettings, GuardSettings
from hune.controlplane.plan.build.guard_config import read_guard_settings
from hune.controlplane.plan.model_deployment import plan_model_deployment
from hune.controlplane.policy.observed import CONFIG_MAP, Observed
from hune.controlplane.settings import Settings

_FORMAT = "onnx"
_SCHEME = "file://"
_DETECTORS = ("outliers", "adversarial")


@dataclass(frozen=True, slots=True)
class Local:
    """What is served on this machine.

    Attributes:
        settings: What the guard is told, as the operator would tell it.
        model: File or directory of the model.
    """

    settings: GuardSettings
    model: Path


def read_local(file: Path, authorizer: str = "") -> Local:
    """Return what a file's only ModelDeployment is on this machine.

    Its artefacts are named by `file://` or by a path relative to the file; a digest may be left
    out. Without an authorizer it is open to everybody.

    Args:
        file: YAML with a ModelDeployment and, where it names one, the ModelVersion.
        authorizer: Host and port of an authorizer; then access is as the file says.

    Raises:
        UserError: It cannot be served here.
    """
    try:
        split_address(authorizer or "none:1")
    except ValueError as error:
        raise UserError(f"--authorizer: {error}") from None
    documents = [in_namespace(document, "default") for document in read_documents(file)]
    deployment = _only_deployment(documents, file)
    version = find_version(documents, deployment)
    source, field = _source(deployment, version)
    artefacts = {"model": _take(source, file.parent, field)}
    if (given := source.setdefault("format", _FORMAT)) != _FORMAT:
        raise UserError(
            f"{field}.format: {given!r} is not served here, {_FORMAT!r} is; `hune convert` makes it"
        )
    for name in _DETECTORS:
        detector = read_field(deployment, "spec", "guard", name)
        if detector is not None:
            artefacts[name] = _take(detector, file.parent, f"spec.guard.{name}")
    # Where it runs, and whether the operator may act, is of no interest here.
    for name in ("placement", "suspend"):
        deployment["spec"].pop(name, None)
    settings = _plan(deployment, version)
    access = (
        AccessSettings(settings.access.mode, authorizer) if authorizer else AccessSettings(OPEN)
    )
    found: dict[str, Any] = {
        name: _in_place(getattr(settings, name), artefacts.get(name)) for name in _DETECTORS
    }
    return Local(replace(settings, access=access, **found), artefacts["model"])


def _only_deployment(documents: list[Document], file: Path) -> Document:
    found = [document for document in documents if document["kind"] == "ModelDeployment"]
    if len(found) != 1:
        raise UserError(f"{file}: has {len(found)} ModelDeployments; one is served at a time")
    return found[0]


def _source(deployment: Document, version: Document | None) -> tuple[Document, str]:
    """Return the model's source, and what to call it in a message."""
    source, field = read_field(deployment, "spec", "model", "source"), "spec.model"
    if version is not None:
        source, field = (
            version["spec"].get("source"),
            f"ModelVersion {version['metadata']['name']}: spec",
        )
    if not isinstance(source, dict):
        raise UserError(
            f"{field}.source: is missing; give it the model's uri here, or put the ModelVersion"
            " that spec.model.version names into the same file"
        )
    return source, f"{field}.source"


def _take(artefact: object, folder: Path, field: str) -> Path:
    """Return where an artefact lies, and name it as if it lay where a cluster could load it."""
    uri = artefact.get("uri") if isinstance(artefact, dict) else None
    if not isinstance(artefact, dict) or not isinstance(uri, str):
        raise UserError(f"{field}.uri: is missing; give a path relative to {folder}")
    if "://" in uri and not uri.startswith(_SCHEME):
        raise UserError(
            f"{field}.uri: {uri} is not on this machine; copy it here and give file:// and its"
            " path, or a path relative to the file"
        )
    place = (folder / uri.removeprefix(_SCHEME)).resolve()
    try:
        digest = digest_of(place)
    except (OSError, ValueError) as error:
        raise UserError(f"{field}.uri: {error}") from None
    if artefact.setdefault("digest", digest) != digest:
        raise UserError(
            f"{field}.digest: is {artefact['digest']}, what lies there has {digest}; set that, or"
            " leave it out"
        )
    artefact["uri"] = f"s3://here{quote(str(place), safe='/')}"
    return place


def _plan(deployment: Document, version: Document | None) -> GuardSettings:
    """Return the settings that the operator would write for the guard."""
    observed = Observed(model_version=version)
    plan = plan_model_deployment(deployment, observed, Settings(), datetime.now(UTC))
    for child in plan.children:
        if child.key[0] == CONFIG_MAP:
            return read_guard_settings(child.document)
    accepted = plan.status.document()["conditions"][0]
    raise UserError(f"{accepted['reason']}: {accepted['message']}")


def _in_place(detector: DetectorSettings | None, place: Path | None) -> DetectorSettings | None:
    if detector is None or place is None:
        return detector
    return replace(detector, uri=f"{_SCHEME}{place}", path=str(place))
