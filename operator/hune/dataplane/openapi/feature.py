"""One feature of a data contract as a JSON schema, with an example within its bounds."""

import math
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from hune.contract.features import Feature

Schema = dict[str, Any]

NUMBERS: Final = frozenset({"Float", "Integer"})
_TYPES: Final = {
    "Float": "number",
    "Integer": "integer",
    "Boolean": "boolean",
    "Category": "string",
    "Text": "string",
}
_EXACT: Final = 2**53
_ROUND: Final = Context(prec=3)


def build_feature(feature: Feature) -> Schema:
    """Return the schema of one value."""
    kind = _TYPES[feature.type]
    schema: Schema = {"title": feature.name, "type": [kind, "null"] if feature.nullable else kind}
    if feature.unit:
        schema |= {"description": f"Unit: {feature.unit}", "x-unit": feature.unit}
    if feature.type in NUMBERS:
        bounds = zip(("minimum", "maximum"), _bounds(feature), strict=True)
        schema |= {key: _plain(bound) for key, bound in bounds if bound is not None}
    elif feature.type == "Category" and feature.categories:
        schema["enum"] = [*feature.categories, *([None] if feature.nullable else [])]
    return schema | {"examples": [example_of(feature)]}


def example_of(feature: Feature) -> Any:
    """Return a value that keeps the contract."""
    match feature.type:
        case "Boolean":
            return True
        case "Category" if feature.categories:
            return feature.categories[0]
        case "Category" | "Text":
            return "text"
    low, high = _bounds(feature)
    middle = _middle(low, high)
    return _plain(_whole(middle, low) if feature.type == "Integer" else middle)


def _middle(low: Decimal | None, high: Decimal | None) -> Decimal:
    """Return a number between the bounds, one with few digits where there is one."""
    if low is None or high is None:
        return low if low is not None else high if high is not None else Decimal(0)
    middle = (low + high) / 2
    short = _ROUND.plus(middle)
    return short if low <= short <= high else middle


def _whole(middle: Decimal, low: Decimal | None) -> Decimal:
    down = Decimal(math.floor(middle))
    return down if low is None or down >= low else Decimal(math.ceil(middle))


def _bounds(feature: Feature) -> tuple[Decimal | None, Decimal | None]:
    return _bound(feature.minimum), _bound(feature.maximum)


def _bound(text: str) -> Decimal | None:
    """Return a bound; one that JSON has no number for bounds nothing here."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and math.isfinite(float(value)) else None


def _plain(value: Decimal) -> int | float:
    """Return the JSON number."""
    whole = abs(value) < _EXACT and value == value.to_integral_value()
    return int(value) if whole else float(value)
