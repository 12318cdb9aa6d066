"""The rows of a data contract, by position and by name."""

from typing import Any

from hune.contract.features import DataContract
from hune.dataplane.openapi.content import Part, numbered, reference
from hune.dataplane.openapi.feature import Schema, build_feature, example_of


def build_rows(contract: DataContract) -> tuple[dict[str, Schema], list[Schema]]:
    """Return the schemas `Row`, `Record` and one per feature, and references to the features."""
    features, references = numbered("Feature", [build_feature(f) for f in contract.features])
    names = [feature.name for feature in contract.features]
    row = {
        "type": "array",
        "description": "One row: the features by position.",
        "prefixItems": references,
        "minItems": len(names),
        "maxItems": len(names),
    }
    record = {
        "type": "object",
        "description": "One row: the features by name.",
        "required": names,
        "properties": dict(zip(names, references, strict=True)),
        "additionalProperties": False,
    }
    return {**features, "Row": row, "Record": record}, references


def example_row(contract: DataContract) -> list[Any]:
    """Return a row that keeps the contract."""
    return [example_of(feature) for feature in contract.features]


def all_rows() -> Part:
    """Return the schema of rows, all of them by position or all of them by name."""
    return {"anyOf": [{"items": reference("Row")}, {"items": reference("Record")}]}
