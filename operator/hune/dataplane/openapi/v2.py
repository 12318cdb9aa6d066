"""The paths and schemas of a V2 predictor (the Open Inference Protocol)."""

from typing import Any, Final

from hune.dataplane.openapi.content import (
    Part,
    json_content,
    numbered,
    reading,
    reference,
    version_suffix,
)
from hune.dataplane.openapi.failure import PASSED_ON
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.inputs import Inputs, choose_inputs
from hune.dataplane.openapi.note import build_note, example_note
from hune.dataplane.openapi.prediction import Protocol
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import build_any_tensor, build_tensor, example_tensors

_BINARY: Final = "application/octet-stream"
_LENGTH: Final[Part] = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": (
        "Length of the JSON part where raw tensors follow it (binary tensor extension):"
        " little-endian, row by row, `binary_data_size` bytes each."
    ),
    "schema": {"type": "integer", "minimum": 0},
}
_SOME_OUTPUT: Final = {"name": "predict", "shape": [1, 1], "datatype": "INT64", "data": [0]}


def describe(subject: Subject) -> Protocol:
    """Return what the protocol adds to the document."""
    base = f"/v2/models/{subject.deployment}"
    exact = f"{base}/versions/{subject.model_version}"
    inputs = choose_inputs(subject)
    known, outputs = numbered("Output", [build_tensor(t) for t in subject.metadata.outputs])
    schemas: dict[str, Schema] = {
        **inputs.schemas,
        **known,
        "Request": _request(inputs),
        "Prediction": _prediction(outputs),
        "AnyTensor": build_any_tensor(),
        "Parameters": _parameters(),
        "Note": build_note(subject),
        "Model": _model(),
    }
    return Protocol(
        paths=_server_paths() | _model_paths(base) | _model_paths(exact),
        predict=(f"{base}/infer", f"{exact}/infer"),
        schemas=schemas,
        inputs=inputs.listed,
        outputs=outputs,
        request=json_content(reference("Request"), inputs.example) | {_BINARY: {}},
        answer=json_content(reference("Prediction"), _example(subject)) | {_BINARY: {}},
        parameters=(_LENGTH,),
    )


def _request(inputs: Inputs) -> Schema:
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "description": "Comes back in the answer."},
            "parameters": reference("Parameters"),
            "inputs": inputs.schema,
            "outputs": {
                "type": "array",
                "description": "The outputs that are wanted; all by default.",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "parameters": reference("Parameters"),
                    },
                },
            },
        },
    }


def _prediction(outputs: list[Schema]) -> Schema:
    return {
        "type": "object",
        "required": ["outputs", "parameters"],
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": ["string", "null"]},
            "id": {"type": ["string", "null"]},
            "parameters": reference("Note"),
            "outputs": {
                "type": "array",
                "items": {"anyOf": outputs} if outputs else reference("AnyTensor"),
            },
        },
    }


def _parameters() -> Schema:
    return {
        "type": ["object", "null"],
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }


def _model() -> Schema:
    tensors = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "datatype": {"type": "string"},
                "shape": {"type": "array", "items": {"type": "integer"}},
            },
        },
    }
    return {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "platform": {"type": "string"},
            "versions": {"type": ["array", "null"], "items": {"type": "string"}},
            "inputs": tensors,
            "outputs": tensors,
        },
    }


def _example(subject: Subject) -> dict[str, Any]:
    return {
        "model_name": subject.deployment,
        "outputs": example_tensors(subject.metadata.outputs) or [_SOME_OUTPUT],
        "parameters": example_note(subject),
    }


def _server_paths() -> dict[str, Part]:
    server = json_content({"type": "object"})
    return {
        "/v2": reading("readServer", "Model", "About the predictor", server, *PASSED_ON),
        "/v2/health/live": reading(
            "readServerLive", "Model", "The predictor lives", None, *PASSED_ON
        ),
        "/v2/health/ready": reading(
            "readServerReady", "Model", "The predictor is ready", None, *PASSED_ON
        ),
    }


def _model_paths(base: str) -> dict[str, Part]:
    suffix = version_suffix(base)
    return {
        base: reading(
            f"readModel{suffix}",
            "Model",
            "About the model, in the predictor's own words",
            json_content(reference("Model")),
            *PASSED_ON,
        ),
        f"{base}/ready": reading(
            f"readModelReady{suffix}", "Model", "The model is ready", None, *PASSED_ON
        ),
    }
