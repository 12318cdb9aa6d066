"""`hune fit explainer`: make an explainer for a model."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hune import __version__
from hune.cli.errors import UserError
from hune.cli.job import job, listed, pairs

if TYPE_CHECKING:
    from hune.dataplane.jobs.fit_explainer import Order, Outcome

_IMAGE = f"docker.io/hune/explainer:{__version__}"
_ELSEWHERE = f"run this in the image {_IMAGE}, which `hune fit explainer --help` shows how to"
_METHODS = ("TreeShap", "KernelShap", "AnchorTabular", "AnchorImage")
_EPILOG = f"""\
TreeShap explains trees exactly, from the model's own file: XGBoost's (.json, .ubj, .bst),
LightGBM's text, and scikit-learn's forests, trees and gradient boosting (--trust-pickle). The
other methods ask the served model and need --data, rows that it was trained on (AnchorImage:
--shape). A pickle is best read where it was written, with the same scikit-learn. For all else the
image {_IMAGE} has what is needed:

  docker run --rm --user "$(id -u)" -v "$PWD:/data" {_IMAGE} \\
    hune.cli.main fit explainer --method TreeShap --model model.json --to explainer

--parameter takes, with their defaults:
  KernelShap     samples=0 (0: 2 x columns + 2048)
  AnchorTabular  precision=0.95 batch=200
  AnchorImage    precision=0.95 batch=100 segments=15
"""


def add_kind(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the kind's arguments."""
    explainer = kinds.add_parser(
        "explainer",
        help="make an explainer",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explainer.set_defaults(run=run)
    add = explainer.add_argument
    add("--method", required=True, choices=_METHODS)
    add("--to", required=True, type=Path, metavar="DIR", help="new directory for the explainer")
    add("--model", type=Path, metavar="PATH", help="the model's file or directory, for TreeShap")
    add("--data", type=Path, metavar="FILE", help="training rows: .csv, .parquet or .npy")
    add("--features", default="", metavar="A,B", help="columns, in this order; else all")
    add("--background", default=0, type=int, metavar="ROWS", help="rows of the data to keep")
    add("--predictor-output", default="", metavar="NAME", help="V2 output; else the first")
    add("--shape", default="", metavar="H,W,C", help="shape of one image")
    add("--parameter", action="append", default=[], metavar="KEY=VALUE", help="of the method")
    add("--trust-pickle", action="store_true", help="read a pickle, which runs what it holds")
    add("--seed", default=0, type=int, help="the same seed keeps the same rows (0)")
    add("--output", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Make an explainer and say what came of it."""
    with job(_ELSEWHERE):
        from hune.dataplane.jobs.fit_explainer import fit_explainer

        order = _order(arguments)
        outcome = fit_explainer(order)
    if arguments.output == "json":
        print(json.dumps(_document(outcome, order.to), indent=2))
    else:
        print(_text(outcome, order.to))
    return 0


def _order(arguments: argparse.Namespace) -> "Order":
    from hune.dataplane.jobs.fit_explainer import Order

    if arguments.background < 0:
        raise UserError(f"--background {arguments.background}: a number of rows is wanted")
    return Order(
        method=arguments.method,
        model=arguments.model,
        data=arguments.data,
        features=listed(arguments.features),
        background=arguments.background,
        parameters=pairs(arguments.parameter),
        predictor_output=arguments.predictor_output,
        shape=_shape(arguments.shape),
        trust_pickle=arguments.trust_pickle,
        seed=arguments.seed,
        to=arguments.to,
    )


def _shape(text: str) -> tuple[int, ...]:
    parts = listed(text)
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UserError(f"--shape {text}: whole numbers are wanted, as 28,28,1")
    return tuple(map(int, parts))


def _document(outcome: "Outcome", directory: Path) -> dict[str, Any]:
    header = outcome.header
    return {
        "directory": str(directory),
        "digest": outcome.digest,
        "method": header.method,
        "scale": header.scale,
        "outputs": list(header.outputs),
        "featureCount": header.feature_count,
        "features": list(header.features),
        "checkedRows": outcome.checked_rows,
        "modelDigest": header.model_digest,
        "dataDigest": header.data_digest,
        "fittedWith": header.fitted_with,
    }


def _text(outcome: "Outcome", directory: Path) -> str:
    header = outcome.header
    lines = [f"{header.method} for {header.feature_count} columns, scale {header.scale}"]
    if outcome.checked_rows:
        said = f"predicts what the model does on {outcome.checked_rows} rows"
        lines.append(f"{said} ({header.fitted_with})")
    return "\n".join([*lines, f"written to {directory}", f"digest {outcome.digest}"])
