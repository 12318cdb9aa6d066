"""The one thing that matters: asking for a prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hune.dataplane.openapi.content import Part
from hune.dataplane.openapi.failure import COMMON, PASSED_ON, PREDICTION, failures
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.note import build_headers
from hune.dataplane.openapi.subject import Subject

VERSION: Final = "{version}"
_VERSION_PARAMETER: Final = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The version as the predictor knows it; most know none.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,63}$"},
}


@dataclass(frozen=True, slots=True)
class Protocol:
    """What one protocol adds to a document.

    Attributes:
        paths: Everything but predictions.
        predict: The paths at which predictions are asked for, the plainest first.
        schemas: The schemas by name.
        inputs: References to the model's inputs, features or tensors; empty where unknown.
        outputs: References to the model's outputs; empty where unknown.
        request: Content of a request.
        answer: Content of a prediction.
        parameters: Headers that a request may have.
    """

    paths: Mapping[str, Part]
    predict: tuple[str, ...]
    schemas: Mapping[str, Schema]
    inputs: list[Schema]
    outputs: list[Schema]
    request: Part
    answer: Part
    parameters: tuple[Part, ...] = ()


def build_predictions(subject: Subject, protocol: Protocol) -> dict[str, Part]:
    """Return the paths at which predictions are asked for."""
    return {
        path: with_version(path) | {"post": _operation(subject, protocol, path)}
        for path in protocol.predict
    }


def with_version(path: str) -> Part:
    """Return the parameters of a path, which has one where it names a version."""
    return {"parameters": [_VERSION_PARAMETER]} if VERSION in path else {}


def _operation(subject: Subject, protocol: Protocol, path: str) -> Part:
    statuses = (*COMMON, *PASSED_ON, *PREDICTION)
    answer: Part = {
        "description": "The prediction as the predictor gave it, and beside it what Hune says.",
        "headers": build_headers(subject),
        "content": protocol.answer,
    }
    return {
        "operationId": "predictWithVersion" if VERSION in path else "predict",
        "tags": ["Predictions"],
        "summary": "Predict",
        "parameters": list(protocol.parameters),
        "requestBody": {"required": True, "content": protocol.request},
        "responses": {"200": answer, **failures(*statuses)},
        "x-hune-inputs": protocol.inputs,
        "x-hune-outputs": protocol.outputs,
    }
