"""What the operator tells a guard: one JSON file, re-read when it changes."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """The settings of one revision's guard, as the operator writes them to its ConfigMap.

    Attributes:
        deployment: Name of the ModelDeployment; also the public model name in paths.
        namespace: Namespace of the ModelDeployment.
        model_version: Name of the ModelVersion that this revision serves.
        revision: Name of the revision's InferenceService.
        protocol: `V1` or `V2`, what the predictor speaks.
        predictor_port: Port of the predictor on localhost.
        arm: Arm of an experiment; empty outside of one.
        draining: True once another revision took over: every answer then closes its connection.
    """

    deployment: str
    namespace: str
    model_version: str
    revision: str
    protocol: str
    predictor_port: int
    arm: str = ""
    draining: bool = False

    def to_json(self) -> str:
        """Return the settings as JSON with sorted camelCase keys; equal settings, equal text."""
        return json.dumps({_camel(k): v for k, v in asdict(self).items()}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse what `to_json` wrote; fields unknown to this release are passed over.

        Raises:
            ValueError: Not JSON, not an object, or a field is missing or of the wrong type.
        """
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("guard settings must be a JSON object")  # noqa: TRY004 one error kind
        known = {name: document[_camel(name)] for name in cls.__slots__ if _camel(name) in document}
        try:
            settings = cls(**known)
        except TypeError as error:
            raise ValueError(f"guard settings: {error}") from None
        _check_types(settings)
        return settings


def _check_types(settings: GuardSettings) -> None:
    for name, value in asdict(settings).items():
        wanted: type[Any] = GuardSettings.__annotations__[name]
        if type(value) is not wanted:
            raise ValueError(f"guard settings: {_camel(name)} must be {wanted.__name__}")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
