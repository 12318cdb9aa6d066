"""Request bodies on their way into memory, each and all together bounded."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from hune.dataplane.guard.answers import RETRY_AFTER, ClientGoneError, Problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# So many bodies of the largest size fit into memory at once, and many more of a usual size.
_LARGEST_AT_ONCE: Final = 8
_LINGER_SECONDS: Final = 2.0


class Intake:
    """The memory that the bodies of all running requests share."""

    def __init__(self, maximum_body: int) -> None:
        self._maximum_body = maximum_body
        self._maximum_held = maximum_body * _LARGEST_AT_ONCE
        self._held = 0

    async def read(self, receive: Receive, declared: int) -> bytes:
        """Return a request's whole body; whoever takes it calls `release` in the end.

        Args:
            receive: ASGI's source of the body.
            declared: Its announced length, 0 where none is announced.

        Raises:
            Problem: The body is too large, or too many are being held already.
            ClientGoneError: The client left before the end.
        """
        if declared > self._maximum_body:
            raise self._too_large()
        parts: list[bytes] = []
        length = 0
        more = True
        try:
            while more:
                message = await _next(receive)
                parts.append(message["body"])
                length += len(parts[-1])
                self._held += len(parts[-1])
                self._check(length)
                more = message["more_body"]
        except BaseException:
            self._held -= length
            raise
        # A body that came in one part, as nearly all do, is not copied.
        return b"".join(parts)

    def release(self, body: bytes) -> None:
        """Give the body's memory back."""
        self._held -= len(body)

    def _check(self, length: int) -> None:
        if length > self._maximum_body:
            raise self._too_large()
        if self._held > self._maximum_held:
            raise Problem(503, "too many large requests are being answered already", RETRY_AFTER)

    def _too_large(self) -> Problem:
        limit = self._maximum_body
        return Problem(413, f"the body is larger than {limit} bytes, the most that is taken here")


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGoneError
    return message


async def discard(receive: Receive) -> None:
    """Read on for a moment what a refused client still sends.

    Closing while bytes arrive would reset the connection, and the client could lose the answer
    that says what was wrong.
    """
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass
    except TimeoutError:
        return
