"""Waiting for a condition, with a bound that only a failure ever reaches."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")
_INTERVAL_SECONDS = 0.01


def eventually(
    condition: Callable[[], Seen],
    timeout_seconds: float = 30,
    interval_seconds: float = _INTERVAL_SECONDS,
    seen: Callable[[], object] | None = None,
) -> Seen:
    """Wait until a condition holds and return what it said; what is `seen` instead is told."""
    deadline = time.monotonic() + timeout_seconds
    while not (said := condition()):
        if time.monotonic() > deadline:
            told = f": {seen()}" if seen else ""
            raise AssertionError(f"not within {timeout_seconds:g} s{told}")
        time.sleep(interval_seconds)
    return said


async def turned(condition: Callable[[], object], timeout_seconds: float = 30) -> None:
    """Let the loop turn until a condition holds."""
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110 what is waited for has no event of its own
            await asyncio.sleep(0.001)
