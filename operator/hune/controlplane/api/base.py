"""What every kind shares: the pydantic base, cross-field rules and references."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from hune.contract import digest

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$"


@dataclass(frozen=True, slots=True)
class Rule:
    """A cross-field rule, stated once for the API server and once for Python.

    Attributes:
        expression: CEL over `self` (and `oldSelf` in a transition rule).
        message: What a person should change.
        check: The same rule over the parsed model; None for a rule about a change, which only
            the API server can see.
    """

    expression: str
    message: str
    check: Callable[[Any], object] | None = None


class Api(BaseModel):
    """Base of every API type: camelCase outside, immutable, nothing unknown let through."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        for rule in self.rules:
            if rule.check is not None and not rule.check(self):
                raise ValueError(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add the rules to the schema, where the API server enforces them."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.rules:
            schema |= validations(*cls.rules)
        return schema

    def document(self) -> dict[str, Any]:
        """Return the object as Kubernetes spells it, without what was not set."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


def text_rule(pattern: str, message: str) -> Rule:
    """Return the rule that a text matches a pattern, with words for those it does not please."""
    return Rule(f"self.matches(r'{pattern}')", message, re.compile(pattern).fullmatch)


def check(*rules: Rule) -> AfterValidator:
    """Return the rules as a check of one value."""

    def obey(value: Any) -> Any:
        for rule in rules:
            if rule.check is not None and not rule.check(value):
                raise ValueError(rule.message)
        return value

    return AfterValidator(obey)


def validations(*rules: Rule) -> dict[str, Any]:
    """Return the rules as the API server reads them in a schema."""
    key = "x-kubernetes-validations"
    return {key: [{"rule": rule.expression, "message": rule.message} for rule in rules]}


def refuse_repeated(words: Iterable[str]) -> None:
    """Repeat in Python what a list's type, map or set, says to the API server."""
    repeated = [word for word, count in Counter(words).items() if count > 1]
    if repeated:
        raise ValueError(f"given more than once: {', '.join(repeated)}")


_DIGEST = text_rule(digest.PATTERN, "a digest must be sha256: and 64 hex digits")
_NAME = text_rule(
    DNS_SUBDOMAIN,
    "a name holds only a-z, 0-9, '-' and '.', and begins and ends with one of a-z, 0-9",
)
_QUANTITY = Rule(
    f"type(self) == int ? self >= 0 : self.matches(r'{QUANTITY}')",
    "a quantity is a number without sign and a unit, for example 500m, 2 or 512Mi",
    lambda value: re.fullmatch(QUANTITY, str(value)),
)
DNS_LABEL_RULE = text_rule(
    DNS_LABEL, "only a-z, 0-9 and '-' are allowed here, with one of a-z, 0-9 at both ends"
)
LABEL_VALUE_RULE = text_rule(
    LABEL_VALUE, "a label value holds only letters, digits, '-', '_' and '.', not at its ends"
)
DECIMAL_RULE = text_rule(DECIMAL, "a decimal number as text is wanted, for example '0.93'")

Digest = Annotated[
    str,
    Field(max_length=71, json_schema_extra=validations(_DIGEST)),
    check(_DIGEST),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=253, json_schema_extra=validations(_NAME)),
    check(_NAME),
]
Quantity = Annotated[
    str | int,
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "maxLength": 32,
            **validations(_QUANTITY),
        }
    ),
    check(_QUANTITY),
]


class LocalReference(Api):
    """A reference to an object in the same namespace."""

    name: Name = Field(description="Name of the referenced object in the same namespace.")
