"""A user's fault found while planning: no retry can help, only an edit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a spec cannot be acted on.

    Attributes:
        reason: CamelCase word for the condition.
        message: Field, value and what to do.
    """

    reason: str
    message: str
