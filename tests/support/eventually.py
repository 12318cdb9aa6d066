"""Waiting for a condition, with a bound that only a failure ever reaches."""

import time
from collections.abc import Callable

_INTERVAL_SECONDS = 0.01


def eventually(condition: Callable[[], object], timeout_seconds: float = 30) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_seconds:g} s"
        time.sleep(_INTERVAL_SECONDS)
