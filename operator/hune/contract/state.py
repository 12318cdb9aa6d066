"""What a guard says of itself at `/hune/state`: which detectors cannot judge, what others found."""

import json
from dataclasses import dataclass
from typing import Final, Self

from hune.contract.document import from_document, to_document

PATH: Final = "/hune/state"
# The name of the explainer among the faults; every other one is a part of `spec.guard`.
EXPLAINER: Final = "explainer"
# Its fault when it does not answer the guard at all.
UNREACHABLE: Final = "ExplainerUnreachable"
# A fault's reason that passes by itself.
LOADING: Final = "Loading"
# How far back a guard counts what its detectors flagged; so often may somebody be told of it.
WINDOW_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class DetectorFault:
    """One detector that cannot judge.

    Attributes:
        detector: Its name, as in `spec.guard`: outliers or adversarial; or `explainer`.
        reason: CamelCase word.
        message: What is wrong and what to do, for a person.
    """

    detector: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What one detector flagged.

    Attributes:
        detector: Its name, as in `spec.guard`.
        rows: Rows that it flagged within the last `WINDOW_SECONDS`.
    """

    detector: str
    rows: int


@dataclass(frozen=True, slots=True)
class GuardState:
    """What is amiss with a guard or what it found; nothing when all is well."""

    faults: tuple[DetectorFault, ...] = ()
    detections: tuple[Detection, ...] = ()

    def to_json(self) -> str:
        """Return the state as JSON."""
        return json.dumps(to_document(self))

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Parse what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        return from_document(cls, json.loads(text), "guard state")
