"""Telling a model how good its answer was."""

from typing import Final

from hune.dataplane.openapi.content import Part, json_content, reference, version_suffix
from hune.dataplane.openapi.failure import COMMON, PASSED_ON, failures
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.prediction import Protocol
from hune.dataplane.openapi.subject import Subject

_TOO_LARGE: Final = 413
_REWARD: Final[Schema] = {"type": "number", "description": "How good the answer was."}


def build_feedback(subject: Subject, protocol: Protocol) -> dict[str, Part]:
    """Return the paths at which feedback is taken; none where the model takes none."""
    if not subject.takes_feedback:
        return {}
    return {
        f"{path.removesuffix('/infer')}/feedback": {"post": _operation(protocol, path)}
        for path in protocol.predict
    }


def _operation(protocol: Protocol, path: str) -> Part:
    told: Schema = {
        "type": "object",
        "required": ["inputs"],
        "anyOf": [{"required": ["reward"]}, {"required": ["truth"]}],
        "properties": {
            "inputs": protocol.schemas["Request"]["properties"]["inputs"],
            "reward": _REWARD,
            "truth": {
                "type": "array",
                "minItems": 1,
                "description": "What the answer should have been.",
                "items": reference("AnyTensor"),
            },
        },
    }
    named: Schema = {"type": "object", "properties": {"model_name": {"type": "string"}}}
    answer = {"description": "The model took note of it.", "content": json_content(named)}
    return {
        "operationId": f"feedback{version_suffix(path)}",
        "tags": ["Predictions"],
        "summary": "Say how good an answer was",
        "description": "The inputs that were answered, with a reward, the truth, or both.",
        "requestBody": {"required": True, "content": json_content(told)},
        "responses": {"200": answer, **failures(*COMMON, *PASSED_ON, _TOO_LARGE)},
    }
