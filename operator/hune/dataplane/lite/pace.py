"""Where the model runs: at once in the event loop while that is quick, else in a thread."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from hune.dataplane.lite.model import Model
from hune.dataplane.wire.table import Column

# About as long as three small predictions take: others need not wait longer for one.
_QUICK_SECONDS: Final = 0.001
_THREADS: Final = 4


class Pace:
    """Runs one model, and learns how long that takes.

    A thread costs more than a small prediction does, and a large one in the event loop would hold
    up all others and the probes. The cost per value of the latest runs tells which it will be.
    """

    def __init__(self, model: Model, timeout_seconds: float) -> None:
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._pool = ThreadPoolExecutor(_THREADS, "model")
        self._seconds_per_value = _QUICK_SECONDS
        self._in_doubt = True

    def run_at_once(self, values: Mapping[str, Column], outputs: list[str]) -> list[Column] | None:
        """Return the outputs of these names; None where that may take long.

        Raises:
            RefusedError: The model does not take the values.
        """
        count = _count(values)
        if count * self._seconds_per_value < _QUICK_SECONDS:
            return self._run(values, outputs, count)
        return None

    async def run(self, values: Mapping[str, Column], outputs: list[str]) -> list[Column]:
        """Return the outputs of these names.

        Raises:
            RefusedError: The model does not take the values.
            TimeoutError: It took too long.
        """
        found = self.run_at_once(values, outputs)
        if found is not None:
            return found
        count = _count(values)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout_seconds):
            return await loop.run_in_executor(self._pool, self._run, values, outputs, count)

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        self._pool.shutdown(wait=False)

    def _run(self, values: Mapping[str, Column], outputs: list[str], count: int) -> list[Column]:
        # A wait for a busy processor says nothing of the model, and would keep a quick one in
        # threads just when there is most to do. But to ask for the time that was worked takes as
        # long as a small prediction, so it is asked for only where the clock on the wall told ill.
        exact = self._in_doubt
        clock = time.thread_time if exact else time.perf_counter
        started = clock()
        found = self._model.run(values, outputs)
        took = clock() - started
        self._in_doubt = not exact and took >= _QUICK_SECONDS
        if not self._in_doubt:
            # Slowness counts at once, quickness by and by: one lucky run proves little.
            self._seconds_per_value = max(took / count, self._seconds_per_value / 2)
        return found


def _count(values: Mapping[str, Column]) -> int:
    return max(1, sum(array.size for array in values.values()))
