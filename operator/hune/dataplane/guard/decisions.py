"""What the authorizer said lately, kept for a moment and within bounds."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hune.contract.access import Decision

REFUSED_SECONDS: Final = 0.5
# Some hundred bytes each. Refused callers have a place of their own, so that a flood of invented
# tokens drives out no caller that is allowed.
MAXIMUM_ALLOWED: Final = 4096
MAXIMUM_REFUSED: Final = 1024


@dataclass(slots=True)
class Kept:
    """One decision.

    Attributes:
        decision: What was said.
        until: When it must not be used any more, on the cache's clock.
        renew_at: From when it should be asked for anew while it is still in use.
        count: Counts a request of the caller.
    """

    decision: Decision
    until: float
    renew_at: float
    count: Callable[[], None]


class Decisions:
    """Decisions by what was asked; those that were used least lately go first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowed: OrderedDict[bytes, Kept] = OrderedDict()
        self._refused: OrderedDict[bytes, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._allowed) + len(self._refused)

    def find(self, key: bytes) -> Kept | None:
        """Return what is known and fresh."""
        kind = self._allowed if key in self._allowed else self._refused
        kept = kind.get(key)
        if kept is None:
            return None
        if self._clock() >= kept.until:
            del kind[key]
            return None
        kind.move_to_end(key)
        return kept

    def keep(self, key: bytes, kept: Kept) -> None:
        """Keep a decision in place of an earlier one."""
        self._allowed.pop(key, None)
        self._refused.pop(key, None)
        if kept.decision.allowed:
            _add(self._allowed, key, kept, MAXIMUM_ALLOWED)
        else:
            _add(self._refused, key, kept, MAXIMUM_REFUSED)


def _add(kind: OrderedDict[bytes, Kept], key: bytes, kept: Kept, maximum: int) -> None:
    kind[key] = kept
    if len(kind) > maximum:
        kind.popitem(last=False)
