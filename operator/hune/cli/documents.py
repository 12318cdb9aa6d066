"""The objects that a person's YAML file holds, and reading fields that may be anything."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from hune.cli.errors import UserError

_KINDS = ("ModelDeployment", "ModelVersion")

Document = dict[str, Any]


def read_documents(file: Path) -> Iterator[Document]:
    """Yield a file's objects, each of which has a name and a spec.

    Raises:
        UserError: It is no YAML, or holds what is no object of ours.
    """
    try:
        documents = [d for d in yaml.safe_load_all(file.read_bytes()) if d is not None]
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not YAML: {error}") from None
    for number, document in enumerate(documents, 1):
        try:
            _check(document)
        except UserError as error:
            raise UserError(f"{file}: document {number}: {error}") from None
        yield document


def _check(document: object) -> None:
    kind = document.get("kind") if isinstance(document, dict) else type(document).__name__
    if not isinstance(document, dict) or kind not in _KINDS:
        raise UserError(f"kind {kind!r} is none of {', '.join(_KINDS)}")
    for name in ("name", "namespace"):
        text = read_field(document, "metadata", name)
        if not isinstance(text, str) and not (name == "namespace" and text is None):
            said = "is missing" if text is None else f"must be a text (got {text!r})"
            raise UserError(f"metadata.{name}: {said}")
    if not isinstance(document.get("spec"), dict):
        raise UserError(f"spec: must be a mapping (got {document.get('spec')!r})")


def read_field(document: Mapping[str, Any], *path: str) -> Any:
    """Return what stands at a path, None where nothing does.

    Raises:
        UserError: On the way stands something else than a mapping; the message names it.
    """
    found: Any = document
    for depth, name in enumerate(path):
        found = found.get(name)
        if found is None:
            return None
        if not isinstance(found, dict) and depth + 1 < len(path):
            raise UserError(f"{'.'.join(path[: depth + 1])}: must be a mapping (got {found!r})")
    return found


def find_version(documents: Iterable[Document], deployment: Document) -> Document | None:
    """Return the ModelVersion that a deployment names, if it is among the objects of its file.

    Raises:
        UserError: The deployment's `spec.model` is no mapping.
    """
    name = read_field(deployment, "spec", "model", "version")
    for document in documents:
        if document["kind"] == "ModelVersion" and document["metadata"]["name"] == name:
            return document
    return None


def in_namespace(document: Document, namespace: str) -> Document:
    """Return an object with the namespace that it is in where it names none."""
    metadata = {"namespace": namespace} | document["metadata"]
    return {"apiVersion": "hune.dev/v1alpha1"} | document | {"metadata": metadata}
