"""The process: listening, following the mounted files, and ending without losing a request."""

import asyncio
import contextlib
import gc
import logging
import math
import signal
import socket
from collections.abc import Iterator
from typing import Any, Final, Protocol

import uvicorn

from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.inbound import Inbound

_LOG: Final = logging.getLogger(__name__)
# Longer than the clients' and proxies' own: the side that sends should be the side that closes.
_KEEP_ALIVE_SECONDS: Final = 620


class Application(Protocol):
    """What is served."""

    def terminate(self) -> None:
        """Close connections answer by answer from now on."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""


class GuardServer(uvicorn.Server):
    """uvicorn's server, which serves on for a while after SIGTERM.

    When a pod is being removed, its address stays in use for some seconds: new connections keep
    coming, and kept-alive ones know nothing. So both are served on, each answer closes its
    connection, and only then is the door shut.
    """

    def __init__(self, guard: Application, environment: Environment) -> None:
        super().__init__(
            uvicorn.Config(
                guard,
                host=environment.host,
                port=environment.port,
                http=Inbound,
                ws="none",
                lifespan="off",
                interface="asgi3",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                access_log=False,
                log_config=None,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=math.ceil(environment.predictor_timeout_seconds) + 1,
            )
        )
        self._guard = guard
        self._drain_seconds = environment.drain_seconds

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals ourselves; uvicorn would shut the door at the first one."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        loop.add_signal_handler(signal.SIGINT, self._stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door and say where."""
        await super().startup(sockets)
        # What is loaded by now stays for good; a collector that walks it only adds latency.
        gc.freeze()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        _LOG.info("listening on %s:%d", host, port)

    def _drain(self) -> None:
        _LOG.info("SIGTERM: serving on for %g s", self._drain_seconds)
        self._guard.terminate()
        asyncio.get_running_loop().call_later(self._drain_seconds, self._stop)

    def _stop(self) -> None:
        self.should_exit = True
