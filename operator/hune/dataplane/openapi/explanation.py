"""Asking why: the explanation of a prediction."""

from typing import Any, Final

from hune.contract import names
from hune.dataplane.openapi.content import Part, json_content, version_suffix
from hune.dataplane.openapi.failure import COMMON, PASSED_ON, failures
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.prediction import Protocol
from hune.dataplane.openapi.subject import Subject

_TOO_LARGE: Final = 413
_NUMBERS: Final[Schema] = {"type": "array", "items": {"type": ["number", "null"]}}


def build_explanations(subject: Subject, protocol: Protocol) -> dict[str, Part]:
    """Return the paths at which predictions are explained; none where there is no explainer."""
    if not subject.explained:
        return {}
    return {
        _explain(path): {"post": _operation(subject, protocol, path)} for path in protocol.predict
    }


def _explain(path: str) -> str:
    for predict, explain in ((":predict", ":explain"), ("/infer", "/explain")):
        if path.endswith(predict):
            return path.removesuffix(predict) + explain
    return path


def _operation(subject: Subject, protocol: Protocol, path: str) -> Part:
    schema = _values_v1() if subject.protocol == "V1" else _values_v2()
    answer: Part = {
        "description": "What each feature added to the prediction, or the rule that anchors it.",
        "headers": {
            name: {"description": description, "schema": {"type": "string"}}
            for name, description in (
                (names.HEADER_PREDICTION_ID, "Names this answer, and no other."),
                (names.HEADER_MODEL_VERSION, "The model version that is explained."),
            )
        },
        "content": json_content(schema),
    }
    return {
        "operationId": f"explain{version_suffix(path)}",
        "tags": ["Predictions"],
        "summary": "Explain",
        "description": "The request is that of a prediction.",
        "parameters": list(protocol.parameters),
        "requestBody": {"required": True, "content": protocol.request},
        "responses": {"200": answer, **failures(*COMMON, *PASSED_ON, _TOO_LARGE)},
    }


def _values_v1() -> Schema:
    explanation: dict[str, Any] = {
        "prediction": {"description": "One number per output; of an anchor, the label."},
        "values": {"type": "array", "items": _NUMBERS, "description": "By output and feature."},
        "anchor": {"type": "array", "items": {"type": "string"}},
        "mask": {"type": "array", "description": "The pixels that must stay."},
        "precision": {"type": "number"},
        "coverage": {"type": "number"},
    }
    return {
        "type": "object",
        "required": ["method", "scale", "explanations"],
        "properties": {
            "method": {"type": "string"},
            "scale": {"type": "string"},
            "features": {"type": "array", "items": {"type": "string"}},
            "outputs": {"type": "array", "items": {"type": "string"}},
            "base_values": _NUMBERS,
            "explanations": {
                "type": "array",
                "items": {"type": "object", "properties": explanation},
            },
        },
    }


def _values_v2() -> Schema:
    return {
        "type": "object",
        "required": ["outputs", "parameters"],
        "properties": {
            "model_name": {"type": "string"},
            "parameters": {"type": "object", "description": "Among others method and scale."},
            "outputs": {
                "type": "array",
                "description": "shap_values, base_values and predictions; of an anchor, anchor or "
                "mask, precision, coverage and predictions.",
                "items": {"type": "object", "required": ["name", "shape", "datatype", "data"]},
            },
        },
    }
