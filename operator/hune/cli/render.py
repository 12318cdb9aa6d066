"""`hune render`: what would be made of a file, without any cluster."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hune.cli.documents import Document, find_version, in_namespace, read_documents
from hune.cli.output import to_yaml
from hune.cli.pin import pin

if TYPE_CHECKING:
    from hune.controlplane.settings import Settings


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
    faults = 0
    for document in documents:
        if document["kind"] == "ModelDeployment":
            faults += _render(document, find_version(documents, document), settings)
    return 1 if faults else 0


def _render(document: Document, version: Document | None, settings: "Settings") -> int:
    from hune.controlplane.plan.model_deployment import plan_model_deployment
    from hune.controlplane.policy.observed import Observed

    observed = Observed(model_version=version)
    plan = plan_model_deployment(document, observed, settings, datetime.now(UTC))
    accepted = plan.status.document()["conditions"][0]
    if not plan.children:
        name = document["metadata"]["name"]
        print(f"hune: {name}: {accepted['reason']}: {accepted['message']}", file=sys.stderr)
        return 1
    print("---\n" + to_yaml(child.document for child in plan.children), end="")
    return 0
