"""`hune register`: store a trained model and say what it is."""

import argparse
from pathlib import Path
from typing import Any

from hune import __version__

_EPILOG = """\
The model is uploaded, read back, and described as a ModelVersion, with its digest and lineage.
Credentials for s3:// come from the usual AWS_ variables; pvc:// is reached through a short-lived
pod in the namespace. Example:

  hune register model/ --name income --number 7 --to s3://models/income/7 > income-7.yaml
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "register",
        help="store a trained model and print its ModelVersion",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("path", metavar="PATH", type=Path, help="the model: a file or a directory")
    add("--name", required=True, help="name of the model")
    add("--number", required=True, type=int, help="number of this version, from 1")
    add("--to", required=True, metavar="URI", help="s3://bucket/path or pvc://claim/path")
    add("--format", default="sklearn", help="model format as KServe names it (sklearn)")
    add("--secret-ref", metavar="NAME", help="Secret that the cluster reads the model with")
    add("--endpoint-url", metavar="URL", help="an S3 server other than Amazon's")
    add("--namespace", help="namespace of the ModelVersion and of a claim")
    add("--force", action="store_true", help="replace other files that lie there")
    _add_lineage(parser.add_argument_group("lineage").add_argument)
    add("--output", choices=("yaml", "apply"), default="yaml", help="print it, or apply it")
    image = f"docker.io/hune/storage:{__version__}"
    add("--image", default=image, help="image of the pod that reaches a claim")


def _add_lineage(add: Any) -> None:
    pair = {"action": "append", "default": [], "metavar": "KEY=VALUE"}
    data = "data set it was trained on: a local path, URI=PATH of a local copy, or a URI"
    add("--code", type=Path, default=Path(), help="directory of the training code (here)")
    add("--data", action="append", default=[], help=data)
    add("--parameter", **pair, help="training parameter")
    add("--metric", **pair, help="training metric, a decimal number")
    add("--run-id", metavar="ID", help="id of the training run")
    add("--tracker", metavar="URL", help="where the run is recorded")
    add("--parent", metavar="NAME", help="ModelVersion that this one was trained from")


def run(arguments: argparse.Namespace) -> int:
    """Store the model, then print or apply its ModelVersion."""
    from hune.cli.registration import register

    register(arguments)
    return 0
