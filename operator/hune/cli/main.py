"""The command `hune`.

Each subcommand is a module with `add_parser(subparsers)`, which sets `run` as its default, and
`run(arguments) -> int`. What is heavy is imported in `run`, so that `hune --help` is quick.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

from hune import __version__
from hune.cli import (
    authorizer,
    contract,
    convert,
    crds,
    fit,
    predict,
    register,
    render,
    run,
    serve,
)
from hune.cli.errors import UserError

_COMMANDS: tuple[ModuleType, ...] = (
    run,
    authorizer,
    crds,
    render,
    register,
    fit,
    convert,
    contract,
    predict,
    serve,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except UserError as error:
        print(f"hune: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 one line for a person, the rest on --verbose
        if parsed.verbose:
            traceback.print_exc()
        hint = "" if parsed.verbose else " (--verbose shows where)"
        print(f"hune: {type(error).__name__}: {error}{hint}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hune", description="Make models on KServe watched.")
    parser.add_argument("--version", action="version", version=f"hune {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show where an error arose")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
