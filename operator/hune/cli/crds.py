"""`hune crds`: print the CustomResourceDefinitions, or write them to a folder."""

import argparse
from pathlib import Path

from hune.cli.errors import UserError
from hune.cli.output import to_yaml


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("crds", help="print the CustomResourceDefinitions")
    parser.add_argument("--output", type=Path, help="folder to write one file per kind into")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the definitions.

    Raises:
        UserError: The folder cannot be written.
    """
    from hune.controlplane.api.schema import build_definitions

    definitions = build_definitions()
    if arguments.output is None:
        print(to_yaml(definitions), end="")
        return 0
    try:
        arguments.output.mkdir(parents=True, exist_ok=True)
        for definition in definitions:
            file = arguments.output / f"{definition['metadata']['name']}.yaml"
            file.write_text(to_yaml([definition]))
    except OSError as error:
        raise UserError(f"--output {arguments.output}: {error.strerror}; name another") from None
    return 0
