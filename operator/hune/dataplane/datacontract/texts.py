"""Columns that come as texts, as out of a CSV file, turned into what a check looks at."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hune.contract.features import Feature
from hune.dataplane.wire.table import Column, Numbers

TRUTHS: Final = {"true": True, "false": False}
Cells = list[str | None]


def parse_numbers(texts: Sequence[str]) -> Numbers | None:
    """Return texts as numbers, shape (texts,); None where one of them is no number."""
    if any("_" in text for text in texts):  # a number to Python only
        return None
    try:
        return np.array([float(text) for text in texts], dtype=np.float64)
    except ValueError:
        return None


def to_column(feature: Feature, cells: Cells) -> Column:
    """Return cells in the type of their feature, shape (cells,); others stay as they are."""
    if feature.type in {"Category", "Text"}:
        return np.array(cells, dtype=np.object_)
    if feature.type != "Boolean":
        numbers = parse_numbers(["nan" if cell is None else cell for cell in cells])
        if numbers is not None:
            return numbers
    boolean = feature.type == "Boolean"
    return np.array([_to_value(cell, boolean=boolean) for cell in cells], dtype=np.object_)


def _to_value(cell: str | None, *, boolean: bool) -> float | bool | str | None:
    if cell is None:
        return None
    if boolean and cell.lower() in TRUTHS:
        return TRUTHS[cell.lower()]
    number = parse_numbers([cell])
    return cell if number is None else float(number[0])
