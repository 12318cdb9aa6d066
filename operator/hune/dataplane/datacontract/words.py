"""Values and wants in a person's words: short, and safe in logs, bodies and terminals."""

from typing import Any, Final

import numpy as np

from hune.contract.features import Feature

_SHOWN: Final = 40
_SHOWN_CATEGORIES: Final = 5
_LONG_NUMBER_BITS: Final = 128


def show(value: Any) -> str:
    """Return a value of somebody's data as text that is safe to quote, cut when long."""
    match value:
        case None:
            return "null"
        case bool() | np.bool_():
            return str(value).lower()
        case int() if value.bit_length() > _LONG_NUMBER_BITS:
            # Python refuses to write very long numbers out.
            return f"an integer of {value.bit_length()} bits"
        case int() | float() | np.number():
            return "null" if value != value else str(value).removesuffix(".0")  # noqa: PLR0124 NaN
        case bytes() | str():
            text = value.decode(errors="replace") if isinstance(value, bytes) else value
            return f"'{show_text(text)}'"
    return f"a {type(value).__name__}"


def show_text(text: str) -> str:
    """Return a text with what cannot be printed written as escapes, cut when long."""
    cut = text[:_SHOWN]
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    return f"{safe}…" if len(text) > _SHOWN else safe


def describe(feature: Feature) -> str:
    """Return what a feature's values must be, with their unit."""
    unit = f" {feature.unit}" if feature.unit else ""
    null = " or null" if feature.nullable else ""
    return f"{_wanted(feature)}{unit}{null}"


def _wanted(feature: Feature) -> str:
    match feature.type:
        case "Boolean":
            return "true or false"
        case "Text":
            return "a text"
        case "Category":
            return _one_of(feature.categories)
    number = "a whole number" if feature.type == "Integer" else "a number"
    if feature.minimum and feature.maximum:
        return f"{number} from {feature.minimum} to {feature.maximum}"
    if feature.minimum:
        return f"{number} of at least {feature.minimum}"
    return f"{number} of at most {feature.maximum}" if feature.maximum else number


def _one_of(categories: tuple[str, ...]) -> str:
    shown = ", ".join(show_text(category) for category in categories[:_SHOWN_CATEGORIES])
    more = len(categories) - _SHOWN_CATEGORIES
    return f"one of {shown}" + (f" and {more} more" if more > 0 else "")
