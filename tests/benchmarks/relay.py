"""The least that can stand before a predictor: bytes pass through it, and nothing looks at them.

What it costs is what one more process on the way costs on a machine, whatever that process does.
`python -m tests.benchmarks.relay PORT` relays to that port of loopback, and prints its own.
"""

import asyncio
import sys
from typing import cast

import uvloop

_LOOPBACK = "127.0.0.1"


class _Behind(asyncio.Protocol):
    """The connection to the predictor."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)


class _Before(asyncio.Protocol):
    """A client's connection, with one to the predictor of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._early = b""
        self._behind: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client = cast("asyncio.Transport", transport)
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._behind, _ = await loop.create_connection(
            lambda: _Behind(self._client), _LOOPBACK, self._port
        )
        self._behind.write(self._early)

    def data_received(self, data: bytes) -> None:
        if self._behind is None:
            self._early += data
        else:
            self._behind.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._behind is not None:
            self._behind.close()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Before(port), _LOOPBACK, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
