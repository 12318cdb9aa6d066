"""`hune contract`: infer a data contract from data, and check data against one."""

import argparse
import os
import sys
from pathlib import Path

from hune.cli import data_file
from hune.cli.errors import UserError
from hune.cli.output import to_yaml
from hune.contract.report import ContractReport

_TERMINATION_LOG = "/dev/termination-log"
_INFER = """\
Prints a block for the spec of a ModelDeployment. Read it before it is used: the data may hold what
should not be, ranges may be too narrow, and units are known to you alone. Example:

  hune contract infer train.csv --without label --margin 0.1 > contract.yaml
"""
_CHECK = """\
Exit status 0: the data keeps the contract; 1: it breaks it; 2: it could not be read. Example:

  hune contract check new.csv --without label --contract contract.yaml
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "contract", help="infer a data contract, or check data against one"
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_infer(_action(actions, "infer", "print the contract that data keeps", _INFER))
    _add_check(_action(actions, "check", "check data against a contract", _CHECK))


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str, more: str
) -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = actions.add_parser(name, help=what, epilog=more, formatter_class=form)
    data_file.add_arguments(parser)
    return parser


def _add_infer(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=infer)
    add = parser.add_argument
    margin = "widen every range by this part of its width at both ends (0)"
    add("--margin", type=float, default=0.0, metavar="PART", help=margin)
    categories = "a text with more distinct values is no category (20)"
    add("--categories-at-most", type=int, default=20, metavar="N", help=categories)
    add("--output", choices=("yaml", "json"), default="yaml", help="how to print it (yaml)")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=check)
    add = parser.add_argument
    file = "YAML file with a contract or with a ModelDeployment that has one; - for standard input"
    add("--contract", required=True, metavar="FILE", help=file)
    add("--output", choices=("text", "json"), default="text", help="how to print the report (text)")
    tolerated = "how many breaches are tolerated (0)"
    add("--maximum-breaches", type=int, default=0, metavar="N", help=tolerated)
    add("--examples", type=int, default=20, metavar="N", help="how many breaches are shown (20)")
    log = "also leave the report as the container's termination message, up to 4 KiB of JSON"
    add("--termination-log", action="store_true", help=log)


def infer(arguments: argparse.Namespace) -> int:
    """Print the contract that some data keeps."""
    if not 0 <= arguments.margin <= 1000:  # noqa: PLR2004 beyond that it is a mistake
        raise UserError(f"--margin {arguments.margin}: a number from 0 to 1000 is wanted")
    if not 0 <= arguments.categories_at_most <= 100:  # noqa: PLR2004 what the kind allows
        raise UserError(f"--categories-at-most {arguments.categories_at_most}: 0 to 100 is wanted")
    _require_numpy()
    from hune.cli.contract_data import infer_contract

    block = infer_contract(arguments)
    if arguments.output == "json":
        import json

        print(json.dumps(block, indent=2))
    else:
        print(to_yaml([block]), end="")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Report how data keeps to a contract."""
    for option in ("maximum_breaches", "examples"):
        if getattr(arguments, option) < 0:
            raise UserError(
                f"--{option.replace('_', '-')}: a number that is not negative is wanted"
            )
    _require_numpy()
    from hune.cli.contract_data import check_data

    report = check_data(arguments)
    text = report.to_json() if arguments.output == "json" else "\n".join(report.lines())
    print(text)
    if arguments.termination_log:
        _leave(report)
    return 1 if report.breaches > arguments.maximum_breaches else 0


def _leave(report: ContractReport) -> None:
    """Write the termination message; where that cannot be, the report was printed anyway."""
    place = Path(os.environ.get("HUNE_TERMINATION_LOG", _TERMINATION_LOG))
    try:
        place.write_text(report.to_termination_message())
    except OSError as error:
        print(f"hune: --termination-log: {place}: {error.strerror}", file=sys.stderr)


def _require_numpy() -> None:
    try:
        import numpy  # noqa: F401, ICN001
    except ImportError:
        raise UserError("this needs numpy: `pip install 'hune[cli]'`") from None
