"""The paths and schemas of a V1 predictor (TensorFlow Serving's protocol)."""

from typing import Any

from hune.dataplane.openapi.content import Part, json_content, reading, reference
from hune.dataplane.openapi.failure import PASSED_ON
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.note import build_note, example_note
from hune.dataplane.openapi.prediction import Protocol
from hune.dataplane.openapi.rows import any_row, build_rows, example_row
from hune.dataplane.openapi.subject import Subject


def describe(subject: Subject) -> Protocol:
    """Return what the protocol adds to the document."""
    schemas, inputs = build_rows(subject.contract) if subject.contract else ({}, [])
    request = {
        "type": "object",
        "required": ["instances"],
        "properties": {
            "instances": {
                "type": "array",
                "minItems": 1,
                "description": "The rows to predict for.",
                "items": any_row() if subject.contract else {},
            }
        },
    }
    row = example_row(subject.contract) if subject.contract else [0.1, 2.5]
    return Protocol(
        paths=_paths(subject.deployment),
        predict=(f"/v1/models/{subject.deployment}:predict",),
        schemas={
            **schemas,
            "Request": request,
            "Prediction": _prediction(),
            "Note": build_note(subject),
        },
        inputs=inputs,
        outputs=[],
        request=json_content(reference("Request"), {"instances": [row]}),
        answer=json_content(
            reference("Prediction"), {"predictions": [0], "hune": example_note(subject)}
        ),
    )


def _prediction() -> Schema:
    return {
        "type": "object",
        "required": ["predictions", "hune"],
        "properties": {
            "predictions": {"description": "One prediction per row, as the model gives it."},
            "hune": reference("Note"),
        },
    }


def _paths(model: str) -> dict[str, Part]:
    listed: dict[str, Any] = {"type": "object"}
    ready = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "ready": {"type": ["boolean", "string"]}},
    }
    return {
        "/v1/models": reading(
            "listModels", "Model", "The predictor's models", json_content(listed), *PASSED_ON
        ),
        f"/v1/models/{model}": reading(
            "readModel", "Model", "Whether the model is ready", json_content(ready), *PASSED_ON
        ),
    }
