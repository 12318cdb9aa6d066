"""What a check found so far: counts by feature and kind, and the first examples of each."""

from dataclasses import dataclass, field

import numpy as np

from hune.contract.report import Breach, ContractReport, Count
from hune.dataplane.datacontract.column import Mask
from hune.dataplane.datacontract.words import show
from hune.dataplane.wire.table import Column


@dataclass(slots=True)
class Tally:
    """Counts of breaches, bounded whatever the data holds.

    Attributes:
        limit: How many examples are kept in all.
        limit_of_one: How many examples are kept of one feature and kind.
        rows: How many rows were looked at.
        counts: Breaches by feature and kind.
        examples: The first breaches.
    """

    limit: int
    limit_of_one: int
    rows: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: list[Breach] = field(default_factory=list)

    @property
    def breaches(self) -> int:
        """Return the number of all breaches."""
        return sum(self.counts.values())

    def add_columns(self, kind: str, feature: str, named: list[str], count: int) -> None:
        """Note columns that are missing or too many; noting them again changes nothing.

        Args:
            kind: `MissingColumn` or `ExtraColumn`.
            feature: What they are counted under.
            named: Names of some of them.
            count: How many there are.
        """
        if (feature, kind) not in self.counts:
            self.counts[feature, kind] = count
            room = self.limit - len(self.examples)
            self.examples += [Breach(name, kind) for name in named[: max(0, room)]]

    def add_rows(self, kind: str, feature: str, allowed: str, mask: Mask, column: Column) -> None:
        """Note the rows of a column that break the contract in one way.

        Args:
            kind: One of the report's kinds.
            feature: The column's name.
            allowed: What is wanted there.
            mask: Shape (rows,): which rows.
            column: Shape (rows,): their values.
        """
        before = self.counts.get((feature, kind), 0)
        self.counts[feature, kind] = before + int(np.count_nonzero(mask))
        room = min(self.limit_of_one - before, self.limit - len(self.examples))
        if room > 0:
            found = np.flatnonzero(mask)[:room].tolist()
            self.examples += [
                Breach(feature, kind, show(column[row]), allowed, self.rows + row) for row in found
            ]

    def report(self, data: str) -> ContractReport:
        """Return the report of what was found in some data."""
        counts = (Count(feature, kind, n) for (feature, kind), n in self.counts.items())
        most_first = tuple(sorted(counts, key=lambda count: -count.count))
        by_row = sorted(self.examples, key=lambda breach: -1 if breach.row is None else breach.row)
        return ContractReport(data, self.rows, self.breaches, most_first, tuple(by_row))
