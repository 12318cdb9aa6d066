"""`python -m hune.dataplane.guard`: read the mounted files, serve, end cleanly."""

import asyncio
import logging
import os
import sys
from typing import Final

import uvloop

from hune.contract import names
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.app import Guard
from hune.dataplane.guard.environment import BadVariableError, Environment
from hune.dataplane.guard.identity import parse_key
from hune.dataplane.guard.mounted import MountedFile, UnusableFileError, follow
from hune.dataplane.guard.server import GuardServer

_UNUSABLE: Final = 2
_SETTINGS_FIX: Final = (
    "the operator writes it to the ConfigMap <revision>-guard: mount that"
    f" at {names.GUARD_DIRECTORY}, or set HUNE_GUARD_FILE"
)
_KEY_FIX: Final = (
    f"the operator makes the Secret {names.PREDICTION_KEY_SECRET}: mount that"
    f" at {names.PREDICTION_KEY_DIRECTORY}, or set HUNE_PREDICTION_KEY_FILE"
)


def main() -> int:
    """Run the guard until it is told to end; return the exit status."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        environment = Environment.read(os.environ)
        settings = MountedFile(environment.guard_file, _parse_settings, _SETTINGS_FIX)
        key = MountedFile(environment.key_file, parse_key, _KEY_FIX)
    except (BadVariableError, UnusableFileError) as error:
        sys.stderr.write(f"guard: {error}\n")
        return _UNUSABLE
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(environment, settings, key))
    return 0


async def _serve(
    environment: Environment, settings: MountedFile[GuardSettings], key: MountedFile[bytes]
) -> None:
    guard = Guard(environment, settings, key)
    # A guard that no longer follows its settings is worse than none: either ends with the other.
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(
            follow((settings, key), guard.apply, guard.telemetry.file_failed)
        )
        await GuardServer(guard, environment).serve()
        following.cancel()


def _parse_settings(content: bytes) -> GuardSettings:
    return GuardSettings.from_json(content.decode())


if __name__ == "__main__":
    sys.exit(main())
