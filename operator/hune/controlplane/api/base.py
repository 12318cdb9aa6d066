"""What every kind shares: the pydantic base, cross-field rules and references."""

import re
from collections.abc import Callable
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
_QUANTITY_MESSAGE = "a quantity is a number without sign and a unit, for example 500m, 2 or 512Mi"


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
            schema["x-kubernetes-validations"] = [
                {"rule": rule.expression, "message": rule.message} for rule in cls.rules
            ]
        return schema

    def document(self) -> dict[str, Any]:
        """Return the object as Kubernetes spells it, without what was not set."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


def _check_quantity(value: str | int) -> str | int:
    if re.fullmatch(QUANTITY, str(value)) is None:
        raise ValueError(_QUANTITY_MESSAGE)
    return value


Digest = Annotated[str, Field(pattern=digest.PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
Quantity = Annotated[
    str | int,
    AfterValidator(_check_quantity),
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "maxLength": 32,
            "x-kubernetes-validations": [
                {
                    "rule": f"type(self) == int ? self >= 0 : self.matches(r'{QUANTITY}')",
                    "message": _QUANTITY_MESSAGE,
                }
            ],
        }
    ),
]


class LocalReference(Api):
    """A reference to an object in the same namespace."""

    name: Name = Field(description="Name of the referenced object in the same namespace.")
