"""The one thing that matters: asking for a prediction."""

from collections.abc import Mapping
from dataclasses import dataclass

from hune.dataplane.openapi.content import Part, version_suffix
from hune.dataplane.openapi.failure import COMMON, PASSED_ON, PREDICTION, failures
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.note import build_headers
from hune.dataplane.openapi.subject import Subject


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
    return {path: {"post": _operation(subject, protocol, path)} for path in protocol.predict}


def _operation(subject: Subject, protocol: Protocol, path: str) -> Part:
    statuses = (*COMMON, *PASSED_ON, *PREDICTION)
    answer: Part = {
        "description": "The prediction as the predictor gave it, and beside it what Hune says.",
        "headers": build_headers(subject),
        "content": protocol.answer,
    }
    return {
        "operationId": f"predict{version_suffix(path)}",
        "tags": ["Predictions"],
        "summary": "Predict",
        "parameters": list(protocol.parameters),
        "requestBody": {"required": True, "content": protocol.request},
        "responses": {"200": answer, **failures(*statuses)},
        "x-hune-inputs": protocol.inputs,
        "x-hune-outputs": protocol.outputs,
    }
