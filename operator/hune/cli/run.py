"""`hune run`: the operator, in a cluster or on a laptop."""

import argparse
import sys
from pathlib import Path

from hune.cli.errors import UserError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("run", help="run the operator, in a cluster or on a laptop")
    parser.add_argument("--config", type=Path, help="settings file; defaults without one")
    parser.add_argument("--port", type=int, default=8080, help="probes and metrics; 0 for none")
    parser.add_argument(
        "--no-election", action="store_true", help="act at once, without a Lease (one replica only)"
    )
    parser.add_argument("--debug", action="store_true", help="log what is decided")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal.

    Raises:
        UserError: The settings file is wrong, or no cluster is named.
    """
    # kopf imports the kubernetes package where it is installed and then holds 20 MiB unused.
    sys.modules.setdefault("kubernetes", None)  # type: ignore[arg-type]
    import uvloop

    from hune.controlplane import handlers, settings
    from hune.controlplane.errors import NoClusterError, SettingsError
    from hune.controlplane.telemetry import configure_logging

    configure_logging(verbose=arguments.debug)
    process = handlers.Process(port=arguments.port, elect=not arguments.no_election)
    uvloop.install()
    try:
        return handlers.run(settings.load(arguments.config), process)
    except (SettingsError, NoClusterError) as error:
        raise UserError(str(error)) from None
