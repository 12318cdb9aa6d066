"""`hune convert`: ONNX of a trained model, for profile Lite."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from hune import __version__
from hune.cli.errors import UserError
from hune.cli.job import job, listed

if TYPE_CHECKING:
    from hune.dataplane.jobs.convert import Outcome

_IMAGE = f"docker.io/hune/convert:{__version__}"
_ELSEWHERE = (
    "install it (pip install 'hune[convert]', and the model's own library), or run this in the"
    f" image {_IMAGE}, which `hune convert --help` shows how to"
)
_EPILOG = f"""\
Writes DIR/model.onnx and DIR/parity.json: how far its answers are from the library's own, on the
rows of --data or on rows drawn at the model's split thresholds, the hard cases. When more than
--allow rows disagree, no model is written and the exit status is 1.

xgboost's .json and .ubj and lightgbm's .txt are read as they are. A scikit-learn model is a pickle,
which runs code when it is loaded: say --trust-pickle for one whose author you trust. It wants the
version of scikit-learn that saved it.

The libraries are in the image {_IMAGE}, or in an environment of yours:
  pip install 'hune[convert]' scikit-learn      (or xgboost, or lightgbm)
  docker run --rm --user "$(id -u)" -v "$PWD:/data" {_IMAGE} convert model.json --to income-onnx

Then: hune register income-onnx --format onnx --name income --number 8 --to s3://models/income/8
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "convert",
        help="make ONNX of a model, for profile Lite",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add(
        "model", metavar="MODEL", type=Path, help="the model's file, or the directory that holds it"
    )
    add("--to", required=True, type=Path, metavar="DIR", help="new directory for ONNX and report")
    add("--from", dest="library", choices=("sklearn", "xgboost", "lightgbm"), default="")
    add("--trust-pickle", action="store_true", help="load a pickle: it runs its author's code")
    add("--data", type=Path, metavar="FILE", help="rows to compare with: .csv, .parquet or .npy")
    add("--features", default="", metavar="A,B", help="columns of FILE to take, in this order")
    add("--rows", type=int, default=2000, help="rows to draw without --data (2000)")
    add("--seed", type=int, default=0, help="the same seed draws the same rows (0)")
    add("--tolerance", type=float, default=1e-4, help="of max(1, |the library's number|) (1e-4)")
    add("--allow", type=int, default=0, metavar="N", help="rows that may disagree (0)")
    add("--output", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Convert a model and say how near it is; 1 when it is not near enough."""
    if arguments.rows < 1 or arguments.allow < 0:
        raise UserError("--rows must be 1 or more, --allow 0 or more")
    if not 0 <= arguments.tolerance < math.inf:
        raise UserError(f"--tolerance {arguments.tolerance:g}: 0 or a positive number is wanted")
    with job(_ELSEWHERE):
        from hune.dataplane.jobs.convert import Order, convert

        order = Order(
            model=arguments.model,
            library=arguments.library,
            trust_pickle=arguments.trust_pickle,
            to=arguments.to,
            data=arguments.data,
            features=listed(arguments.features),
            rows=arguments.rows,
            seed=arguments.seed,
            tolerance=arguments.tolerance,
            allowed=arguments.allow,
        )
        outcome = convert(order)
    said = _json(outcome) if arguments.output == "json" else _text(outcome, order.to)
    print(said)
    return 0 if outcome.parity.holds else 1


def _json(outcome: "Outcome") -> str:
    return json.dumps({"digest": outcome.digest, **outcome.parity.document()}, indent=2)


def _text(outcome: "Outcome", directory: Path) -> str:
    if outcome.digest is None:
        written = (
            f"no model is written; the report is {directory / 'parity.json'}. Compare on rows that "
            "the model will see by --data, or say by --allow and --tolerance what is near enough"
        )
    else:
        written = f"written to {directory}\ndigest {outcome.digest}"
    return f"{outcome.parity.text()}\n{written}"
