"""Data contracts and predictors' metadata to try documents with."""

from typing import Any

from hune.contract.document import from_document
from hune.contract.features import DataContract

NUMBERS: dict[str, Any] = {
    "onBreach": "Flag",
    "features": [
        {"name": "mean radius", "type": "Float", "unit": "mm", "minimum": "0.5", "maximum": "30"},
        {"name": "age", "type": "Integer", "minimum": "0", "maximum": "130", "nullable": True},
        {"name": "height", "type": "Float"},
    ],
}
HOSTILE_NAME = "<script>alert('x')</script>/~1%20\"&amp;$(id)`id`"
HOSTILE_UNIT = '"><img src=x onerror=alert(1)>'
MIXED: dict[str, Any] = {
    "onBreach": "Reject",
    "features": [
        *NUMBERS["features"],
        {"name": "sex", "type": "Category", "categories": ["female", "male"], "nullable": True},
        {"name": "smoker", "type": "Boolean"},
        {"name": HOSTILE_NAME, "type": "Text", "unit": HOSTILE_UNIT, "nullable": True},
    ],
}
METADATA = (
    b'{"name":"income","platform":"","versions":[],'
    b'"inputs":[{"name":"x","datatype":"FP32","shape":[-1,3]}],'
    b'"outputs":[{"name":"y","datatype":"INT64","shape":[-1]}]}'
)


def contract_of(document: dict[str, Any]) -> DataContract:
    return from_document(DataContract, document, "contract")
