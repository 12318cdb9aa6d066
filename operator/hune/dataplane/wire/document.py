"""JSON objects handled as members of raw text, so that no number is ever written anew."""

import codecs
from collections.abc import Mapping
from typing import Final

import msgspec

Members = dict[str, msgspec.Raw]

_PIECE: Final = 1 << 18


class _Unread(msgspec.Struct):
    """An object whose members are of no interest."""


_DECODER: Final = msgspec.json.Decoder(Members)
_SKIM: Final = msgspec.json.Decoder(_Unread).decode
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
    """Check that the text is one JSON object in UTF-8, strictly and without keeping its members.

    Raises:
        NotAnObjectError: With what is wrong and at which byte.
    """
    if not text.isascii():
        _check_encoding(text)
    try:
        _SKIM(text)
    except RecursionError:
        raise NotAnObjectError("it is nested too deeply") from None
    except msgspec.DecodeError as error:
        if b"NaN" in text or b"Infinity" in text:
            raise NotAnObjectError(f"{error}; NaN and Infinity are not JSON, null is") from None
        raise NotAnObjectError(str(error)) from None


def _check_encoding(text: bytes) -> None:
    # A text of one emoji and a million letters takes four bytes for each of them once decoded.
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(text), _PIECE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(text[start : start + _PIECE], final=start + _PIECE >= len(text))
        except UnicodeDecodeError as error:
            where = start - pending + error.start
            raise NotAnObjectError(f"it is not valid UTF-8 (byte {where})") from None


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
