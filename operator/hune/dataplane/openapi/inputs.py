"""What a V2 request must hold, from the data contract and from the predictor's metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hune.contract.features import DataContract, Feature
from hune.dataplane.openapi.content import numbered, reference
from hune.dataplane.openapi.feature import NUMBERS, Schema, example_of
from hune.dataplane.openapi.rows import build_rows, example_row
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import (
    Tensor,
    build_tensor,
    data_schema,
    element_schema,
    example_tensors,
    tensor_schema,
)

_SIGNED: Final = ("INT8", "INT16", "INT32", "INT64")
_WHOLE: Final = (*_SIGNED, "UINT8", "UINT16", "UINT32", "UINT64")
_REAL: Final = ("FP64", "FP32", "FP16")
# The first one is the example's.
_DATATYPES: Final = {
    "Float": _REAL,
    "Integer": (*reversed(_WHOLE[:4]), *_WHOLE[4:], *_REAL),
    "Boolean": ("BOOL",),
    "Category": ("BYTES",),
    "Text": ("BYTES",),
}
_SOME_INPUT: Final = {"name": "input-0", "shape": [1, 2], "datatype": "FP64", "data": [0.1, 2.5]}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a request.

    Attributes:
        schemas: Schemas that are needed, by name.
        listed: References to what a person calls the inputs: features or tensors.
        schema: The schema of the member `inputs`.
        example: A whole request; None where it would be too large to read.
    """

    schemas: Mapping[str, Schema]
    listed: list[Schema]
    schema: Schema
    example: dict[str, Any] | None


def choose_inputs(subject: Subject) -> Inputs:
    """Return the most that is known of the model's inputs."""
    if subject.contract:
        return _from_contract(subject.contract, subject.metadata.inputs)
    if subject.metadata.inputs:
        return _from_metadata(subject.metadata.inputs)
    schema = {"type": "array", "minItems": 1, "items": reference("AnyTensor")}
    return Inputs({}, [], schema, {"inputs": [_SOME_INPUT]})


def _from_metadata(tensors: tuple[Tensor, ...]) -> Inputs:
    named, references = numbered("Input", [build_tensor(tensor) for tensor in tensors])
    example = example_tensors(tensors)
    return Inputs(
        named, references, _exactly(references), None if example is None else {"inputs": example}
    )


def _from_contract(contract: DataContract, known: tuple[Tensor, ...]) -> Inputs:
    """Return inputs as one tensor of all columns, or as one tensor per column, or either."""
    schemas, references = build_rows(contract)
    columns = [
        _column(feature, reference)
        for feature, reference in zip(contract.features, references, strict=True)
    ]
    by_name = {"title": "One tensor per feature", **_exactly(columns)}
    if not all(feature.type in NUMBERS for feature in contract.features) or len(known) > 1:
        example = [_example_column(feature) for feature in contract.features]
        return Inputs(schemas, references, by_name, {"inputs": example})
    name, datatype = (known[0].name, known[0].datatype) if known else ("input-0", "FP64")
    matrix = _matrix(len(columns), name if known else None, datatype if known else None)
    together = {"title": "One tensor with a column per feature", **_exactly([matrix])}
    row = example_row(contract)
    tensor = {"name": name, "shape": [1, len(row)], "datatype": datatype, "data": row}
    schema = together if known else {"anyOf": [together, by_name]}
    return Inputs(schemas, references, schema, {"inputs": [tensor]})


def _exactly(tensors: list[Schema]) -> Schema:
    """Return the schema of a list that holds each of these tensors, in any order."""
    several = {"anyOf": tensors} if len(tensors) > 1 else tensors[0]
    return {
        "type": "array",
        "minItems": len(tensors),
        "maxItems": len(tensors),
        "items": several,
    }


def _matrix(width: int, name: str | None, datatype: str | None) -> Schema:
    return tensor_schema(
        name={"type": "string"} if name is None else {"const": name},
        shape={
            "type": "array",
            "prefixItems": [{"type": "integer", "minimum": 1}, {"const": width}],
            "minItems": 2,
            "maxItems": 2,
        },
        datatype={"enum": [*_REAL, *_WHOLE]} if datatype is None else {"const": datatype},
        data={
            "type": "array",
            "description": "Row by row, flat or nested.",
            "items": {"anyOf": [element_schema("FP64"), reference("Row")]},
        },
    )


def _column(feature: Feature, values: Schema) -> Schema:
    shape = {
        "type": "array",
        "prefixItems": [{"type": "integer", "minimum": 1}, {"const": 1}],
        "minItems": 1,
        "maxItems": 2,
    }
    return tensor_schema(
        name={"const": feature.name},
        shape=shape,
        datatype={"enum": list(_DATATYPES[feature.type])},
        data=data_schema(values),
    )


def _example_column(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "shape": [1, 1],
        "datatype": _DATATYPES[feature.type][0],
        "data": [example_of(feature)],
    }
