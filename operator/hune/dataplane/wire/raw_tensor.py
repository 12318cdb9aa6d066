"""Binary tensors: elements one after the other, little endian, without any padding."""

import math
from collections.abc import Sequence
from struct import Struct
from typing import Final

import numpy as np

from hune.dataplane.wire.array import MAXIMUM_OBJECTS, object_array
from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import Datatype, Kind, WireError, shown_count

_LENGTH: Final = Struct("<I")
_TRUE: Final = 1
_SIZE: Final = ".parameters.binary_data_size"


def read_raw(
    body: bytes, offset: int, size: int, datatype: Datatype, shape: Sequence[int]
) -> Column:
    """Return a binary tensor's elements, flat: a view of the body wherever numpy has the datatype.

    Args:
        body: The whole body.
        offset: Where the tensor begins.
        size: How many bytes the request gives it.
        datatype: Of its elements.
        shape: Its shape.

    Raises:
        WireError: The bytes are not such a tensor.
    """
    if offset + size > len(body):
        left = len(body) - offset
        raise WireError(f"{_SIZE}: {shown_count(size)}, but the body has only {left} bytes left")
    count = math.prod(shape)
    if datatype.kind is Kind.TEXT:
        return _read_texts(memoryview(body)[offset : offset + size], count)
    if count * datatype.size != size:
        raise WireError(
            f"{_SIZE}: {size} bytes, but shape and datatype need"
            f" {shown_count(count)} times {datatype.size}"
        )
    if datatype.name == "BF16":
        halves = np.frombuffer(body, "<u2", count, offset)
        return (halves.astype(np.uint32) << 16).view(np.float32)
    if datatype.kind is Kind.BOOLEAN:
        octets = np.frombuffer(body, np.uint8, count, offset)
        if count and octets.max() > _TRUE:
            raise WireError(": holds a byte that is neither 0 nor 1, so it is no BOOL")
        return octets.view(np.bool_)
    return np.frombuffer(body, datatype.dtype, count, offset)


def _read_texts(raw: memoryview, count: int) -> Column:
    if count * _LENGTH.size > len(raw):
        raise WireError(
            f"{_SIZE}: {len(raw)} bytes cannot hold {shown_count(count)} elements of BYTES"
        )
    if count > MAXIMUM_OBJECTS:
        raise WireError(f".shape: has {count} elements of BYTES, {MAXIMUM_OBJECTS} may be sent")
    texts: list[str | bytes] = []
    offset = 0
    for position in range(count):
        start = offset + _LENGTH.size
        length = _LENGTH.unpack_from(raw, offset)[0] if start <= len(raw) else 0
        offset = start + length
        if offset > len(raw):
            raise WireError(f": element {position} of BYTES reaches beyond the tensor's end")
        texts.append(_text(raw[start:offset]))
    if offset != len(raw):
        raise WireError(f"{_SIZE}: {len(raw)} bytes, but the {count} elements end at {offset}")
    return object_array(texts, [count])


def _text(raw: memoryview) -> str | bytes:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        return bytes(raw)
