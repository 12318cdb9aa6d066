"""What the container's environment sets: limits and places, fixed for the life of the process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from hune.contract import names

_MEBIBYTE: Final = 1 << 20
_MAXIMUM_ACCESS_SECONDS: Final = 10.0


class BadVariableError(Exception):
    """A variable has no sensible value."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Limits and places of one guard.

    Attributes:
        port: Where to listen.
        guard_file: The settings that the operator writes.
        key_file: The namespace's key for prediction ids.
        drain_seconds: How long to serve on after SIGTERM, until no endpoint names this pod.
        predictor_timeout_seconds: How long one prediction may take.
        read_timeout_seconds: How long one request may take to arrive.
        maximum_body_bytes: The largest body taken from a client or from the predictor.
        authorizer_timeout_seconds: How long the authorizer may take for one answer.
        access_seconds: How long a caller that was allowed may go on before it is asked about
            anew; a right that is taken away ends at the latest then.
    """

    port: int
    guard_file: Path
    key_file: Path
    drain_seconds: float
    predictor_timeout_seconds: float
    read_timeout_seconds: float
    maximum_body_bytes: int
    authorizer_timeout_seconds: float
    access_seconds: float

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Return the environment.

        Raises:
            BadVariableError: A variable has no sensible value; the message names it.
        """
        return cls(
            port=int(_number(variables, "HUNE_PORT", names.GUARD_PORT)),
            guard_file=Path(
                variables.get("HUNE_GUARD_FILE", f"{names.GUARD_DIRECTORY}/{names.GUARD_FILE}")
            ),
            key_file=Path(
                variables.get(
                    "HUNE_PREDICTION_KEY_FILE",
                    f"{names.PREDICTION_KEY_DIRECTORY}/{names.PREDICTION_KEY_FILE}",
                )
            ),
            drain_seconds=_number(variables, "HUNE_DRAIN_SECONDS", 10),
            predictor_timeout_seconds=_number(variables, "HUNE_PREDICTOR_TIMEOUT_SECONDS", 60),
            read_timeout_seconds=_number(variables, "HUNE_READ_TIMEOUT_SECONDS", 30),
            maximum_body_bytes=int(_number(variables, "HUNE_MAXIMUM_BODY_BYTES", 32 * _MEBIBYTE)),
            authorizer_timeout_seconds=_number(variables, "HUNE_AUTHORIZER_TIMEOUT_SECONDS", 5),
            access_seconds=_number(
                variables, "HUNE_ACCESS_SECONDS", _MAXIMUM_ACCESS_SECONDS, _MAXIMUM_ACCESS_SECONDS
            ),
        )


def _number(
    variables: Mapping[str, str], name: str, default: float, maximum: float = math.inf
) -> float:
    text = variables.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < math.inf:
        raise BadVariableError(f"{name} is {text!r}; set it to a number that is not negative")
    if value > maximum:
        raise BadVariableError(f"{name} is {text!r}; set it to a number of at most {maximum:g}")
    return value
