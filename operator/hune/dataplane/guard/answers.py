"""What the guard answers by itself, always as JSON that a person can act on."""

import logging
from typing import Final

import msgspec

_LOG: Final = logging.getLogger(__name__)

Header = tuple[bytes, bytes]

JSON: Final[Header] = (b"content-type", b"application/json")
TEXT: Final[Header] = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
CLOSE: Final[Header] = (b"connection", b"close")
RETRY_AFTER: Final[Header] = (b"retry-after", b"1")


class Answer(msgspec.Struct):
    """One response, complete.

    Attributes:
        status: HTTP status code.
        headers: End-to-end headers, without the length.
        body: The whole body.
    """

    status: int
    headers: list[Header] = []
    body: bytes = b""


class Problem(Exception):  # noqa: N818 it is an answer, not a failure of ours
    """A request that is refused or cannot be served."""

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def answer(self) -> Answer:
        """Return the problem as a response, in the shape that V1 and V2 share."""
        return Answer(self.status, [JSON, *self.headers], error_body(self.message))


class ClientGoneError(Exception):
    """The client left before its request was complete; nobody is there to answer."""


def error_body(message: str) -> bytes:
    """Return the JSON body of an error."""
    return msgspec.json.encode({"error": message})


def json_answer(content: object) -> Answer:
    """Return a successful answer in JSON."""
    return Answer(200, [JSON], msgspec.json.encode(content))


def answer_failure(error: BaseException) -> Answer:
    """Return what a client hears of an error: a problem says it itself, of others the log does."""
    if isinstance(error, Problem):
        return error.answer()
    _LOG.error("a request failed for a reason of the guard's own", exc_info=error)
    return Problem(500, "the guard failed; its log says why").answer()
