"""The check of whole tables: one comparison for all numbers, and a closer look where it fails."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.contract import report
from hune.contract.features import DataContract
from hune.dataplane.datacontract.column import (
    NUMERIC_KINDS,
    Rule,
    as_numbers,
    find_breaches,
    in_precision,
)
from hune.dataplane.datacontract.tally import Tally
from hune.dataplane.datacontract.words import show_text
from hune.dataplane.wire.table import Column, Table

_NAMED: Final = 20


class Checker:
    """Compares tables with one contract; holds nothing between two of them."""

    def __init__(self, contract: DataContract) -> None:
        self._rules = [Rule.of(feature) for feature in contract.features]
        self._names = frozenset(feature.name for feature in contract.features)
        self._gate = _Gate(self._rules)

    def check(self, table: Table, tally: Tally) -> None:
        """Add what breaks the contract in a table, and its rows, to a tally."""
        if table.matrix is not None:
            self._check_matrix(table.matrix, tally)
        else:
            self._check_columns(table.columns, tally)
        tally.rows += table.rows

    def _check_matrix(self, matrix: Column, tally: Tally) -> None:
        width, wanted = matrix.shape[1], len(self._rules)
        if width != wanted:
            for rule in self._rules[width:]:
                self._miss(rule, tally)
            extra = [str(position) for position in range(wanted, width)[:_NAMED]]
            self._refuse_extra(extra, width - wanted, tally)
        if matrix.dtype.kind in NUMERIC_KINDS:
            for suspect in self._gate.suspects(matrix[:, :wanted]):
                self._check_column(self._rules[suspect], matrix[:, suspect], tally)
            return
        self._check_each({i: matrix[:, i] for i in range(min(width, wanted))}, tally)

    def _check_columns(self, columns: dict[str, Column], tally: Tally) -> None:
        found: dict[int, Column] = {}
        for position, rule in enumerate(self._rules):
            if rule.feature.name in columns:
                found[position] = columns[rule.feature.name]
            else:
                self._miss(rule, tally)
        self._check_each(found, tally)
        extra = columns.keys() - self._names
        if extra:
            named = [show_text(name) for name in sorted(extra)[:_NAMED]]
            self._refuse_extra(named, len(extra), tally)

    def _check_each(self, columns: dict[int, Column], tally: Tally) -> None:
        """Check columns of whatever types, those of numbers together."""
        # One matrix for each precision: a bound is compared in that of the value.
        numeric: dict[np.dtype[Any], dict[int, Column]] = {}
        for position, column in columns.items():
            rule = self._rules[position]
            numbers = as_numbers(column) if rule.is_numeric else None
            if numbers is None:
                self._check_column(rule, column, tally)
            else:
                numeric.setdefault(numbers.dtype, {})[position] = numbers
        for same in numeric.values():
            positions, matrix = list(same), np.array(list(same.values())).T
            for suspect in self._gate.suspects(matrix, positions):
                position = positions[suspect]
                self._check_column(self._rules[position], columns[position], tally)

    @staticmethod
    def _check_column(rule: Rule, column: Column, tally: Tally) -> None:
        for kind, mask in find_breaches(rule, column):
            tally.add_rows(kind, rule.feature.name, rule.allowed, mask, column)

    @staticmethod
    def _miss(rule: Rule, tally: Tally) -> None:
        tally.add_columns(report.MISSING_COLUMN, rule.feature.name, [rule.feature.name], 1)

    @staticmethod
    def _refuse_extra(named: list[str], count: int, tally: Tally) -> None:
        if count > 0:
            tally.add_columns(report.EXTRA_COLUMN, "", named, count)


class _Gate:
    """Tells at once which columns of numbers need a closer look.

    What it lets through keeps the contract; what it stops may still turn out to keep it.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        # No number is at least infinity: a column of texts is always looked at.
        low = [_lowest(rule) for rule in rules]
        high = [_highest(rule) for rule in rules]
        self._bounds = np.array([low, high], dtype=np.float64)
        self._by_precision: dict[np.dtype[Any], npt.NDArray[Any]] = {}
        self._whole = np.array([rule.feature.type in {"Integer", "Boolean"} for rule in rules])
        self._nullable = np.array([rule.feature.nullable for rule in rules])
        self._any_whole = bool(self._whole.any())
        self._any_nullable = bool(self._nullable.any())

    def suspects(
        self, matrix: npt.NDArray[Any], positions: Sequence[int] | None = None
    ) -> npt.NDArray[np.intp]:
        """Return the columns of a matrix that need a closer look.

        Args:
            matrix: Shape (rows, columns), numbers.
            positions: Which features they are; the first ones by default.
        """
        which = slice(matrix.shape[1]) if positions is None else positions
        low, high = self._in_precision(matrix.dtype)[:, which]
        good = matrix >= low
        good &= matrix <= high
        if self._any_whole and matrix.dtype.kind == "f":
            good &= (matrix == np.floor(matrix)) & np.isfinite(matrix) | ~self._whole[which]
        if self._any_nullable and matrix.dtype.kind == "f":
            good |= np.isnan(matrix) & self._nullable[which]
        if good.all():
            return _NONE
        return np.flatnonzero(~good.all(axis=0))

    def _in_precision(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        if dtype not in self._by_precision:
            self._by_precision[dtype] = in_precision(self._bounds, dtype)
        return self._by_precision[dtype]


_NONE: Final = np.array([], dtype=np.intp)


def _lowest(rule: Rule) -> float:
    if rule.feature.type == "Boolean":
        return 0
    return rule.low if rule.is_numeric else float("inf")


def _highest(rule: Rule) -> float:
    if rule.feature.type == "Boolean":
        return 1
    return rule.high if rule.is_numeric else float("-inf")
