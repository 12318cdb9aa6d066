"""The paths and schemas of a V1 predictor (TensorFlow Serving's protocol)."""

from typing import Any

from hune.dataplane.openapi.content import Part, json_content, reading, reference, version_suffix
from hune.dataplane.openapi.failure import PASSED_ON
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.note import build_note, example_note
from hune.dataplane.openapi.prediction import Protocol
from hune.dataplane.openapi.rows import all_rows, build_rows, example_row
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
                **(all_rows() if subject.contract else {}),
            }
        },
    }
    base = f"/v1/models/{subject.deployment}"
    exact = f"{base}/versions/{subject.model_version}"
    row = example_row(subject.contract) if subject.contract else [0.1, 2.5]
    return Protocol(
        paths=_paths(base, exact),
        predict=(f"{base}:predict", f"{exact}:predict"),
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


def _paths(*models: str) -> dict[str, Part]:
    listed: dict[str, Any] = {"type": "object"}
    ready = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "ready": {"type": ["boolean", "string"]}},
    }
    paths = {
        path: reading(
            f"readModel{version_suffix(path)}",
            "Model",
            "Whether the model is ready",
            json_content(ready),
            *PASSED_ON,
        )
        for path in models
    }
    title = "The predictor's models"
    return {
        "/v1/models": reading("listModels", "Model", title, json_content(listed), *PASSED_ON),
        **paths,
    }
