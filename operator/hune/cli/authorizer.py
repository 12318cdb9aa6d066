"""`hune authorizer`: answers guards whether a caller may ask."""

import argparse
import sys

from hune.cli.errors import UserError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("authorizer", help="answer guards whether a caller may ask")
    parser.add_argument("--port", type=int, default=8080, help="for guards")
    parser.add_argument("--probes-port", type=int, default=8081, help="0 for none")
    parser.add_argument(
        "--drain-seconds", type=float, default=5.0, help="how long to serve on after SIGTERM"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal.

    Raises:
        UserError: No cluster is named.
    """
    # As in `hune run`: kopf would import what is not needed here.
    sys.modules.setdefault("kubernetes", None)  # type: ignore[arg-type]
    import uvloop

    from hune.controlplane.authorizer import Place, serve
    from hune.controlplane.errors import NoClusterError
    from hune.controlplane.telemetry import configure_logging

    configure_logging(verbose=False)
    try:
        uvloop.run(serve(Place(arguments.port, arguments.probes_port, arguments.drain_seconds)))
    except NoClusterError as error:
        raise UserError(str(error)) from None
    return 0
