"""Conditions: what was observed, in the form that kubectl and Argo CD understand."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from hune.controlplane.api.base import Api

_LONGEST_MESSAGE = 4096


class Status(StrEnum):
    """The three values a condition can have."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Api):
    """One observation about an object."""

    type: str = Field(description="Name of the condition, CamelCase.", max_length=64)
    status: Status = Field(description="True, False or Unknown.")
    reason: str = Field(
        description="One CamelCase word for programs.", max_length=128, pattern=r"^[A-Z]\w*$"
    )
    message: Annotated[str, BeforeValidator(lambda text: text[:_LONGEST_MESSAGE])] = Field(
        description="What happened and what to do.", max_length=_LONGEST_MESSAGE
    )
    observed_generation: int = Field(
        default=0, description="metadata.generation of the spec this was observed for."
    )
    last_transition_time: str = Field(
        default="",
        description="When the status last changed.",
        json_schema_extra={"format": "date-time"},
    )

    @property
    def is_true(self) -> bool:
        """Tell whether the condition holds."""
        return self.status == Status.TRUE


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=16,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    ),
]


def find(document: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of any Kubernetes object; absent means Unknown, never None."""
    conditions = document.get("status", {}).get("conditions", [])
    for condition in conditions:
        if condition.get("type") == kind:
            found: Mapping[str, Any] = condition
            return found
    return {"type": kind, "status": "Unknown", "reason": "NotReported", "message": ""}


def settle(
    fresh: Iterable[Condition], former: Sequence[Mapping[str, Any]], generation: int, now: str
) -> list[Condition]:
    """Stamp fresh conditions: the time of an unchanged status is kept.

    Args:
        fresh: Conditions as the plan states them.
        former: The conditions in the object's present status, as documents.
        generation: The object's metadata.generation.
        now: RFC 3339 time for conditions whose status changed.
    """
    times = {(c.get("type"), c.get("status")): c.get("lastTransitionTime", now) for c in former}
    return [
        condition.model_copy(
            update={
                "observed_generation": generation,
                "last_transition_time": times.get((condition.type, condition.status.value), now),
            }
        )
        for condition in fresh
    ]
