"""Answers of the V1 protocol (TensorFlow Serving's)."""

from collections.abc import Mapping
from typing import Final

from hune.dataplane.wire.document import add_members, read_members

_KEY: Final = "hune"


def annotate(body: bytes, note: Mapping[str, object]) -> bytes:
    """Return a V1 answer with a note beside the predictions, which keep their bytes.

    Args:
        body: The predictor's answer.
        note: What to say, as `{"prediction_id": …}`.

    Raises:
        NotAnObjectError: The answer is no JSON object.
    """
    return add_members(body, read_members(body), {_KEY: note})
