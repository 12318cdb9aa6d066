"""What the container's environment sets: limits and places, fixed for the life of the process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from hune.contract import names
from hune.dataplane.guard.memory import LARGEST_AT_ONCE

_MEBIBYTE: Final = 1 << 20
_MAXIMUM_ACCESS_SECONDS: Final = 10.0
_USUAL_MEMORY: Final = 512 * _MEBIBYTE
# What a guard needs that answers nothing, with its detectors.
_MEMORY_AT_REST: Final = 96 * _MEBIBYTE
# Bodies of the largest size that all the rest must have room for: those that are held, and as often
# as one of them is copied while it is read, looked at and answered, which happens to one at a time.
_BODIES_AT_ONCE: Final = 2 * LARGEST_AT_ONCE + 7
_SMALLEST_LIMIT: Final = _MEBIBYTE
_LARGEST_LIMIT: Final = 256 * _MEBIBYTE


class BadVariableError(Exception):
    """A variable has no sensible value."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Limits and places of one guard.

    Attributes:
        host: Address to listen on; in a pod all of its own.
        port: Port to listen on.
        guard_file: The settings that the operator writes.
        key_file: The namespace's key for prediction ids.
        drain_seconds: How long to serve on after SIGTERM, until no endpoint names this pod.
        predictor_timeout_seconds: How long one prediction may take.
        read_timeout_seconds: How long one request may take to arrive.
        maximum_body_bytes: The largest body taken from a client or from the predictor; by default
            what the memory of the container allows.
        authorizer_timeout_seconds: How long the authorizer may take for one answer.
        access_seconds: How long a caller that was allowed may go on before it is asked about
            anew; a right that is taken away ends at the latest then.
        detector_seconds: How long a detector may take for the rows of one request.
    """

    host: str
    port: int
    guard_file: Path
    key_file: Path
    drain_seconds: float
    predictor_timeout_seconds: float
    read_timeout_seconds: float
    maximum_body_bytes: int
    authorizer_timeout_seconds: float
    access_seconds: float
    detector_seconds: float

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Return the environment.

        Raises:
            BadVariableError: A variable has no sensible value; the message names it.
        """
        return cls(
            host=variables.get("HUNE_HOST", "0.0.0.0"),  # noqa: S104 the pod's only public port
            port=int(read_number(variables, "HUNE_PORT", names.GUARD_PORT)),
            guard_file=Path(
                variables.get("HUNE_GUARD_FILE", f"{names.GUARD_DIRECTORY}/{names.GUARD_FILE}")
            ),
            key_file=Path(
                variables.get(
                    "HUNE_PREDICTION_KEY_FILE",
                    f"{names.PREDICTION_KEY_DIRECTORY}/{names.PREDICTION_KEY_FILE}",
                )
            ),
            drain_seconds=read_number(variables, "HUNE_DRAIN_SECONDS", 10),
            predictor_timeout_seconds=read_number(variables, "HUNE_PREDICTOR_TIMEOUT_SECONDS", 60),
            read_timeout_seconds=read_number(variables, "HUNE_READ_TIMEOUT_SECONDS", 30),
            maximum_body_bytes=int(
                read_number(
                    variables,
                    "HUNE_MAXIMUM_BODY_BYTES",
                    largest_body(read_number(variables, "HUNE_MEMORY_BYTES", _USUAL_MEMORY)),
                )
            ),
            authorizer_timeout_seconds=read_number(variables, "HUNE_AUTHORIZER_TIMEOUT_SECONDS", 5),
            access_seconds=read_number(
                variables, "HUNE_ACCESS_SECONDS", _MAXIMUM_ACCESS_SECONDS, _MAXIMUM_ACCESS_SECONDS
            ),
            detector_seconds=read_number(variables, "HUNE_DETECTOR_SECONDS", 5),
        )


def largest_body(memory: float) -> int:
    """Return the largest body that a guard takes with so many bytes of memory."""
    share = int((memory - _MEMORY_AT_REST) / _BODIES_AT_ONCE)
    return min(max(share, _SMALLEST_LIMIT), _LARGEST_LIMIT)


def read_number(
    variables: Mapping[str, str], name: str, default: float, maximum: float = math.inf
) -> float:
    """Return a variable's number, or the default where it is not set.

    Raises:
        BadVariableError: It is none, negative or above the maximum.
    """
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
