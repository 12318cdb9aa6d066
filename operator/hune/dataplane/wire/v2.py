"""Answers of the V2 protocol (Open Inference Protocol)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from hune.dataplane.wire.document import add_members, read_members

_PREFIX: Final = "hune_"
_NULL: Final = b"null"
_ENCODE: Final = msgspec.json.Encoder().encode


def annotate(body: bytes, note: Mapping[str, object]) -> bytes:
    """Return a V2 answer with a note in its `parameters`; the outputs keep their bytes.

    Args:
        body: The predictor's answer, without the binary part.
        note: What to say, as `{"prediction_id": …}`; keys are prefixed with `hune_`.

    Raises:
        NotAnObjectError: The answer is no JSON object, or its parameters are none.
    """
    ours = {f"{_PREFIX}{key}": _flat(value) for key, value in note.items()}
    members = read_members(body)
    given = members.get("parameters")
    if given is None or bytes(given) == _NULL:
        return add_members(body, members, {"parameters": ours})
    merged = add_members(bytes(given), read_members(given), ours)
    return add_members(body, members, {"parameters": msgspec.Raw(merged)})


def _flat(value: object) -> object:
    """Return a value as `parameters` may hold it: a list becomes text, its items between commas."""
    return _ENCODE(value)[1:-1].decode() if isinstance(value, list) else value
