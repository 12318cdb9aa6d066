"""The parts that a detector can play in a guard, and the words for what each of them finds."""

from dataclasses import dataclass
from typing import Final

from hune.dataplane.guard.answers import Header


@dataclass(frozen=True, slots=True)
class Role:
    """One part.

    Attributes:
        name: Its name in `spec.guard`, in metrics and in what the guard says of itself.
        word: What a flagged row is called in notes and headers.
        reason: Why a flagged row is not answered; `{threshold}` stands for the number.
    """

    name: str
    word: str
    reason: str

    def header(self, *, flagged: bool) -> Header:
        """Return the header that says whether any row is flagged."""
        return f"x-hune-{self.word}".encode(), b"true" if flagged else b"false"


OUTLIERS: Final = Role(
    "outliers",
    "outlier",
    "unlike those that the model was trained on: outlier score above {threshold}, or null in the "
    "row; check the values",
)
ADVERSARIAL: Final = Role(
    "adversarial",
    "adversarial",
    "answered by the model as rows like it are not, as rows are that were made to deceive it: "
    "adversarial score above {threshold}, or null in the row",
)
