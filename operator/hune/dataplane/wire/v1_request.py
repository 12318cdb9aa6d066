"""Requests of the V1 protocol (TensorFlow Serving's): rows as `instances`, columns as `inputs`."""

import base64
import binascii
import re
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from hune.dataplane.wire.array import flatten, read_array, read_objects, typed
from hune.dataplane.wire.document import NotAnObjectError, read_members
from hune.dataplane.wire.tensor import DATATYPES, Tensor, WireError, not_an_object, show

_MISSING: Final = Raw()
_NUMBERS: Final = DATATYPES["FP64"]
# Any of these, and a text does not hold numbers and null alone.
_OTHER_MARKS: Final = (b'"', b"{", b"t", b"f")
_BINARY: Final = {"b64"}
_MAXIMUM_COLUMNS: Final = 1 << 14
_KEY: Final = re.compile(rb'"\s*:')


class _Request(Struct):
    instances: Raw = _MISSING
    inputs: Raw = _MISSING


_DECODER: Final = msgspec.json.Decoder(_Request)


def read_v1(body: bytes) -> tuple[Tensor, ...]:
    """Return the inputs of a prediction request.

    Arrays are one tensor without a name; objects, one per row or one of columns, are a tensor per
    key, where a key that a row lacks is null in that row.

    Raises:
        WireError: It is no such request.
    """
    try:
        request = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise not_an_object(body, error) from None
    if (request.instances is _MISSING) == (request.inputs is _MISSING):
        raise WireError('the body: must have either "instances" or "inputs", and not both')
    key = "inputs" if request.instances is _MISSING else "instances"
    text = bytes(getattr(request, key))
    try:
        if key == "inputs" and text.lstrip().startswith(b"{"):
            return _read_columns(text)
        return _read_rows(text)
    except WireError as error:
        raise WireError(f"{key}{error}") from None


def _read_columns(text: bytes) -> tuple[Tensor, ...]:
    # Counted before there are any, for the sake of memory; colons may also stand in texts.
    if text.count(b":") > _MAXIMUM_COLUMNS < sum(1 for _ in _KEY.finditer(text)):
        raise WireError(f": has more than {_MAXIMUM_COLUMNS} columns; send rows as arrays")
    tensors = []
    try:
        members = read_members(text)
    except NotAnObjectError as error:
        raise WireError(f": {error}") from None
    for name, value in members.items():
        try:
            tensors.append(_tensor(name, bytes(value)))
        except WireError as error:
            raise WireError(f".{show(name)}{error}") from None
    return tuple(tensors)


def _read_rows(text: bytes) -> tuple[Tensor, ...]:
    if not text.lstrip().startswith(b"["):
        raise WireError(": must be an array of rows")
    if any(mark in text for mark in _OTHER_MARKS):
        rows = read_objects(text)
        if any(_is_record(row) for row in rows):
            return _read_records(rows)
        return (_tensor_of("", rows),)
    return (_tensor("", text),)


def _read_records(rows: list[Any]) -> tuple[Tensor, ...]:
    names = rows[0].keys() if _is_record(rows[0]) else set()
    for position, row in enumerate(rows):
        if not _is_record(row):
            raise WireError(f"[{position}]: must be an object, as other rows are")
        if row.keys() != names:
            name = min(row.keys() ^ names)
            where = position if name not in row else 0
            raise WireError(
                f"[{where}].{show(name)}: is missing; give every row the same keys,"
                " and null for what is unknown"
            )
    tensors = []
    for name in rows[0]:
        try:
            tensors.append(_tensor_of(name, [row[name] for row in rows]))
        except WireError as error:
            raise WireError(f"[*].{show(name)}{error}") from None
    return tuple(tensors)


def _is_record(row: object) -> bool:
    return isinstance(row, dict) and row.keys() != _BINARY


def _tensor(name: str, text: bytes) -> Tensor:
    if not any(mark in text for mark in _OTHER_MARKS):
        values = read_array(text, _NUMBERS)
        return Tensor(name, _NUMBERS.name, values.shape, values)
    return _tensor_of(name, read_objects(text))


def _tensor_of(name: str, value: object) -> Tensor:
    if not isinstance(value, list):
        raise WireError(": must be an array")
    shape, elements = flatten(value)
    elements = [_unwrap(element) for element in elements]
    datatype, values = typed(elements)
    return Tensor(name, datatype, tuple(shape), values.reshape(shape))


def _unwrap(element: object) -> object:
    """Return an element, decoded where it is V1's form of binary data."""
    if not isinstance(element, dict):
        return element
    text = element.get("b64")
    if element.keys() != _BINARY or not isinstance(text, str):
        raise WireError(': holds an object; in place of a value only {"b64": "…"} may stand')
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WireError(f": {show(text)} is not base64") from None
