"""`python -m hune.dataplane.explainer`: load the artefact, serve, end cleanly."""

import asyncio
import logging
import os
import sys
from typing import Final

import uvloop

from hune.dataplane.explainer.app import ExplainerApp
from hune.dataplane.explainer.environment import ExplainerEnvironment
from hune.dataplane.guard.environment import BadVariableError
from hune.dataplane.guard.server import GuardServer

_UNUSABLE: Final = 2


def main() -> int:
    """Run the explainer until it is told to end; return the exit status."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        environment = ExplainerEnvironment.read(os.environ)
    except BadVariableError as error:
        sys.stderr.write(f"explainer: {error}\n")
        return _UNUSABLE
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(environment))
    return 0


async def _serve(environment: ExplainerEnvironment) -> None:
    app = ExplainerApp(environment)
    # It listens before it has loaded: who asks meanwhile is told so.
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(app.load())
        await GuardServer(app, environment.server).serve()


if __name__ == "__main__":
    sys.exit(main())
