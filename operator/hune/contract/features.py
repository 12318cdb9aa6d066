"""What a model's inputs must look like: the data contract, as the operator tells it to a guard."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

TYPES: Final = ("Float", "Integer", "Boolean", "Category", "Text")
NUMERIC: Final = ("Float", "Integer")
ON_BREACH: Final = ("Flag", "Reject")
MAXIMUM_FEATURES: Final = 1000
# Python and the API server read both alike. Exponents have two digits, so that every such text of
# 32 characters is a finite double.
NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?(e-?[0-9]{1,2})?$"
NAME: Final = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"


@dataclass(frozen=True, slots=True)
class Feature:
    """One input column.

    Attributes:
        name: Its name; also its position, in the order of the contract.
        type: One of `TYPES`.
        unit: Unit of the values, for people; empty where there is none.
        minimum: Smallest allowed number as a decimal text; empty for no bound.
        maximum: Largest allowed number as a decimal text; empty for no bound.
        categories: The allowed values of a Category.
        nullable: Whether null (NaN in binary tensors) is allowed.
    """

    name: str
    type: str
    unit: str = ""
    minimum: str = ""
    maximum: str = ""
    categories: tuple[str, ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class DataContract:
    """The columns of a request, and what happens when one breaks it.

    Attributes:
        features: The columns in the order in which the model takes them.
        on_breach: `Flag` or `Reject`.
    """

    features: tuple[Feature, ...]
    on_breach: str = "Flag"


def check_contract(contract: DataContract, where: str) -> None:
    """Check what the types of the fields do not say.

    Raises:
        ValueError: A value makes no sense; the message names its field.
    """
    if contract.on_breach not in ON_BREACH:
        raise ValueError(f"{where}: onBreach must be one of {', '.join(ON_BREACH)}")
    if not 0 < len(contract.features) <= MAXIMUM_FEATURES:
        raise ValueError(f"{where}: features must be 1 to {MAXIMUM_FEATURES}")
    for number, feature in enumerate(contract.features):
        _check_feature(feature, f"{where}: features[{number}]")
    name, count = Counter(feature.name for feature in contract.features).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{where}: feature {name!r} is given more than once")


def _check_feature(feature: Feature, where: str) -> None:
    if not re.fullmatch(NAME, feature.name) or not _is_unicode(feature.name):
        raise ValueError(f"{where}: name {feature.name!r} is empty or holds what cannot be shown")
    if feature.type not in TYPES:
        raise ValueError(f"{where}: type must be one of {', '.join(TYPES)}")
    for field in ("minimum", "maximum"):
        bound = getattr(feature, field)
        if bound and not re.fullmatch(NUMBER, bound):
            raise ValueError(f"{where}: {field} {bound!r} is no decimal number")
        if bound and feature.type not in NUMERIC:
            raise ValueError(f"{where}: {field} is for numbers, and its type is {feature.type}")
    if feature.minimum and feature.maximum and float(feature.minimum) > float(feature.maximum):
        raise ValueError(f"{where}: minimum must not be greater than maximum")
    if (feature.type == "Category") != bool(feature.categories):
        raise ValueError(f"{where}: categories are for a Category, which needs them")


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be written down: JSON can hold half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
