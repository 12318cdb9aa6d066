"""How many explanations run, wait and are refused."""

import asyncio
import threading

import pytest

from hune.dataplane.explainer.capacity import Capacity
from hune.dataplane.explainer.predictor import TimeLimitError
from hune.dataplane.guard.answers import Problem


async def test_what_is_too_much_is_refused_and_what_waits_is_made() -> None:
    capacity, go = Capacity(workers=1, waiting=1), threading.Event()

    def work(_: float) -> str:
        assert go.wait(20)
        return "done"

    running = [asyncio.create_task(capacity.run(work, 20)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await capacity.run(work, 20)
    assert refused.value.status == 503
    assert (b"retry-after", b"1") in refused.value.headers
    assert "1 explanations are being made and 1 wait already" in refused.value.message
    go.set()
    assert await asyncio.gather(*running) == ["done", "done"]
    assert await capacity.run(work, 20) == "done"


async def test_what_overruns_is_answered_and_keeps_its_place_until_it_ends() -> None:
    capacity, go, ended = Capacity(workers=1, waiting=1), threading.Event(), threading.Event()

    def work(_: float) -> None:
        assert go.wait(20)
        ended.set()

    with pytest.raises(Problem, match="longer than") as late:
        await capacity.run(work, 0.05)
    assert (late.value.status, capacity.held) == (504, 1)
    # What waited in vain is not begun any more.
    with pytest.raises(Problem, match="longer than"):
        await capacity.run(lambda _: ended.clear(), 0.05)
    go.set()
    await asyncio.to_thread(ended.wait, 20)
    assert await capacity.run(lambda _: "next", 20) == "next"
    assert ended.is_set()


async def test_what_keeps_to_its_deadline_is_answered_alike() -> None:
    def work(_: float) -> None:
        raise TimeLimitError

    with pytest.raises(Problem) as late:
        await Capacity(workers=1, waiting=1).run(work, 20)
    assert late.value.status == 504


async def test_a_fault_of_the_work_comes_out() -> None:
    def work(_: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Capacity(workers=1, waiting=1).run(work, 20)
