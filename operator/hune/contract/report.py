"""How data kept to its contract: what `hune contract check` and the guard report."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

from hune.contract.document import from_document, to_document

MISSING_COLUMN: Final = "MissingColumn"
EXTRA_COLUMN: Final = "ExtraColumn"
WRONG_TYPE: Final = "WrongType"
NULL: Final = "Null"
BELOW_MINIMUM: Final = "BelowMinimum"
ABOVE_MAXIMUM: Final = "AboveMaximum"
UNKNOWN_CATEGORY: Final = "UnknownCategory"
KINDS: Final = (
    MISSING_COLUMN,
    EXTRA_COLUMN,
    WRONG_TYPE,
    NULL,
    BELOW_MINIMUM,
    ABOVE_MAXIMUM,
    UNKNOWN_CATEGORY,
)
MAXIMUM_BYTES: Final = 4096
_MARK: Final = "contract-report"
_WORDS: Final = {
    WRONG_TYPE: "is of the wrong type",
    NULL: "is not allowed",
    BELOW_MINIMUM: "is below the minimum",
    ABOVE_MAXIMUM: "is above the maximum",
    UNKNOWN_CATEGORY: "is an unknown category",
}


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where data breaks its contract.

    Attributes:
        feature: Name of the column; where the contract does not know it, as the data spells it.
        kind: One of `KINDS`.
        value: What was found, cut and safe to print; empty for a whole column.
        allowed: What the contract wants there, with the unit; empty for a whole column.
        row: Number of the row, from 0; None for a whole column.
    """

    feature: str
    kind: str
    value: str = ""
    allowed: str = ""
    row: int | None = None

    def __str__(self) -> str:
        if self.kind == MISSING_COLUMN:
            return f"column '{self.feature}' is missing"
        if self.kind == EXTRA_COLUMN:
            return f"column '{self.feature}' is not in the contract"
        what = f"{self.value} {_WORDS.get(self.kind, self.kind)}"
        return f"row {self.row}, '{self.feature}': {what}; wanted is {self.allowed}"


@dataclass(frozen=True, slots=True)
class Count:
    """How often one feature breaks the contract in one way.

    Attributes:
        feature: Name of the column; empty for all columns that the contract does not know.
        kind: One of `KINDS`.
        count: In how many rows; for columns, how many.
    """

    feature: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class ContractReport:
    """What one check found.

    Attributes:
        data: What was checked, as the user named it.
        rows: How many rows it has.
        breaches: How many breaches were found.
        counts: The breaches by feature and kind, most of them first.
        examples: Some of the breaches.
        truncated: Whether counts or examples were left out to save space.
    """

    data: str
    rows: int
    breaches: int
    counts: tuple[Count, ...] = ()
    examples: tuple[Breach, ...] = ()
    truncated: bool = False

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps({"hune": _MARK, **to_document(self)})

    def to_termination_message(self) -> str:
        """Return the report as one line of JSON that fits a termination message (4 KiB)."""
        text = self.to_json()
        if len(text.encode()) <= MAXIMUM_BYTES:
            return text
        # What was counted says more than examples do, so those go first.
        if self.examples:
            shorter = replace(
                self, examples=self.examples[: len(self.examples) // 2], truncated=True
            )
        elif self.counts:
            shorter = replace(self, counts=self.counts[: len(self.counts) // 2], truncated=True)
        else:
            shorter = replace(self, data=self.data[: len(self.data) // 2], truncated=True)
        return shorter.to_termination_message()

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Return the report in a termination message, or None where it is none of ours."""
        try:
            document = json.loads(text)
            if not isinstance(document, dict) or document.get("hune") != _MARK:
                return None
            return from_document(cls, document, "contract report")
        except (ValueError, RecursionError):
            return None

    def lines(self) -> Iterator[str]:
        """Yield the report for a person."""
        rows = f"{self.data}: {self.rows} rows"
        if not self.breaches:
            yield f"{rows} keep the contract"
            return
        yield f"{rows}, {self.breaches} breaches of the contract"
        for count in self.counts:
            where = f"'{count.feature}'" if count.feature else "unknown columns"
            yield f"  {count.count:>8}  {count.kind:<15}  {where}"
        if self.examples:
            yield "for example (rows are counted from 0):"
        yield from (f"  {breach}" for breach in self.examples)
