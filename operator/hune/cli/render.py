"""`hune render`: what would be made of a file, without any cluster."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from hune.cli.errors import UserError
from hune.cli.output import to_yaml
from hune.cli.pin import pin

_KINDS = ("ModelDeployment", "ModelVersion")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("render", help="print the children of a file's objects")
    parser.add_argument("-f", "--file", type=Path, required=True, help="YAML file")
    parser.add_argument("--config", type=Path, help="the platform's settings file")
    parser.add_argument("--namespace", default="default", help="for objects that name none")
    parser.add_argument(
        "--pin",
        action="store_true",
        help="print the file itself instead, with the digests of what its s3:// sources hold",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the children of every ModelDeployment in the file, or the file with digests."""
    from hune.controlplane.settings import load

    if arguments.pin:
        print(to_yaml(pin(document) for document in read_documents(arguments.file)), end="")
        return 0
    settings = load(arguments.config)
    documents = [in_namespace(d, arguments.namespace) for d in read_documents(arguments.file)]
    versions = {d["metadata"]["name"]: d for d in documents if d["kind"] == "ModelVersion"}
    faults = 0
    for document in documents:
        if document["kind"] == "ModelDeployment":
            faults += _render(document, versions, settings)
    return 1 if faults else 0


def _render(document: dict[str, Any], versions: dict[str, Any], settings: Any) -> int:
    from hune.controlplane.plan.model_deployment import plan_model_deployment
    from hune.controlplane.policy.observed import Observed

    version = (document.get("spec", {}).get("model") or {}).get("version", "")
    observed = Observed(model_version=versions.get(version))
    plan = plan_model_deployment(document, observed, settings, datetime.now(UTC))
    accepted = plan.status.document()["conditions"][0]
    if not plan.children:
        name = document["metadata"]["name"]
        print(f"hune: {name}: {accepted['reason']}: {accepted['message']}", file=sys.stderr)
        return 1
    print("---\n" + to_yaml(child.document for child in plan.children), end="")
    return 0


def read_documents(file: Path) -> Iterator[dict[str, Any]]:
    """Yield a file's objects.

    Raises:
        UserError: It is no YAML, or holds what is no object of ours.
    """
    try:
        documents = [d for d in yaml.safe_load_all(file.read_text()) if d is not None]
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not YAML: {error}") from None
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict) or document.get("kind") not in _KINDS:
            kind = document.get("kind") if isinstance(document, dict) else type(document).__name__
            raise UserError(
                f"{file}: document {number}: kind {kind!r} is none of {', '.join(_KINDS)}"
            )
        if not isinstance(document.get("metadata"), dict) or "name" not in document["metadata"]:
            raise UserError(f"{file}: document {number}: metadata.name is missing")
        yield document


def in_namespace(document: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Return an object with the namespace that it is in where it names none."""
    metadata = {"namespace": namespace} | document["metadata"]
    return {"apiVersion": "hune.dev/v1alpha1"} | document | {"metadata": metadata}
