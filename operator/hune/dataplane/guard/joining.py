"""An answer in one packet."""

import asyncio
from typing import Final

_HEAD: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"HTTP/1.1 100 "


class JoiningTransport:
    """What uvicorn writes to: it holds the head of an answer until the body comes.

    uvicorn writes them apart, at once one after the other. That is a system call more here, and
    mostly a second wake-up of the client, on every single prediction.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send data, or hold it where it is the head of an answer."""
        if self._head:
            self._transport.writelines((self._head, data) if data else (self._head,))
            self._head = b""
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
        else:
            self._transport.write(data)

    def write_whole(self, answer: bytes) -> None:
        """Send an answer that is complete."""
        self._transport.write(answer)

    def close(self) -> None:
        """Close after everything that was written is sent."""
        if self._head:
            self.write(b"")
        self._transport.close()
