"""JSON objects handled as members of raw text, so that no number is ever written anew."""

from collections.abc import Mapping
from typing import Final

import msgspec

Members = dict[str, msgspec.Raw]

_DECODER: Final = msgspec.json.Decoder(Members)
_ENCODE: Final = msgspec.json.Encoder().encode


class NotAnObjectError(ValueError):
    """The text is not JSON, or not a JSON object."""


def read_members(text: bytes | msgspec.Raw) -> Members:
    """Return the members of a JSON object, each value as the bytes that stand in the text.

    Raises:
        NotAnObjectError: With what is wrong and at which byte.
    """
    try:
        return _DECODER.decode(text)
    except UnicodeDecodeError:
        raise NotAnObjectError("a key is not valid UTF-8") from None
    except RecursionError:
        raise NotAnObjectError("it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise NotAnObjectError(str(error)) from None


def check_object(text: bytes) -> None:
    """Check that the text is one JSON object in UTF-8, strictly.

    Raises:
        NotAnObjectError: With what is wrong and at which byte.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise NotAnObjectError(f"it is not valid UTF-8 (byte {error.start})") from None
    try:
        read_members(text)
    except NotAnObjectError as error:
        if b"NaN" in text or b"Infinity" in text:
            raise NotAnObjectError(f"{error}; NaN and Infinity are not JSON, null is") from None
        raise


def add_members(text: bytes, members: Members, added: Mapping[str, object]) -> bytes:
    """Return the object with members added, or replaced where the key is taken.

    Args:
        text: A JSON object.
        members: What `read_members(text)` returned.
        added: Values that msgspec can encode; `msgspec.Raw` stands as it is.
    """
    if not members.keys().isdisjoint(added):
        return _ENCODE({**members, **added})
    # Behind the closing brace only white space can stand, or read_members had refused the text.
    end = text.rindex(b"}")
    separator = b"," if members else b""
    return b"".join((memoryview(text)[:end], separator, _ENCODE(added)[1:-1], text[end:]))
