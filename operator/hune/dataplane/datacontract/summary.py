"""What is known of a column after some of its rows, and the feature that it is taken for."""

import math
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

import numpy as np

from hune.contract.features import Feature
from hune.dataplane.datacontract.texts import TRUTHS, Cells, parse_numbers
from hune.dataplane.wire.table import Numbers

_WHOLE: Final = frozenset("+-0123456789 ")
_LONGEST_CATEGORY: Final = 63
# What a contract can write down as a number: exponents of two digits.
_LARGEST: Final = 1e99
_SMALLEST: Final = 1e-99
_PLAIN_INTEGER: Final = 1e16
_DIGITS_OF_SPAN: Final = 3


@dataclass(slots=True)
class Summary:
    """A column, seen part by part, in bounded memory.

    Attributes:
        categories_at_most: With more distinct texts it is no category.
        nulls: How many cells had no value.
        nans: How many were NaN, which is null in numbers only.
        seen: How many had a value.
        is_number: Whether all values are numbers so far.
        is_whole: Whether all are written as whole numbers.
        is_truth: Whether all are true or false.
        low: The smallest number.
        high: The largest number.
        distinct: The distinct texts; None once there are too many.
    """

    categories_at_most: int
    nulls: int = 0
    nans: int = 0
    seen: int = 0
    is_number: bool = True
    is_whole: bool = True
    is_truth: bool = True
    low: float = math.inf
    high: float = -math.inf
    distinct: set[str] | None = field(default_factory=set)

    def add_texts(self, cells: Cells) -> None:
        """Take in cells as they are written; None is null."""
        texts = [cell for cell in cells if cell is not None]
        self.nulls += len(cells) - len(texts)
        self.seen += len(texts)
        different = set(texts)
        self._add_distinct(different)
        self.is_truth = self.is_truth and TRUTHS.keys() >= {text.lower() for text in different}
        numbers = parse_numbers(texts) if self.is_number else None
        self.is_number = numbers is not None
        if numbers is not None:
            self.is_whole = self.is_whole and _WHOLE.issuperset("".join(different))
            self._add_range(numbers)

    def add_values(self, values: list[Any]) -> None:
        """Take in cells that have a type; None is null.

        Raises:
            ValueError: They are neither numbers nor truths nor texts; the message names the type.
        """
        there = [value for value in values if value is not None]
        self.nulls += len(values) - len(there)
        self.seen += len(there)
        types = set(map(type, there))
        self.is_truth = self.is_truth and types <= {bool}
        self.is_number = self.is_number and (types <= {int, float} or self.is_truth)
        if types <= {str}:
            self._add_distinct(set(there))
        elif types <= {int, float}:
            self.is_whole = self.is_whole and float not in types
            self._add_range(np.array(there, dtype=np.float64))
        elif not types <= {bool}:
            raise ValueError(" and ".join(sorted(found.__name__ for found in types)))

    def feature(self, name: str, margin: float) -> Feature:
        """Return the feature that all values seen so far keep to.

        Args:
            name: The column's name.
            margin: By which part of its width the range of numbers is widened at both ends.
        """
        nullable = self.nulls > 0
        if self.seen and self.is_truth:
            return Feature(name, "Boolean", nullable=nullable)
        if self.seen > self.nans and self.is_number:
            kind = "Integer" if self.is_whole and not self.nans else "Float"
            low, high = _widen(self.low, self.high, margin, whole=kind == "Integer")
            return Feature(
                name,
                kind,
                minimum=_write(low, up=False),
                maximum=_write(high, up=True),
                nullable=nullable or self.nans > 0,
            )
        if self.distinct and all(len(text) <= _LONGEST_CATEGORY for text in self.distinct):
            return Feature(
                name, "Category", categories=tuple(sorted(self.distinct)), nullable=nullable
            )
        return Feature(name, "Text", nullable=nullable)

    def _add_distinct(self, different: set[str]) -> None:
        if self.distinct is not None:
            self.distinct |= different
            if len(self.distinct) > self.categories_at_most:
                self.distinct = None

    def _add_range(self, numbers: Numbers) -> None:
        there = numbers[~np.isnan(numbers)]
        self.nans += len(numbers) - len(there)
        if len(there):
            self.low = min(self.low, float(there.min()))
            self.high = max(self.high, float(there.max()))


def _widen(low: float, high: float, margin: float, *, whole: bool) -> tuple[float, float]:
    """Widen a range, rounded outward to what a person would write, but not across zero."""
    width = margin * ((high - low) or abs(high) or 1.0)
    if not 0 < width < math.inf or math.isinf(low) or math.isinf(high):
        return low, high
    step = Decimal(1).scaleb(Decimal(width).adjusted() + 1 - _DIGITS_OF_SPAN)
    if whole:
        step = max(step, Decimal(1))
    least = (Decimal(repr(low)) - Decimal(repr(width))) / step
    most = (Decimal(repr(high)) + Decimal(repr(width))) / step
    lowest = float(least.to_integral_value(ROUND_FLOOR) * step)
    highest = float(most.to_integral_value(ROUND_CEILING) * step)
    return (max(lowest, 0.0) if low >= 0 else lowest, min(highest, 0.0) if high <= 0 else highest)


def _write(value: float, *, up: bool) -> str:
    """Return a bound as a contract writes it; nothing where that cannot write it."""
    if abs(value) >= _LARGEST:
        return ""
    if 0 < abs(value) < _SMALLEST:
        if (value > 0) is up:
            return "1e-99" if up else "-1e-99"
        return "0"
    if value == int(value) and abs(value) < _PLAIN_INTEGER:
        return str(int(value))
    return repr(value).replace("e+", "e").removesuffix(".0")
