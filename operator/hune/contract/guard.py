"""What the operator tells a guard: one JSON file, re-read when it changes."""

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final, Self

PROTOCOLS: Final = ("V1", "V2")
# Names end up in response headers and MACs: what Kubernetes allows, and nothing else.
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_MAXIMUM_PORT: Final = 65535


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
            ValueError: Not JSON, not an object, or a field is missing or has no sensible value;
                the message names the field.
        """
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("guard settings must be a JSON object")  # noqa: TRY004 one error kind
        known = {name: document[_camel(name)] for name in cls.__slots__ if _camel(name) in document}
        try:
            settings = cls(**known)
        except TypeError:
            raise ValueError(f"guard settings: {_missing(known)} is missing") from None
        _check_types(settings)
        _check_values(settings)
        return settings


def _missing(known: dict[str, Any]) -> str:
    wanted = [field.name for field in fields(GuardSettings) if field.default is MISSING]
    return ", ".join(_camel(name) for name in wanted if name not in known)


def _check_types(settings: GuardSettings) -> None:
    for name, value in asdict(settings).items():
        wanted: type[Any] = GuardSettings.__annotations__[name]
        if type(value) is not wanted:
            raise ValueError(f"guard settings: {_camel(name)} must be {wanted.__name__}")


def _check_values(settings: GuardSettings) -> None:
    if settings.protocol not in PROTOCOLS:
        raise ValueError(f"guard settings: protocol must be one of {', '.join(PROTOCOLS)}")
    if not 0 < settings.predictor_port <= _MAXIMUM_PORT:
        raise ValueError(f"guard settings: predictorPort must be 1 to {_MAXIMUM_PORT}")
    for name in ("deployment", "namespace", "model_version", "revision", "arm"):
        value = getattr(settings, name)
        if not _NAME.fullmatch(value) and (name != "arm" or value):
            raise ValueError(f"guard settings: {_camel(name)} {value!r} is no Kubernetes name")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
