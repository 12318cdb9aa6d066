"""A guard's whole process: read the mounted files, serve, end cleanly."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Final

import uvloop

from hune.contract import names
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.app import Guard
from hune.dataplane.guard.environment import BadVariableError, Environment
from hune.dataplane.guard.identity import parse_key
from hune.dataplane.guard.mounted import MountedFile, UnusableFileError, follow
from hune.dataplane.guard.predictor import MakePredictor
from hune.dataplane.guard.server import GuardServer

UNUSABLE: Final = 2
_SETTINGS_FIX: Final = (
    "the operator writes it to the ConfigMap <revision>-guard: mount that"
    f" at {names.GUARD_DIRECTORY}, or set HUNE_GUARD_FILE"
)
_KEY_FIX: Final = (
    f"the operator makes the Secret {names.PREDICTION_KEY_SECRET}: mount that"
    f" at {names.PREDICTION_KEY_DIRECTORY}, or set HUNE_PREDICTION_KEY_FILE"
)


def run(variables: Mapping[str, str], make_predictor: MakePredictor) -> int:
    """Run a guard until it is told to end; return the exit status.

    Args:
        variables: The environment.
        make_predictor: Returns whom the guard asks.
    """
    configure_logging()
    try:
        environment = Environment.read(variables)
        settings = MountedFile(environment.guard_file, _parse_settings, _SETTINGS_FIX)
        key = MountedFile(environment.key_file, parse_key, _KEY_FIX)
    except (BadVariableError, UnusableFileError) as error:
        sys.stderr.write(f"guard: {error}\n")
        return UNUSABLE
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(environment, settings, key, make_predictor))
    return 0


def configure_logging() -> None:
    """Log lines with time and level to standard error."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


async def _serve(
    environment: Environment,
    settings: MountedFile[GuardSettings],
    key: MountedFile[bytes],
    make_predictor: MakePredictor,
) -> None:
    guard = Guard(environment, settings, key, make_predictor)
    # A guard that no longer follows its settings is worse than none: either ends with the other.
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(
            follow((settings, key), guard.apply, guard.telemetry.file_failed)
        )
        await GuardServer(guard, environment).serve()
        following.cancel()


def _parse_settings(content: bytes) -> GuardSettings:
    return GuardSettings.from_json(content.decode())
