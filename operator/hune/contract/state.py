"""What a guard says of itself at `/hune/state`: which of its detectors cannot judge, and why."""

import json
from dataclasses import dataclass
from typing import Final, Self

from hune.contract.document import from_document, to_document

PATH: Final = "/hune/state"


@dataclass(frozen=True, slots=True)
class DetectorFault:
    """One detector that cannot judge.

    Attributes:
        detector: Its name, as in `spec.guard`: outliers.
        reason: CamelCase word.
        message: What is wrong and what to do, for a person.
    """

    detector: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class GuardState:
    """What is amiss with a guard; nothing when all is well."""

    faults: tuple[DetectorFault, ...] = ()

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
