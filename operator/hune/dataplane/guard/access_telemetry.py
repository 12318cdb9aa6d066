"""Metrics of access. Callers are named as long as they are few."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from hune.contract import metrics

MAXIMUM_CALLERS: Final = 100
OTHERS: Final = "other"


class AccessTelemetry:
    """Counts decisions, questions to the authorizer, and the requests of each caller."""

    def __init__(self, registry: CollectorRegistry) -> None:
        decisions = Counter(
            metrics.GUARD_ACCESS_DECISIONS,
            "Requests by what became of them at the door: allowed, forbidden (403),"
            " unauthenticated (401), undecided (503).",
            ["outcome"],
            registry=registry,
        )
        asked = Counter(
            metrics.GUARD_AUTHORIZER_REQUESTS,
            "Questions to the authorizer: answered, failed.",
            ["outcome"],
            registry=registry,
        )
        self._callers = Counter(
            metrics.GUARD_CALLER_REQUESTS,
            f"Requests admitted, by caller; from the {MAXIMUM_CALLERS + 1}st on it is '{OTHERS}'.",
            ["caller"],
            registry=registry,
        )
        self._counters: dict[str, Callable[[], None]] = {}
        self.allowed: Callable[[], None] = decisions.labels("allowed").inc
        self.forbidden: Callable[[], None] = decisions.labels("forbidden").inc
        self.unauthenticated: Callable[[], None] = decisions.labels("unauthenticated").inc
        self.undecided: Callable[[], None] = decisions.labels("undecided").inc
        self.authorizer_answered: Callable[[], None] = asked.labels("answered").inc
        self.authorizer_failed: Callable[[], None] = asked.labels("failed").inc

    def counter_of(self, caller: str) -> Callable[[], None]:
        """Return what counts a request of a caller."""
        known = self._counters.get(caller)
        if known is None and len(self._counters) < MAXIMUM_CALLERS:
            known = self._counters[caller] = self._callers.labels(caller).inc
        return known or self._callers.labels(OTHERS).inc
