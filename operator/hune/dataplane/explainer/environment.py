"""What the container's environment tells an explainer, fixed for the life of the process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from hune.contract import names
from hune.contract.guard import PROTOCOLS
from hune.dataplane.guard.environment import BadVariableError, Environment

_DEFAULT_LIMIT_SECONDS: Final = "30"


@dataclass(frozen=True, slots=True)
class ExplainerEnvironment:
    """Limits and places of one explainer.

    Attributes:
        server: Port, drain and the bounds of a request, as a guard has them.
        directory: Where the artefact lies.
        digest: The only digest that may be loaded; any when empty.
        method: The method that the artefact must be of; any when empty.
        predictor_host: Host of the predictor that black boxes are asked through.
        predictor_port: Its port.
        protocol: `V1` or `V2`, what it speaks; `Seldon` for one that no black box is asked of.
        model: What it calls the model.
        time_limit_seconds: How long one explanation may take when the guard says nothing.
        workers: Explanations that run at once.
        waiting: Explanations that may wait for that, before more are refused.
    """

    server: Environment
    directory: Path
    digest: str
    method: str
    predictor_host: str
    predictor_port: int
    protocol: str
    model: str
    time_limit_seconds: float
    workers: int
    waiting: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Return the environment.

        Raises:
            BadVariableError: A variable has no sensible value; the message names it.
        """
        given = {"HUNE_PORT": str(names.EXPLAINER_PORT), **variables}
        protocol = given.get("HUNE_PREDICTOR_PROTOCOL", "V2")
        if protocol not in PROTOCOLS:
            raise BadVariableError(
                f"HUNE_PREDICTOR_PROTOCOL is {protocol!r}; set it to {' or '.join(PROTOCOLS)}"
            )
        return cls(
            server=Environment.read(given),
            directory=Path(given.get("HUNE_EXPLAINER_DIRECTORY", names.EXPLAINER_DIRECTORY)),
            digest=given.get("HUNE_EXPLAINER_DIGEST", ""),
            method=given.get("HUNE_EXPLAINER_METHOD", ""),
            predictor_host=given.get("HUNE_PREDICTOR_HOST", "127.0.0.1"),
            predictor_port=_whole(given, "HUNE_PREDICTOR_PORT", str(names.PREDICTOR_PORT)),
            protocol=protocol,
            model=given.get("HUNE_MODEL", ""),
            time_limit_seconds=_positive(given, "HUNE_TIME_LIMIT_SECONDS", _DEFAULT_LIMIT_SECONDS),
            workers=_whole(given, "HUNE_EXPLAINER_WORKERS", "2"),
            waiting=_whole(given, "HUNE_EXPLAINER_WAITING", "8"),
        )


def _whole(variables: Mapping[str, str], name: str, default: str) -> int:
    value = _positive(variables, name, default)
    if value != int(value):
        raise BadVariableError(f"{name} is {variables[name]!r}; set it to a whole number")
    return int(value)


def _positive(variables: Mapping[str, str], name: str, default: str) -> float:
    text = variables.get(name) or default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise BadVariableError(f"{name} is {text!r}; set it to a number above 0")
    return value
