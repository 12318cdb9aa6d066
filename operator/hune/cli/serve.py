"""`hune serve`: a ModelDeployment on this machine, without a cluster."""

import argparse
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hune.cli.errors import UserError
from hune.contract.prediction import KEY_BYTES

if TYPE_CHECKING:
    from hune.cli.local import Local

_EPILOG = """\
The same guard and ONNX model in one process as the Lite profile has on a node. In the file,
spec.model.source.uri and the uri of a detector are file:// and a path, or a path relative to the
file; a digest may be left out. Ctrl-C ends it. Example:

  hune serve -f model.yaml &
  curl -d @request.json http://127.0.0.1:9000/v2/models/income/infer
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "serve",
        help="serve a deployment's ONNX model here, without a cluster",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("-f", "--file", type=Path, required=True, help="YAML file with a ModelDeployment")
    add("--port", type=int, default=9000, help="port to listen on; 0 for any (9000)")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    authorizer = "ask this authorizer who may ask; without one, everybody may"
    add("--authorizer", metavar="HOST:PORT", default="", help=authorizer)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from hune.cli.local import read_local

    try:
        from hune.dataplane.guard.environment import BadVariableError
        from hune.dataplane.lite import process
        from hune.dataplane.lite.model import Model, ModelError
        from hune.dataplane.lite.options import Options
    except ImportError as error:
        raise UserError(f"{error}; it is in `pip install 'hune[lite]'`") from None
    local = read_local(arguments.file, arguments.authorizer)
    with tempfile.TemporaryDirectory(prefix="hune-serve-") as folder:
        variables = _variables(local, Path(folder), arguments.host, arguments.port)
        try:
            model = Model(Options.read(variables))
        except (BadVariableError, ModelError) as error:
            raise UserError(str(error)) from None
        _check_port(arguments.host, arguments.port)
        print(_text(local, arguments.host, arguments.port), flush=True)
        return process.serve(variables, model)


def _variables(local: "Local", folder: Path, host: str, port: int) -> dict[str, str]:
    """Write the files that a cluster would mount, and return the guard's environment."""
    guard_file, key_file = folder / "guard.json", folder / "key"
    guard_file.write_text(local.settings.to_json())
    key_file.write_bytes(secrets.token_bytes(KEY_BYTES))
    return {
        "HUNE_DRAIN_SECONDS": "0",
        **os.environ,
        "HUNE_HOST": host,
        "HUNE_PORT": str(port),
        "HUNE_GUARD_FILE": str(guard_file),
        "HUNE_PREDICTION_KEY_FILE": str(key_file),
        "HUNE_MODEL_DIRECTORY": str(local.model),
    }


def _check_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"--host {host} --port {port}: {reason}; choose others") from None


def _text(local: "Local", host: str, port: int) -> str:
    settings = local.settings
    address = f"http://{host}:{port}" if port else f"a port of {host} that the log names"
    access = (
        f"access is {settings.access.mode}, decided by {settings.access.authorizer}"
        if settings.access.authorizer
        else "access is Open, whatever the file says: who reaches the port may ask"
    )
    return (
        f"serving {settings.deployment}, version {settings.model_version}, on {address}\n"
        f"POST /v2/models/{settings.deployment}/infer or"
        f" /v1/models/{settings.deployment}:predict; /docs says what it takes\n{access}"
    )
