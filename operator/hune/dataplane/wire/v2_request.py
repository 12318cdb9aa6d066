"""Requests of the V2 protocol (Open Inference Protocol), with the binary tensor extension."""

import re
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct

from hune.dataplane.wire.array import element_of, read_array
from hune.dataplane.wire.raw_tensor import read_raw
from hune.dataplane.wire.tensor import (
    DATATYPES,
    MAXIMUM_RANK,
    Datatype,
    Kind,
    Tensor,
    WireError,
    not_an_object,
    shaped,
    show,
)

# msgspec counts a list when it has it, which is too late for memory: braces are counted before.
_MAXIMUM_BRACES: Final = 1 << 17
_MAXIMUM_INPUTS: Final = 1 << 14
_LONGEST_SHAPE: Final = 1024
# So short a body may become Python's objects as a whole.
_SHORT: Final = 1 << 16
_MISSING: Final = Raw()
_PLACE: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)


_Name = Annotated[str, Meta(min_length=1)]
_Axis = Annotated[int, Meta(ge=0)]
_Shape = Annotated[list[_Axis], Meta(max_length=MAXIMUM_RANK)]


class _Parameters(Struct):
    binary_data_size: Annotated[int, Meta(ge=0)] | None = None


class _Input(Struct):
    name: _Name
    shape: Raw
    datatype: str
    data: Raw = _MISSING
    parameters: _Parameters | None = None


class _Request(Struct):
    inputs: Annotated[list[_Input], Meta(min_length=1, max_length=_MAXIMUM_INPUTS)]


def _plain_input(datatype: Datatype) -> Any:
    """Return the type of an input that is a flat array of numbers."""
    data = GenericAlias(list, (element_of(datatype),))
    return msgspec.defstruct(
        datatype.name,
        [
            ("name", _Name),
            ("shape", _Shape),
            ("data", data),
            ("parameters", _Parameters | None, None),
        ],
        tag_field="datatype",
        tag=datatype.name,
    )


def _plain_request() -> Any:
    numbers = (datatype for datatype in DATATYPES.values() if datatype.kind is not Kind.TEXT)
    plain_input = reduce(or_, map(_plain_input, numbers))
    return msgspec.defstruct("_PlainRequest", [("inputs", GenericAlias(list, (plain_input,)))])


_DECODER: Final = msgspec.json.Decoder(_Request)
_PLAIN: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_plain_request())
_SHAPE: Final = msgspec.json.Decoder(list[_Axis])


def read_v2(body: bytes, json_length: int | None = None) -> tuple[Tensor, ...]:
    """Return the inputs of an inference request.

    Args:
        body: The whole body.
        json_length: Length of its JSON part where binary tensors follow; None where none do.

    Raises:
        WireError: It is no such request.
    """
    if json_length is None and len(body) <= _SHORT and (plain := _read_plain(body)):
        return plain
    head = body if json_length is None else body[:json_length]
    offset = len(head)
    tensors: dict[str, Tensor] = {}
    for position, given in enumerate(_open(head).inputs):
        size = given.parameters.binary_data_size if given.parameters else None
        try:
            tensor = _read_input(given, body, offset, size)
        except WireError as error:
            raise WireError(f"inputs[{position}]{error}") from None
        if tensors.setdefault(given.name, tensor) is not tensor:
            name = show(given.name)
            raise WireError(f"inputs[{position}].name: {name} is another input's, too; rename one")
        offset += size or 0
    if offset != len(body):
        raise WireError(
            f"the body has {len(body) - offset} bytes more than the binary_data_size of all inputs;"
            " give each binary input its size in parameters.binary_data_size"
        )
    return tuple(tensors.values())


def _read_plain(body: bytes) -> tuple[Tensor, ...]:
    """Return the inputs of a request whose inputs are all flat arrays of numbers, as most are.

    Nothing where it is not, or is none: who reads it with care then says what is wrong.
    """
    tensors: dict[str, Tensor] = {}
    try:
        inputs = _PLAIN.decode(body).inputs
        for given in inputs:
            if given.parameters and given.parameters.binary_data_size is not None:
                return ()
            datatype = DATATYPES[given.__struct_config__.tag]
            values = np.array(given.data, dtype=datatype.dtype)
            tensors[given.name] = shaped(given.name, datatype.name, given.shape, values)
    except (ValueError, OverflowError, RecursionError):
        return ()
    return tuple(tensors.values()) if len(tensors) == len(inputs) else ()


def _open(head: bytes) -> _Request:
    if head.count(b"{") > _MAXIMUM_BRACES:
        raise WireError(f"inputs: may be {_MAXIMUM_INPUTS} at most; send many columns as one input")
    try:
        return _DECODER.decode(head)
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        what, where = match.groups() if match else (str(error), "")
        what = what.replace("`", "")
        raise WireError(f"{where or 'the body'}: {what[:1].lower()}{what[1:]}") from None
    except (ValueError, RecursionError) as error:
        raise not_an_object(head, error) from None


def _read_input(given: _Input, body: bytes, offset: int, size: int | None) -> Tensor:
    datatype = DATATYPES.get(given.datatype)
    if datatype is None:
        known = ", ".join(sorted(DATATYPES))
        raise WireError(f".datatype: {show(given.datatype)} is unknown; V2 has {known}")
    shape = _read_shape(given.shape)
    if size is not None:
        if given.data is not _MISSING:
            raise WireError(": has both data and parameters.binary_data_size; send one of them")
        values = read_raw(body, offset, size, datatype, shape)
    elif given.data is _MISSING:
        raise WireError(
            ".data: is missing; send an array, or parameters.binary_data_size and a binary tensor"
        )
    else:
        try:
            values = read_array(bytes(given.data), datatype)
        except WireError as error:
            raise WireError(f".data{error}") from None
    return shaped(given.name, given.datatype, shape, values)


def _read_shape(raw: Raw) -> list[int]:
    text = bytes(raw)
    try:
        if len(text) <= _LONGEST_SHAPE and len(shape := _SHAPE.decode(text)) <= MAXIMUM_RANK:
            return shape
    except msgspec.DecodeError:
        pass
    raise WireError(
        f".shape: must be an array of at most {MAXIMUM_RANK} integers that are not negative,"
        f" not {show(text)}"
    )
