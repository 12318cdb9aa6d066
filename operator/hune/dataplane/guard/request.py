"""A request that came whole, and the way that its answer takes."""

from collections.abc import Callable

from msgspec import Struct

from hune.dataplane.guard.answers import Answer, Header

# Takes an answer, and what is to be called once the client took it.
Deliver = Callable[[Answer, Callable[[], None]], None]


class Request(Struct, frozen=True):
    """A request of HTTP/1.1 that arrived in one piece with its body.

    Attributes:
        method: As sent.
        target: Path and query, as sent.
        headers: Names in small letters.
        body: The whole body.
    """

    method: bytes
    target: bytes
    headers: list[Header]
    body: bytes
