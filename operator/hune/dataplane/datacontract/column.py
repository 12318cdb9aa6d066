"""One column against its feature: which rows break the contract, and how."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from hune.contract import report
from hune.contract.features import Feature
from hune.dataplane.datacontract.words import describe
from hune.dataplane.wire.table import Column, Numbers

Mask = npt.NDArray[np.bool_]
NUMERIC_KINDS: Final = frozenset("fiu")
_PLAIN: Final = frozenset({int, float, type(None)})
_TEXTS: Final = frozenset({str, bytes})


@dataclass(frozen=True, slots=True)
class Rule:
    """A feature, ready to be compared with.

    Attributes:
        feature: The feature.
        allowed: What is wanted, in words.
        low: Its minimum, or minus infinity.
        high: Its maximum, or infinity.
        texts: The categories.
        numbers: Those of the categories that are numbers.
    """

    feature: Feature
    allowed: str
    low: float
    high: float
    texts: frozenset[str]
    numbers: Numbers

    @classmethod
    def of(cls, feature: Feature) -> Self:
        """Return the rule of a feature."""
        numbers = sorted({float(text) for text in feature.categories if _is_number(text)})
        return cls(
            feature=feature,
            allowed=describe(feature),
            low=float(feature.minimum or "-inf"),
            high=float(feature.maximum or "inf"),
            texts=frozenset(feature.categories),
            numbers=np.array(numbers, dtype=np.float64),
        )

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, booleans included."""
        return self.feature.type in {"Float", "Integer", "Boolean"}


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column sorted into what its cells are, each of shape (rows,).

    Attributes:
        null: Cells without a value.
        wrong: Cells of another type.
        values: Numbers in the column's own precision, NaN elsewhere; None for texts.
        unknown: Cells of the right type that are no known category; None for numbers.
    """

    null: Mask
    wrong: Mask
    values: npt.NDArray[Any] | None = None
    unknown: Mask | None = None


def find_breaches(rule: Rule, column: Column) -> Iterator[tuple[str, Mask]]:
    """Yield each way in which a column breaks its feature, with the rows, shape (rows,)."""
    cells = _numbers(rule, column) if rule.is_numeric else _texts(rule, column)
    null = np.zeros_like(cells.null) if rule.feature.nullable else cells.null
    masks = [(report.NULL, null), (report.WRONG_TYPE, cells.wrong)]
    if cells.unknown is not None:
        masks.append((report.UNKNOWN_CATEGORY, cells.unknown))
    if cells.values is not None:
        low, high = in_precision(np.array([rule.low, rule.high]), cells.values.dtype)
        masks.append((report.BELOW_MINIMUM, (cells.values < low) & ~cells.wrong))
        masks.append((report.ABOVE_MAXIMUM, (cells.values > high) & ~cells.wrong))
    return ((kind, mask) for kind, mask in masks if mask.any())


def in_precision(bounds: Numbers, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return bounds in the precision of what is compared with them.

    0.1 sent as FP32 is greater than 0.1: whoever sends a bound itself must not break it.
    """
    if dtype.kind != "f" or dtype.itemsize >= bounds.dtype.itemsize:
        return bounds
    with np.errstate(over="ignore"):
        return bounds.astype(dtype)


def as_numbers(column: Column) -> npt.NDArray[Any] | None:
    """Return a column of numbers as such, NaN for null; None where it holds anything else."""
    if column.dtype.kind in NUMERIC_KINDS:
        return column
    if column.dtype.kind != "O" or not _PLAIN.issuperset(map(type, column.tolist())):
        return None
    try:
        return column.astype(np.float64)
    except OverflowError:
        return None


def _numbers(rule: Rule, column: Column) -> _Cells:
    boolean = rule.feature.type == "Boolean"
    numbers = as_numbers(column)
    if numbers is not None:
        values, wrong = numbers, np.zeros(len(column), dtype=np.bool_)
    elif column.dtype.kind == "b":
        values = np.zeros(len(column)) if not boolean else column.astype(np.float64)
        wrong = np.full(len(column), not boolean)
    else:
        values, wrong = _numbers_of_objects(column.tolist(), boolean=boolean)
    null = np.isnan(values) & ~wrong
    if boolean:
        wrong |= ~null & (values != 0) & (values != 1)
    elif rule.feature.type == "Integer" and values.dtype.kind == "f":
        wrong |= ~null & ((values != np.floor(values)) | np.isinf(values))
    return _Cells(null, wrong, values)


def _numbers_of_objects(items: list[Any], *, boolean: bool) -> tuple[Numbers, Mask]:
    """Return cells as numbers, NaN for null, and which of them are no numbers."""
    wrong = np.array([not _is_numeric(item, boolean=boolean) for item in items], dtype=np.bool_)
    pairs = zip(items, wrong, strict=True)
    return np.array([0.0 if bad else _number(item) for item, bad in pairs]), wrong


def _is_numeric(item: Any, *, boolean: bool) -> bool:
    if isinstance(item, bool | np.bool_):
        return boolean
    return item is None or isinstance(item, int | float | np.number)


def _number(item: Any) -> float:
    try:
        return float("nan") if item is None else float(item)
    except OverflowError:
        return float("inf") if item > 0 else float("-inf")


def _texts(rule: Rule, column: Column) -> _Cells:
    category = rule.feature.type == "Category"
    if column.dtype.kind in NUMERIC_KINDS:
        null = np.isnan(column.astype(np.float64))
        if not category:
            return _Cells(null, ~null)
        known = np.isin(column, in_precision(rule.numbers, column.dtype))
        return _Cells(null, np.zeros_like(null), unknown=~null & ~known)
    items = column.tolist()
    if _keep(rule, items):
        fine = np.zeros(len(items), dtype=np.bool_)
        return _Cells(fine, fine)
    items = [_text(item) for item in items]
    null = np.array([item is None or item != item for item in items], dtype=np.bool_)  # noqa: PLR0124 NaN
    if not category:
        fits = np.array([isinstance(item, str) for item in items], dtype=np.bool_)
        return _Cells(null, ~fits & ~null)
    numbers = frozenset(rule.numbers.tolist())
    known = np.array([_is_known(item, rule.texts, numbers) for item in items], dtype=np.bool_)
    right = np.array([_may_be_category(item) for item in items], dtype=np.bool_)
    return _Cells(null, ~right & ~null, unknown=right & ~known & ~null)


def _keep(rule: Rule, items: list[Any]) -> bool:
    """Tell quickly whether all cells are fine; a no is only a maybe."""
    if rule.feature.type == "Text":
        return _TEXTS.issuperset(map(type, items))
    try:
        return rule.texts.issuperset(items)
    except TypeError:  # a list or an object among them
        return False


def _text(item: Any) -> Any:
    return item.decode(errors="replace") if isinstance(item, bytes) else item


def _may_be_category(item: Any) -> bool:
    return isinstance(item, str | int | float) and not isinstance(item, bool)


def _is_known(item: Any, texts: frozenset[str], numbers: frozenset[float]) -> bool:
    if isinstance(item, str):
        return item in texts
    return _may_be_category(item) and item in numbers


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
