"""`python -m tests.benchmarks.stub_predictor`: a V2 model that costs next to nothing.

Whatever is asked it answers with one prediction, so what is in front of it is what is measured. It
prints its port.
"""

import asyncio
from typing import Any

import uvloop

_BODY = (
    b'{"model_name":"income","model_version":"1","id":"1",'
    b'"outputs":[{"name":"y","shape":[1],"datatype":"INT64","data":[1]}]}'
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """Answers each whole request."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := whole(self._received)) is not None:
            self._received = self._received[end:]
            self._transport.write(ANSWER)


def whole(received: bytes) -> int | None:
    """Return where the first message ends, once all of it is there."""
    head = received.find(_END)
    if head < 0:
        return None
    place = received[:head].lower().find(_LENGTH)
    length = 0
    if place >= 0:
        length = int(received[place + len(_LENGTH) : head].partition(b"\r\n")[0])
    end = head + len(_END) + length
    return end if len(received) >= end else None


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
