"""The binary tensor extension: a JSON part, then raw tensors, told apart by one header."""

from typing import Final

LENGTH_HEADER: Final = b"inference-header-content-length"
_MAXIMUM_DIGITS: Final = 12


class BadLengthError(ValueError):
    """The header does not describe the body."""


def json_length(header: bytes, body_length: int) -> int:
    """Return the length of the JSON part.

    Args:
        header: Value of `Inference-Header-Content-Length`.
        body_length: Length of the whole body.

    Raises:
        BadLengthError: Not a number, or beyond the body.
    """
    if not header.isdigit() or len(header) > _MAXIMUM_DIGITS:
        raise BadLengthError("Inference-Header-Content-Length is not a number")
    if int(header) > body_length:
        raise BadLengthError(
            f"Inference-Header-Content-Length is {int(header)}, the body has {body_length} bytes"
        )
    return int(header)
