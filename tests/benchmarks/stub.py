"""The least that can stand behind a guard: a predictor that always says the same, and an authorizer
that lets everybody in, on one port. `python -m tests.benchmarks.stub` prints the port.
"""

import asyncio
import json
from typing import Final, cast

import httptools
import uvloop

_OUTPUT: Final = {"name": "predict", "shape": [1], "datatype": "INT64", "data": [1]}
_PREDICTION: Final = {"model_name": "income", "id": "1", "outputs": [_OUTPUT]}
_DECISION: Final = {
    "allowed": True,
    "authenticated": True,
    "user": "system:serviceaccount:default:hune-caller",
    "reason": "",
}


def _answer(document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


_PREDICTED: Final = _answer(_PREDICTION)
_DECIDED: Final = _answer(_DECISION)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._answer = _DECIDED if url == b"/v1/authorize" else _PREDICTED

    def on_message_complete(self) -> None:
        self._transport.write(self._answer)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
