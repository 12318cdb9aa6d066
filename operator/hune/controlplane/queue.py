"""The work queue: keys only, each at most once, never two workers on one key."""

import asyncio
import heapq
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 300.0


class Queue(Generic[K]):
    """A deduplicating queue with delays and back-off, as controllers need it.

    A key added while it is worked on is worked on once more afterwards. A key for which
    `can_wait` holds is worked on when no other is ready.
    """

    def __init__(self, can_wait: Callable[[K], bool] = lambda _: False) -> None:
        self._can_wait = can_wait
        self._ready: asyncio.PriorityQueue[tuple[bool, int, K]] = asyncio.PriorityQueue()
        self._waiting: set[K] = set()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = 0
        self._woken = asyncio.Event()

    def add(self, key: K) -> None:
        """Ask for a key to be worked on soon."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._order += 1
            self._ready.put_nowait((self._can_wait(key), self._order, key))

    def add_after(self, key: K, seconds: float) -> None:
        """Ask for a key to be worked on later; an earlier date goes before a later one."""
        due = time.monotonic() + seconds
        if self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, key))
        self._woken.set()

    def retry(self, key: K) -> float:
        """Ask for a key again after a failure; return the delay, which doubles each time."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** min(failures, 20))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key; `done` must follow."""
        *_, key = await self._ready.get()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """Tell that a key is worked on no more."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def run_timer(self) -> None:
        """Move delayed keys to the queue when they are due; runs until cancelled."""
        while True:
            self._woken.clear()
            pause = self._release_due()
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue

    def __len__(self) -> int:
        return len(self._waiting)

    def _release_due(self) -> float | None:
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due:
                heapq.heappop(self._heap)
                continue
            remaining = due - time.monotonic()
            if remaining > 0:
                return remaining
            heapq.heappop(self._heap)
            del self._due[key]
            self.add(key)
        return None
