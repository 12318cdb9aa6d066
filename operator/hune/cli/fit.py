"""`hune fit`: fit a detector for the guard; an explainer is made next door."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hune import __version__
from hune.cli import fit_explainer
from hune.cli.job import job, listed, pairs

if TYPE_CHECKING:
    from hune.dataplane.jobs.fit import Outcome

_IMAGE = f"docker.io/hune/fit:{__version__}"
_ELSEWHERE = f"run this in the image {_IMAGE}, which `hune fit KIND --help` shows how to"
_METHODS = ("IForest", "Mahalanobis")
_ADVERSARIAL_METHODS = ("Neighbours", "AdversarialAE")
_EPILOG = f"""\
The threshold is set with rows that are held out, so that at most the stated share of ordinary rows
is flagged. Fitting needs alibi-detect, which the image {_IMAGE} has:

  docker run --rm --user "$(id -u)" -v "$PWD:/data" {_IMAGE} \\
    fit outlier --data train.csv --method IForest --false-alarm-rate 0.01 --to outlier

--parameter takes, with their defaults:
  IForest       trees=100 samples=256
  Mahalanobis   components=3 clip=3 clip-after=100 standardise=0
"""
_ADVERSARIAL_EPILOG = f"""\
MODEL is a scikit-learn classifier as joblib saves it, or its directory. Opening it runs what is in
it, as with any pickle. The threshold is honest only if it is set with rows that the model was not
trained with: name them in --calibrate-with, or give none but such rows in --data.

  docker run --rm --user "$(id -u)" -v "$PWD:/data" {_IMAGE} \\
    fit adversarial --data train.csv --calibrate-with fresh.csv --model model.joblib \\
    --method Neighbours --false-alarm-rate 0.01 --to adversarial

--parameter takes, with their defaults:
  Neighbours    neighbours=5 references=2000 standardise=0
  AdversarialAE hidden=128 code=32 epochs=20 batch=64 temperature=100 standardise=0
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("fit", help="fit a detector or an explainer")
    kinds = parser.add_subparsers(metavar="KIND", required=True)
    fit_explainer.add_kind(kinds)
    outlier = _add_kind(kinds, "outlier", "fit an outlier detector", _EPILOG, _METHODS)
    outlier.set_defaults(model=None, calibrate_with=None)
    adversarial = _add_kind(
        kinds,
        "adversarial",
        "fit a detector of adversarial rows",
        _ADVERSARIAL_EPILOG,
        _ADVERSARIAL_METHODS,
    )
    add = adversarial.add_argument
    add("--model", required=True, type=Path, metavar="MODEL", help="the model to be defended")
    add("--calibrate-with", type=Path, metavar="FILE", help="rows that set the threshold")


def _add_kind(
    kinds: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    says: str,
    epilog: str,
    methods: tuple[str, ...],
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(
        name, help=says, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--data", required=True, type=Path, metavar="FILE", help="rows: .csv, .parquet or .npy")
    add("--method", required=True, choices=methods)
    add("--to", required=True, type=Path, metavar="DIR", help="new directory for the detector")
    add("--false-alarm-rate", default="0.05", metavar="RATE", help="share that may be flagged")
    add("--features", default="", metavar="A,B", help="columns to take, in this order; else all")
    add("--held-out", default="0.2", metavar="SHARE", help="share that sets the threshold (0.2)")
    add("--seed", default=0, type=int, help="the same seed gives the same detector (0)")
    add("--parameter", action="append", default=[], metavar="KEY=VALUE", help="of the method")
    add("--name", default="", help="what the detector is called; by default as its directory")
    add("--output", choices=("text", "json"), default="text")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Fit a detector and say what came of it."""
    with job(_ELSEWHERE):
        from hune.dataplane.jobs.fit import Order, fit_detector

        order = Order(
            data=arguments.data,
            features=listed(arguments.features),
            method=arguments.method,
            parameters=pairs(arguments.parameter),
            false_alarm_rate=arguments.false_alarm_rate,
            held_out=arguments.held_out,
            seed=arguments.seed,
            to=arguments.to,
            name=arguments.name or arguments.to.resolve().name,
            model=arguments.model,
            calibrate_with=arguments.calibrate_with,
        )
        outcome = fit_detector(order)
    if arguments.output == "json":
        print(json.dumps(_document(outcome, order.to), indent=2))
    else:
        print(_text(outcome, order.to))
    return 0


def _document(outcome: "Outcome", directory: Path) -> dict[str, Any]:
    header, calibration = outcome.detector.header, outcome.calibration
    return {
        "directory": str(directory),
        "digest": outcome.digest,
        "method": header.method,
        "threshold": header.threshold,
        "falseAlarmRate": {
            "stated": header.false_alarm_rate,
            "achieved": f"{calibration.above / calibration.held_out:.6g}",
            "flagged": calibration.above,
            "heldOut": calibration.held_out,
        },
        "trainRows": outcome.train_rows,
        "featureCount": header.feature_count,
        "features": list(header.features),
        "dataDigest": header.data_digest,
        "fittedWith": header.fitted_with,
        **({} if outcome.agreement is None else {"agreement": f"{outcome.agreement:.6g}"}),
    }


def _text(outcome: "Outcome", directory: Path) -> str:
    header, calibration = outcome.detector.header, outcome.calibration
    achieved = calibration.above / calibration.held_out
    agreement = "" if outcome.agreement is None else _agreement(outcome.agreement)
    return (
        f"{header.method} fitted on {outcome.train_rows} rows of {header.feature_count} columns\n"
        f"threshold {header.threshold}: {calibration.above} of {calibration.held_out} held-out "
        f"rows are above it ({achieved:.4f}, stated {header.false_alarm_rate})\n"
        f"{agreement}"
        f"written to {directory}\n"
        f"digest {outcome.digest}"
    )


def _agreement(share: float) -> str:
    return f"the model as it is packed names the same class for {share:.1%} of these rows\n"
