"""How many explanations run at once, how many may wait, and for how long."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hune.dataplane.explainer.predictor import TimeLimitError
from hune.dataplane.guard.answers import RETRY_AFTER, Problem

T = TypeVar("T")


class Capacity:
    """Threads for explanations; one that overran its time keeps its thread until it stops."""

    def __init__(self, workers: int, waiting: int) -> None:
        """Take a number of threads.

        Args:
            workers: Explanations that run at once.
            waiting: Explanations that may wait for a thread.
        """
        self._workers = workers
        self._most = workers + waiting
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="explain")
        self.held = 0

    async def run(self, work: Callable[[float], T], seconds: float) -> T:
        """Return what the work comes to.

        Args:
            work: Runs in a thread; it gets its deadline on `time.monotonic`'s clock and keeps to it
                as best it can.
            seconds: How long it may take, the wait for a thread included.

        Raises:
            Problem: 503 where too many are under way, 504 where the time is over.
        """
        if self.held >= self._most:
            raise Problem(
                503,
                f"{self._workers} explanations are being made and {self._most - self._workers} "
                "wait already; ask again in a moment",
                RETRY_AFTER,
            )
        deadline = time.monotonic() + seconds
        self.held += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, _in_time, work, deadline)
        future.add_done_callback(self._release)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(future)
        except (TimeoutError, TimeLimitError):
            raise Problem(504, f"the explanation took longer than {seconds:g} s") from None

    def _release(self, future: "asyncio.Future[T]") -> None:
        self.held -= 1
        if not future.cancelled():
            # Nobody may be waiting any more for what went wrong.
            future.exception()


def _in_time(work: Callable[[float], T], deadline: float) -> T:
    if time.monotonic() >= deadline:
        raise TimeLimitError
    return work(deadline)
