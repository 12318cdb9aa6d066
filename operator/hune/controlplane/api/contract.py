"""What a model's inputs must look like: the `contract` part of a ModelDeployment."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from hune.contract import features as words
from hune.controlplane.api.base import (
    Api,
    Rule,
    check,
    refuse_repeated,
    text_rule,
    validations,
)

# Together with what JSON needs around them they fit the guard's ConfigMap (1 MiB), even where
# each character is written as an escape.
_MAXIMUM_CHARACTERS = 65536
_NUMBER_RULE = text_rule(
    words.NUMBER, "a decimal number as text is wanted, for example '0.93' or '1.5e-3'"
)
_NAME_RULE = text_rule(
    words.NAME, "a feature's name begins and ends with no space and holds no control character"
)
_UNIT_RULE = text_rule(words.NAME, "a unit is a short text without control characters")


class FeatureType(StrEnum):
    """What the values of a feature are."""

    FLOAT = "Float"
    INTEGER = "Integer"
    BOOLEAN = "Boolean"
    CATEGORY = "Category"
    TEXT = "Text"


class OnBreach(StrEnum):
    """What happens to a request that breaks the contract."""

    FLAG = "Flag"
    REJECT = "Reject"


_NUMBERS = (FeatureType.FLOAT, FeatureType.INTEGER)
_Number = Annotated[
    str, Field(max_length=32, json_schema_extra=validations(_NUMBER_RULE)), check(_NUMBER_RULE)
]


def _check_unique(categories: list[str]) -> list[str]:
    refuse_repeated(categories)
    return categories


def _in_order(feature: "Feature") -> bool:
    if feature.minimum is None or feature.maximum is None:
        return True
    return float(feature.minimum) <= float(feature.maximum)


class Feature(Api):
    """One input column of the model."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type in ['Float', 'Integer'] || !(has(self.minimum) || has(self.maximum))",
            "minimum and maximum are for the types Float and Integer",
            lambda f: f.type in _NUMBERS or (f.minimum is None and f.maximum is None),
        ),
        Rule(
            # Text that is no number has a message of its own, and double() would only stumble.
            "!has(self.minimum) || !has(self.maximum)"
            f" || !self.minimum.matches(r'{words.NUMBER}')"
            f" || !self.maximum.matches(r'{words.NUMBER}')"
            " || double(self.minimum) <= double(self.maximum)",
            "minimum must not be greater than maximum",
            _in_order,
        ),
        Rule(
            "(self.type == 'Category') == (has(self.categories) && self.categories.size() > 0)",
            "a Category needs categories, and the other types take none",
            lambda f: (f.type == FeatureType.CATEGORY) == bool(f.categories),
        ),
    )

    name: Annotated[
        str,
        Field(max_length=128, json_schema_extra=validations(_NAME_RULE)),
        check(_NAME_RULE),
    ] = Field(
        description="Name of the column. The features stand in the order of the model's columns."
    )
    type: FeatureType = Field(
        description=(
            "Float, Integer, Boolean, Category or Text. A Boolean may be sent as 0 or 1, a"
            " Category as a number where its categories are numbers."
        )
    )
    unit: (
        Annotated[
            str, Field(max_length=32, json_schema_extra=validations(_UNIT_RULE)), check(_UNIT_RULE)
        ]
        | None
    ) = Field(default=None, description="Unit of the values, for people.")
    minimum: _Number | None = Field(
        default=None, description="Smallest allowed number; compared as a double."
    )
    maximum: _Number | None = Field(
        default=None, description="Largest allowed number; compared as a double."
    )
    categories: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=63)]], AfterValidator(_check_unique)
    ] = Field(
        default_factory=list,
        description="The allowed values of a Category.",
        max_length=100,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    nullable: bool = Field(
        default=False, description="Whether null, NaN in binary tensors, is allowed."
    )

    def plain(self) -> words.Feature:
        """Return the feature as a guard is told it."""
        return words.Feature(
            name=self.name,
            type=self.type.value,
            unit=self.unit or "",
            minimum=self.minimum or "",
            maximum=self.maximum or "",
            categories=tuple(self.categories),
            nullable=self.nullable,
        )


def _check_names(given: list[Feature]) -> list[Feature]:
    refuse_repeated(feature.name for feature in given)
    return given


def _characters(feature: Feature) -> int:
    return len(feature.name) + len(feature.unit or "") + sum(map(len, feature.categories))


class Contract(Api):
    """What the inputs must look like, and what happens when they do not."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.features.map(f, f.name.size() + (has(f.unit) ? f.unit.size() : 0)"
            " + (has(f.categories) ? f.categories.map(c, c.size()).sum() : 0)).sum()"
            f" <= {_MAXIMUM_CHARACTERS}",
            "contract.features: names, units and categories must not have more than"
            f" {_MAXIMUM_CHARACTERS} characters together",
            lambda contract: sum(map(_characters, contract.features)) <= _MAXIMUM_CHARACTERS,
        ),
    )

    features: Annotated[list[Feature], AfterValidator(_check_names)] = Field(
        description="The columns, in the order in which the model takes them.",
        min_length=1,
        max_length=words.MAXIMUM_FEATURES,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )
    on_breach: OnBreach = Field(
        default=OnBreach.FLAG,
        description="Flag: answer and say what is wrong. Reject: answer 422.",
    )

    def plain(self) -> words.DataContract:
        """Return the contract as a guard is told it."""
        return words.DataContract(
            features=tuple(feature.plain() for feature in self.features),
            on_breach=self.on_breach.value,
        )
