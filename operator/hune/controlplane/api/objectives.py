"""What is promised to the model's users: the `objectives` part of a ModelDeployment."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from hune.controlplane.api.base import Api, Rule, check, validations

_PERCENT = r"^[0-9]{1,2}(\.[0-9]{1,4})?$"
_DURATION = r"^[1-9][0-9]{0,4}(ms|s)$"
_MILLISECONDS = {"ms": Decimal(1), "s": Decimal(1000)}
_LONGEST = Decimal(30_000)


def milliseconds(text: str) -> Decimal:
    """Return the milliseconds of a duration such as `250ms` or `2s`."""
    number = text.rstrip("ms")
    return int(number) * _MILLISECONDS[text[len(number) :]]


def _is_percent(value: str) -> bool:
    return re.fullmatch(_PERCENT, value) is not None and Decimal(value) > 0


def _is_duration(value: str) -> bool:
    return re.fullmatch(_DURATION, value) is not None and milliseconds(value) <= _LONGEST


_AVAILABILITY = Rule(
    f"self.matches(r'{_PERCENT}') && double(self) > 0.0",
    "availability is a percentage as text, more than 0 and less than 100, for example '99.9'",
    _is_percent,
)
_LATENCY = Rule(
    f"self.matches(r'{_DURATION}') && duration(self) <= duration('30s')",
    "latencyP95 is a whole number of ms or s, at most 30s, for example 250ms",
    _is_duration,
)


class Objectives(Api):
    """What is promised; Prometheus is told to watch it, where its operator is installed."""

    availability: (
        Annotated[
            str,
            Field(max_length=7, json_schema_extra=validations(_AVAILABILITY)),
            check(_AVAILABILITY),
        ]
        | None
    ) = Field(
        default=None,
        description="Percentage of predictions, over 30 days, that are not answered with a server's"
        " fault (5xx), for example '99.9'. Alerts tell how fast the rest of it is used up.",
    )
    latency_p95: (
        Annotated[
            str,
            Field(max_length=7, json_schema_extra=validations(_LATENCY)),
            check(_LATENCY),
        ]
        | None
    ) = Field(
        default=None,
        alias="latencyP95",
        description="The longest that 95 of 100 predictions may take at the guard, for example"
        " 250ms.",
    )
    error_percent: int | None = Field(
        default=None,
        description="The most of 100 predictions that may be answered with a server's fault (5xx)"
        " at any time.",
        ge=1,
        le=99,
    )
    throughput: int | None = Field(
        default=None,
        description="Predictions per second that must be coped with: an alert tells when so many"
        " are asked for and fewer are answered, and when more are asked for.",
        ge=1,
        le=1_000_000,
    )
