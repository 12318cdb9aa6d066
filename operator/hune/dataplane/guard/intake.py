"""Request bodies on their way into memory, each bounded; `memory` bounds them together."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from hune.dataplane.guard.answers import ClientGoneError, Problem
from hune.dataplane.guard.memory import Loan

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_LINGER_SECONDS: Final = 2.0


async def read_body(receive: Receive, declared: int, maximum: int, loan: Loan) -> bytes:
    """Return a request's whole body.

    Args:
        receive: ASGI's source of the body.
        declared: Its announced length, 0 where none is announced.
        maximum: The largest body that is taken, in bytes.
        loan: What the body's memory is taken from as it arrives.

    Raises:
        Problem: The body is too large, or there is no room for it now.
        ClientGoneError: The client left before the end.
    """
    if declared > maximum:
        raise _too_large(maximum)
    parts: list[bytes] = []
    length = 0
    more = True
    while more:
        message = await _next(receive)
        part = message["body"]
        length += len(part)
        if length > maximum:
            raise _too_large(maximum)
        loan.take(len(part))
        parts.append(part)
        more = message["more_body"]
    # A body that came in one part, as nearly all do, is not copied.
    return b"".join(parts)


def _too_large(maximum: int) -> Problem:
    return Problem(413, f"the body is larger than {maximum} bytes, the most that is taken here")


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
