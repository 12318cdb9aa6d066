"""JSON arrays turned into numpy's, with memory bounded by the length of their text.

Python needs 32 bytes for a number that takes two in JSON, so long arrays are read piece by piece,
and what needs Python objects for long (texts, V1 objects) has a limit.
"""

from types import NoneType
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import (
    DATATYPES,
    MAXIMUM_RANK,
    MIXED,
    Datatype,
    Kind,
    WireError,
    show,
)

# A body of 32 MiB may hold four times as many: two bytes in JSON, eight in memory.
MAXIMUM_NUMBERS: Final = 1 << 22
MAXIMUM_OBJECTS: Final = 1 << 19
_PIECE: Final = 1 << 16
_SPACE_AND_COMMAS: Final = b" \t\r\n,"
_ALL_BUT_STRUCTURE: Final = bytes(set(range(256)) - set(b"[],"))

# Half a step above the largest number: what lies below is rounded to it.
_FLOAT_LIMITS: Final = {"FP16": 65520.0, "FP32": 2.0**128 - 2.0**103, "BF16": 2.0**128 - 2.0**103}
_WIDEST_CHECKED: Final = 32


def element_of(datatype: Datatype) -> Any:
    """Return the type by which msgspec checks an element as it reads it."""
    match datatype.kind:
        case Kind.BOOLEAN:
            return bool
        case Kind.FLOAT:
            limit = _FLOAT_LIMITS.get(datatype.name)
            bounds = msgspec.Meta(gt=-limit, lt=limit) if limit else msgspec.Meta()
            return Annotated[float, bounds] | None
        case Kind.INTEGER if 8 * datatype.size <= _WIDEST_CHECKED:
            range_ = np.iinfo(datatype.dtype.name)
            return Annotated[int, msgspec.Meta(ge=int(range_.min), le=int(range_.max))]
        case Kind.INTEGER:
            return int  # msgspec's bounds end before these do, numpy checks them
        case _:
            return str


_DECODERS: Final = {
    datatype.name: msgspec.json.Decoder(list[element_of(datatype)])  # type: ignore[misc]
    for datatype in DATATYPES.values()
}
_ANYTHING: Final = msgspec.json.Decoder()
_ENCODE: Final = msgspec.json.Encoder().encode
_RAW: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read_array(text: bytes, datatype: Datatype) -> Column:
    """Return a JSON array's elements in the shape in which the array is nested.

    Args:
        text: The array, checked to be JSON.
        datatype: Of its elements.

    Raises:
        WireError: It is no array, it is ragged, too large, or an element is of another kind or
            does not fit the datatype.
    """
    if text[:1] != b"[":
        raise WireError(": must be an array")
    if datatype.kind is Kind.TEXT:
        return _read_texts(text)
    if text.find(b"[", 1) < 0:
        return _read_flat(text, datatype)
    if _is_foreign(text):  # brackets in it could nest nothing
        raise _foreign(datatype)
    shape = _nesting(text)
    values = _read_flat(b"[%b]" % text.translate(None, b"[]"), datatype)
    if not values.size and shape[-1] == 1:  # [[], []] and [[1], [2]] are nested alike
        shape[-1] = 0
    return values.reshape(shape)


def read_objects(text: bytes) -> Any:
    """Return JSON as Python's objects, as long as there are not too many of them.

    Raises:
        WireError: There are too many, or they are nested too deeply.
    """
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MAXIMUM_OBJECTS:
        raise WireError(
            f": has more than {MAXIMUM_OBJECTS} values in a form that is not all numbers; send"
            " smaller batches, or numbers"
        )
    try:
        return _ANYTHING.decode(text)
    except RecursionError:
        raise WireError(": is nested too deeply") from None
    except ValueError as error:
        raise WireError(f": {error}") from None


def flatten(value: list[Any]) -> tuple[list[int], list[Any]]:
    """Return the shape and the elements of nested lists.

    Raises:
        WireError: They are ragged, or nested too deeply.
    """
    shape = [len(value)]
    while value and isinstance(value[0], list):
        if len(shape) == MAXIMUM_RANK:
            raise WireError(f": is nested more than {MAXIMUM_RANK} deep")
        length = len(value[0])
        if not all(isinstance(part, list) and len(part) == length for part in value):
            raise _ragged()
        shape.append(length)
        value = [element for part in value for element in part]
    if any(isinstance(element, list) for element in value):
        raise _ragged()
    return shape, value


def object_array(values: list[Any], shape: list[int]) -> Column:
    """Return any Python objects as an array of this shape."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def typed(elements: list[Any]) -> tuple[str, Column]:
    """Return the narrowest datatype that holds the elements, and a flat array of them."""
    kinds = set(map(type, elements))
    if kinds == {bool}:
        return "BOOL", np.array(elements, dtype=np.bool_)
    if kinds == {int}:
        try:
            return "INT64", np.array(elements, dtype=np.int64)
        except OverflowError:
            return "FP64", _floats(elements)
    if kinds <= {int, float, NoneType}:
        return "FP64", _floats(elements)
    if kinds <= {str, bytes, NoneType}:
        return "BYTES", object_array(elements, [len(elements)])
    return MIXED, object_array(elements, [len(elements)])


def _floats(elements: list[Any]) -> Column:
    try:
        return np.array(elements, dtype=np.float64)
    except OverflowError:
        raise WireError(": holds a number that does not fit FP64") from None


def _read_texts(text: bytes) -> Column:
    shape, texts = flatten(read_objects(text))
    for position, found in enumerate(texts):
        if not isinstance(found, str):
            raise WireError(f"[{position}]: must be {Kind.TEXT.value}, not {show(_ENCODE(found))}")
    return object_array(texts, shape)


def _nesting(text: bytes) -> list[int]:
    """Return the shape in which numbers are nested.

    Only brackets and commas are kept; the innermost arrays must then all be alike and become one
    sign, so do the arrays of those signs, until one sign is left.
    """
    structure = text.translate(None, _ALL_BUT_STRUCTURE)
    depth = len(structure) - len(structure.lstrip(b"["))
    if depth > MAXIMUM_RANK:
        raise WireError(f": is nested more than {MAXIMUM_RANK} deep")
    shape: list[int] = []
    for level in range(depth):
        end = structure.index(b"]") + 1
        inner = structure[structure.rindex(b"[", 0, end) : end]
        length = inner.count(b",") + 1
        element = bytes([level]) if level else b""
        if inner != b"[%b%b]" % ((element + b",") * (length - 1), element):
            raise _ragged()
        structure = structure.replace(inner, bytes([level + 1]))
        shape.insert(0, length)
    if len(structure) != 1:
        raise _ragged()
    return shape


def _ragged() -> WireError:
    return WireError(": is ragged; arrays at the same level must have the same length")


def _read_flat(text: bytes, datatype: Datatype) -> Column:
    if len(text) <= _PIECE:
        return _read_piece(text, datatype, 0)
    count = text.count(b",") + 1
    if count > MAXIMUM_NUMBERS:
        raise WireError(
            f": has {count} values, {MAXIMUM_NUMBERS} may be sent in JSON; send a binary tensor"
        )
    start, stop = text.index(b"[") + 1, text.rindex(b"]")
    values = np.empty(count, dtype=datatype.dtype)
    filled = 0
    while start < stop:
        end = text.find(b",", start + _PIECE, stop)
        end = stop if end < 0 else end
        piece = _read_piece(b"[%b]" % text[start:end], datatype, filled)
        values[filled : filled + piece.size] = piece
        filled += piece.size
        start = end + 1
    if filled != count:
        raise _ragged()
    return values


def _read_piece(text: bytes, datatype: Datatype, before: int) -> Column:
    try:
        values = _DECODERS[datatype.name].decode(text)
        return np.array(values, dtype=datatype.dtype)
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at `$[")[2]
        raise _misfit(text, int(place.partition("]")[0]), datatype, before) from None
    except OverflowError:
        bounds = np.iinfo(datatype.dtype.name)
        position = next(i for i, v in enumerate(values) if not bounds.min <= v <= bounds.max)
        raise _misfit(text, position, datatype, before) from None
    except msgspec.DecodeError:
        # The text was JSON before it was cut at a comma, which may have stood in a text, and
        # before its inner brackets went, of which some held nothing.
        if _is_foreign(text):
            raise _foreign(datatype) from None
        if text.strip(b"[]" + _SPACE_AND_COMMAS):
            raise _ragged() from None
        return np.empty(0, dtype=datatype.dtype)


def _misfit(text: bytes, position: int, datatype: Datatype, before: int) -> WireError:
    try:
        value = show(bytes(_RAW.decode(text)[position]))
    except msgspec.DecodeError:
        return _foreign(datatype)
    what = f"{datatype.kind.value} that fits {datatype.name}, not {value}"
    return WireError(f"[{before + position}]: must be {what}")


def _is_foreign(text: bytes) -> bool:
    return b'"' in text or b"{" in text


def _foreign(datatype: Datatype) -> WireError:
    return WireError(f": holds texts or objects, but {datatype.name} is {datatype.kind.value}")
