"""The parameters of each method, as a person gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hune.dataplane.jobs.errors import FitError


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter of a method: its default and its bounds."""

    default: int
    minimum: int
    maximum: int


PARAMETERS: Final[Mapping[str, Mapping[str, Number]]] = {
    "IForest": {
        "trees": Number(100, 1, 10_000),
        "samples": Number(256, 2, 1 << 20),
    },
    "Mahalanobis": {
        "components": Number(3, 1, 10_000),
        "clip": Number(3, 1, 1_000_000),
        "clip-after": Number(100, 1, 1_000_000_000),
        "standardise": Number(0, 0, 1),
    },
    "Neighbours": {
        "neighbours": Number(5, 1, 1000),
        "references": Number(2000, 10, 50_000),
        "standardise": Number(0, 0, 1),
    },
    "AdversarialAE": {
        "hidden": Number(128, 1, 4096),
        "code": Number(32, 1, 4096),
        "epochs": Number(20, 1, 10_000),
        "batch": Number(64, 1, 65_536),
        # In hundredths: alibi-detect's own default is 1.
        "temperature": Number(100, 1, 10_000),
        "standardise": Number(0, 0, 1),
    },
}


def read_parameters(method: str, given: Mapping[str, str]) -> dict[str, int]:
    """Return a value for each parameter of a method.

    Args:
        method: A key of `PARAMETERS`.
        given: Values for some of them, as a person wrote them.

    Raises:
        FitError: One is unknown, or no number within its bounds.
    """
    known = PARAMETERS[method]
    values = {name: number.default for name, number in known.items()}
    for name, text in given.items():
        if name not in known:
            raise FitError(
                f"--parameter {name}: {method} has {', '.join(known)}, none of that name"
            )
        number = known[name]
        if not text.isascii() or not text.isdigit():
            raise FitError(f"--parameter {name}={text}: a whole number is wanted")
        if not number.minimum <= int(text) <= number.maximum:
            raise FitError(
                f"--parameter {name}={text}: must be {number.minimum} to {number.maximum}"
            )
        values[name] = int(text)
    return values
