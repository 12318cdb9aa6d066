"""Which headers travel on, and which of them the guard itself reads."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from hune.dataplane.guard.answers import Header, Problem
from hune.dataplane.wire.binary import LENGTH_HEADER

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# The predictor must answer uncompressed, or nothing could be added to its answer.
_NOT_FOR_PREDICTOR: Final = _HOP_BY_HOP | {b"host", b"expect", b"accept-encoding"}
# Servers in the CGI tradition read an underscore as a dash, so that form is no way around either.
_OURS: Final = (b"x-hune", b"x_hune")
_READ: Final = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        LENGTH_HEADER,
    }
)
_NONE: Final[frozenset[bytes]] = frozenset()
_HARMLESS_CONNECTION: Final = frozenset({b"keep-alive", b"close"})


class Envelope(Struct, frozen=True):
    """A request's headers.

    Attributes:
        lines: What goes to the predictor, ready to send.
        read: Values of the headers that the guard itself reads, by name.
    """

    lines: bytes
    read: dict[bytes, bytes]

    @property
    def declared_length(self) -> int:
        """Return the announced length of the body, 0 where none is announced."""
        return int(self.read.get(b"content-length", b"0"))

    @property
    def media_type(self) -> bytes:
        """Return the media type of the body in small letters, without parameters."""
        return self.read.get(b"content-type", b"").partition(b";")[0].strip().lower()


def open_envelope(headers: Iterable[Header], *, private: frozenset[bytes] = _NONE) -> Envelope:
    """Sort a request's headers.

    Args:
        headers: Names in small letters.
        private: Names that are the guard's own business; they do not go to the predictor.

    Raises:
        Problem: A header that the guard reads is given twice, or asks for what is not served.
    """
    headers = list(headers)
    read: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ:
            if name in read and name != b"connection":
                raise Problem(400, f"the header {name.decode()} is given twice")
            read[name] = value
    if read.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise Problem(501, "of the transfer codings only chunked is served")
    if read.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(415, "compressed bodies are not served: send it without Content-Encoding")
    kept = end_to_end(headers, _not_for_predictor(private), read.get(b"connection", b""))
    return Envelope(b"".join([b"%b: %b\r\n" % header for header in kept]), read)


@lru_cache(maxsize=8)
def _not_for_predictor(private: frozenset[bytes]) -> frozenset[bytes]:
    return _NOT_FOR_PREDICTOR | private


def end_to_end(
    headers: Iterable[Header], dropped: frozenset[bytes] = _HOP_BY_HOP, connection: bytes = b""
) -> list[Header]:
    """Return the headers that travel on.

    Args:
        headers: Names in small letters.
        dropped: Names that stay behind.
        connection: Value of the Connection header, which may name more of them.
    """
    if connection:
        named = {token.strip() for token in connection.lower().split(b",")}
        dropped = dropped | (named - _HARMLESS_CONNECTION)
    return [h for h in headers if h[0] not in dropped and not h[0].startswith(_OURS)]


def announces_body(headers: Iterable[Header]) -> bool:
    """Tell whether a body follows these headers."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and int(value) > 0)
        for name, value in headers
    )
