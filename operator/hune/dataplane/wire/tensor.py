"""The tensors of a request, whatever the protocol they came by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from msgspec import Struct

from hune.dataplane.wire.document import NotAnObjectError, check_object
from hune.dataplane.wire.table import Column

# numpy holds 64 axes; nobody sends more than a handful.
MAXIMUM_RANK: Final = 32
_SHOWN: Final = 40


class WireError(ValueError):
    """A body is not what its protocol says; the message names the place, the value and the fix."""


class Kind(Enum):
    """What the elements of a tensor are in JSON."""

    BOOLEAN = "true or false"
    INTEGER = "an integer"
    FLOAT = "a number or null"
    TEXT = "a text"


@dataclass(frozen=True, slots=True)
class Datatype:
    """A V2 datatype.

    Attributes:
        name: Its name in the protocol.
        kind: What its elements are in JSON.
        dtype: What holds its elements here.
        size: Bytes of one element in a binary tensor; 0 where they differ in size.
    """

    name: str
    kind: Kind
    dtype: np.dtype[np.generic]
    size: int


class Tensor(Struct, frozen=True):
    """One input of a request.

    Attributes:
        name: Its name; empty where the protocol gives it none.
        datatype: Its V2 datatype, or `MIXED` where a V1 request mixes numbers, texts and others.
        shape: Its shape; the first axis counts the rows.
        values: The elements in that shape, NaN for a null among floats; `BYTES` as an object array
            of str, of bytes where they are not UTF-8, of None where a V1 request says null. What
            came as a binary tensor is a view of the body, and read-only.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Column


MIXED: Final = "MIXED"
_OBJECT: Final[np.dtype[np.generic]] = np.dtype(object)


_SIZES: Final = (1, 2, 4, 8)
DATATYPES: Final = {
    datatype.name: datatype
    for datatype in (
        Datatype("BOOL", Kind.BOOLEAN, np.dtype(np.bool_), 1),
        *(Datatype(f"INT{8 * s}", Kind.INTEGER, np.dtype(f"<i{s}"), s) for s in _SIZES),
        *(Datatype(f"UINT{8 * s}", Kind.INTEGER, np.dtype(f"<u{s}"), s) for s in _SIZES),
        *(Datatype(f"FP{8 * s}", Kind.FLOAT, np.dtype(f"<f{s}"), s) for s in _SIZES[1:]),
        Datatype("BF16", Kind.FLOAT, np.dtype(np.float32), 2),  # numpy has none, so it is widened
        Datatype("BYTES", Kind.TEXT, _OBJECT, 0),
    )
}


def shaped(name: str, datatype: str, shape: Sequence[int], values: Column) -> Tensor:
    """Return a tensor of values that may lie flat.

    Raises:
        WireError: There are more or fewer of them than the shape has places.
    """
    wanted = tuple(shape)
    if values.shape == wanted:
        return Tensor(name, datatype, wanted, values)
    if values.ndim > 1:
        raise WireError(
            f".data: is nested as {list(values.shape)}, but the shape is {list(shape)}; send one"
            " flat array, or nest it as the shape says"
        )
    places = math.prod(wanted)
    if places != values.size:
        raise WireError(
            f".shape: {show(str(list(shape)))} has {shown_count(places)} places,"
            f" but data has {values.size} values"
        )
    return Tensor(name, datatype, wanted, values.reshape(wanted))


def show(value: bytes | str) -> str:
    """Return what a client wrote as it may be quoted in a message: cut when long."""
    text = value if isinstance(value, str) else value[: 4 * _SHOWN].decode(errors="replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def shown_count(count: int) -> str:
    """Return a count as it may stand in a message: Python prints no integers of any length."""
    return str(count) if count < 1 << 64 else "more than 2^64"


def not_an_object(text: bytes, error: Exception) -> WireError:
    """Return what keeps a body from being read, in the words of the strict check if it knows."""
    try:
        check_object(text)
    except NotAnObjectError as reason:
        error = reason
    return WireError(f"the body is not a JSON object: {error if text else 'it is empty'}")
