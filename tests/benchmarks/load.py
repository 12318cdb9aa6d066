"""A small load client: some connections, each of which asks again as soon as it has an answer."""

import asyncio
import time
from typing import Any

import uvloop

from tests.benchmarks.stub_predictor import whole

_OK = b"HTTP/1.1 200"


class LoadError(Exception):
    """An answer was none, or no success."""


class _Caller(asyncio.Protocol):
    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._received = b""
        self.answered = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if whole(self._received) is None:
            return
        if not self._received.startswith(_OK):
            self._end(LoadError(self._received[:2000].decode(errors="replace")))
            return
        self._received = b""
        self.answered += 1
        if time.perf_counter() < self._until:
            self._transport.write(self._request)
        else:
            self._end()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(LoadError(f"the connection was closed: {error}"))

    def _end(self, error: Exception | None = None) -> None:
        self._transport.close()
        if self.done.done():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)


def throughput(port: int, request: bytes, connections: int, seconds: float) -> float:
    """Return how many requests per second are answered with 200.

    Args:
        port: Where to ask, on loopback.
        request: A whole HTTP/1.1 request.
        connections: How many ask at once, each on a connection that is kept.
        seconds: How long.

    Raises:
        LoadError: Something else than 200 came.
    """
    return uvloop.run(_throughput(port, request, connections, seconds))


async def _throughput(port: int, request: bytes, connections: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    callers = [
        (
            await loop.create_connection(
                lambda: _Caller(request, started + seconds), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    return sum(caller.answered for caller in callers) / (time.perf_counter() - started)
