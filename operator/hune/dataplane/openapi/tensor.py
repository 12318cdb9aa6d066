"""Tensors as a predictor's own metadata describes them, and as JSON schemas."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from hune.dataplane.openapi.feature import Schema

Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "BF16",
    "FP32",
    "FP64",
    "BYTES",
]
DATATYPES: Final = Datatype.__args__  # type: ignore[attr-defined]
_MAXIMUM_EXAMPLE: Final = 256
_FLEXIBLE: Final = -1


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named tensor.

    Attributes:
        name: Its name.
        datatype: What its elements are.
        shape: Its dimensions; -1 for one of any size.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]

    @property
    def sample_shape(self) -> list[int]:
        """Return the shape of an example: one of whatever has any size."""
        return [1 if size < 0 else size for size in self.shape]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a predictor says of its model; empty where it says nothing usable."""

    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()


def read_metadata(body: bytes) -> Metadata:
    """Return what a predictor's answer at `/v2/models/NAME` says; half a list says nothing."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Metadata()
    if not isinstance(document, dict):
        return Metadata()
    return Metadata(_read_tensors(document.get("inputs")), _read_tensors(document.get("outputs")))


def _read_tensors(listed: object) -> tuple[Tensor, ...]:
    try:
        tensors = msgspec.convert(listed, tuple[Tensor, ...])
    except msgspec.ValidationError:
        return ()
    names = {tensor.name for tensor in tensors}
    usable = len(names) == len(tensors) and "" not in names
    return tensors if usable and all(min(t.shape, default=0) >= _FLEXIBLE for t in tensors) else ()


def build_tensor(tensor: Tensor) -> Schema:
    """Return the schema of one tensor of a JSON body."""
    return tensor_schema(
        name={"const": tensor.name},
        shape=_shape_schema(tensor.shape),
        datatype={"const": tensor.datatype},
        data=data_schema(element_schema(tensor.datatype)),
    ) | {"title": tensor.name, "description": f"{tensor.datatype}, shape {list(tensor.shape)}"}


def build_any_tensor() -> Schema:
    """Return the schema of a tensor that nothing is known of."""
    return tensor_schema(
        name={"type": "string"},
        shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
        datatype={"enum": list(DATATYPES)},
        data=data_schema({"type": ["number", "boolean", "string", "null"]}),
    )


def tensor_schema(**properties: Schema) -> Schema:
    """Return the schema of a tensor whose properties have these schemas."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": {**properties, "parameters": {"$ref": "#/components/schemas/Parameters"}},
    }


def data_schema(element: Schema) -> Schema:
    """Return the schema of a tensor's data, flat or nested."""
    return {"type": "array", "items": {"anyOf": [element, {"type": "array"}]}}


def element_schema(datatype: str) -> Schema:
    """Return the schema of one element."""
    if datatype == "BOOL":
        return {"type": "boolean"}
    if datatype == "BYTES":
        return {"type": "string"}
    if "INT" not in datatype:
        return {"type": ["number", "null"]}
    bits = int(datatype.rpartition("T")[2])
    low = 0 if datatype.startswith("U") else -(2 ** (bits - 1))
    return {"type": "integer", "minimum": low, "maximum": low + 2**bits - 1}


def example_tensors(tensors: tuple[Tensor, ...]) -> list[Mapping[str, Any]] | None:
    """Return an example of each; None where one is too large to be read by a person."""
    if not tensors or any(math.prod(t.sample_shape) > _MAXIMUM_EXAMPLE for t in tensors):
        return None
    return [
        {
            "name": tensor.name,
            "shape": tensor.sample_shape,
            "datatype": tensor.datatype,
            "data": [_zero(tensor.datatype)] * math.prod(tensor.sample_shape),
        }
        for tensor in tensors
    ]


def _zero(datatype: str) -> bool | str | int | float:
    if datatype == "BOOL":
        return False
    if datatype == "BYTES":
        return "text"
    return 0 if "INT" in datatype else 0.0


def _shape_schema(shape: tuple[int, ...]) -> Schema:
    sizes = [{"type": "integer", "minimum": 0} if n < 0 else {"const": n} for n in shape]
    bound = {"type": "array", "minItems": len(shape), "maxItems": len(shape)}
    return bound | {"prefixItems": sizes} if sizes else bound
