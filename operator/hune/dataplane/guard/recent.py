"""A count of what happened lately, in a bounded number of slots."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_SLOTS: Final = 30


class Recent:
    """Counts what happened within a window, to a thirtieth of it; for several threads."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count.

        Args:
            seconds: Length of the window.
            clock: Returns the time in seconds; it never steps back.
        """
        self._slot_seconds = seconds / _SLOTS
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: deque[tuple[int, int]] = deque(maxlen=_SLOTS)

    def add(self, number: int) -> None:
        """Count so many now."""
        slot = self._slot()
        with self._lock:
            if self._counts and self._counts[-1][0] >= slot:
                slot, former = self._counts.pop()
                number += former
            self._counts.append((slot, number))

    def count(self) -> int:
        """Return how many there were within the window."""
        oldest = self._slot() - _SLOTS
        with self._lock:
            return sum(number for slot, number in self._counts if slot > oldest)

    def _slot(self) -> int:
        return int(self._clock() // self._slot_seconds)
