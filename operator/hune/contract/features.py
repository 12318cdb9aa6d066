"""What a model's inputs must look like: the data contract, as the operator tells it to a guard."""

from dataclasses import dataclass
from typing import Final

TYPES: Final = ("Float", "Integer", "Boolean", "Category", "Text")


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
