"""A quick model runs in the event loop; a slow one holds up nobody, and is given up in time."""

import asyncio
import threading
from collections.abc import Mapping
from typing import cast

import numpy as np
import pytest

from hune.dataplane.lite.model import Model
from hune.dataplane.lite.pace import Pace
from hune.dataplane.wire.table import Column

VALUES: Mapping[str, Column] = {"x": np.zeros(1)}
PATIENCE = 20.0


class Stub:
    """A model that notes which thread runs it, and waits where it is told to."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def run(self, values: Mapping[str, Column], outputs: list[str]) -> list[Column]:
        assert (values, outputs) == (VALUES, ["y"])
        self.threads.append(threading.current_thread())
        assert self.go_on.wait(PATIENCE)
        return [np.ones(1)]


def paced(stub: Stub, timeout_seconds: float = PATIENCE) -> Pace:
    return Pace(cast("Model", stub), timeout_seconds)


async def test_a_quick_model_soon_runs_in_place() -> None:
    stub = Stub()
    pace = paced(stub)
    for _ in range(1000):
        assert (await pace.run(VALUES, ["y"]))[0].tolist() == [1]
        if stub.threads[-1] is threading.current_thread():
            return
    raise AssertionError("it never did")


async def test_a_model_that_is_not_known_to_be_quick_holds_up_nobody() -> None:
    stub = Stub()
    stub.go_on.clear()
    asking = asyncio.create_task(paced(stub).run(VALUES, ["y"]))
    await asyncio.sleep(0)
    # This very thread lets it go on, so it cannot be the one that waits.
    stub.go_on.set()
    assert (await asking)[0].tolist() == [1]
    assert stub.threads[0] is not threading.current_thread()


async def test_a_model_that_takes_too_long_is_given_up() -> None:
    stub = Stub()
    stub.go_on.clear()
    with pytest.raises(TimeoutError):
        await paced(stub, 0.05).run(VALUES, ["y"])
    stub.go_on.set()
