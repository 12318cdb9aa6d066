"""The token that a request carries."""

import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from typing import Final

import msgspec

from hune.contract.access import MAXIMUM_TOKEN_LENGTH
from hune.dataplane.guard.answers import Header

HEADER: Final = b"authorization"
_SCHEME: Final = b"bearer "
# RFC 6750, section 2.1: b64token.
_TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


class NoTokenError(ValueError):
    """There is no usable token; the message says why, and never quotes it."""


class _Claims(msgspec.Struct):
    exp: float = math.inf


_CLAIMS: Final = msgspec.json.Decoder(_Claims)


def read_token(headers: Iterable[Header]) -> bytes:
    """Return the bearer token of a request.

    Raises:
        NoTokenError: There is none, there are two, or it is malformed.
    """
    found = b""
    for name, value in headers:
        if name == HEADER:
            if found:
                raise NoTokenError("the header Authorization is given twice")
            found = value
    if not found:
        raise NoTokenError("the request carries no token")
    if found[: len(_SCHEME)].lower() != _SCHEME:
        raise NoTokenError("the header Authorization holds no bearer token")
    return found[len(_SCHEME) :].strip()


def check_token(token: bytes) -> None:
    """Check what a token is made of, so that it can be quoted in JSON and weighs little.

    Raises:
        NoTokenError: No token looks like that.
    """
    if len(token) > MAXIMUM_TOKEN_LENGTH:
        raise NoTokenError(f"the token is longer than {MAXIMUM_TOKEN_LENGTH} characters")
    if not _TOKEN.fullmatch(token):
        raise NoTokenError("the token is malformed")


def read_expiry(token: bytes) -> float:
    """Return when a JSON Web Token says that it expires.

    Nothing is verified here: it only ever shortens how long an answer about it is kept.

    Returns:
        Seconds since the epoch; infinity where it does not say.
    """
    parts = token.split(b".")
    if len(parts) != 3:  # noqa: PLR2004 header, payload and signature
        return math.inf
    payload = parts[1] + b"=" * (-len(parts[1]) % 4)
    try:
        return _CLAIMS.decode(urlsafe_b64decode(payload)).exp
    except (ValueError, msgspec.DecodeError):
        return math.inf
