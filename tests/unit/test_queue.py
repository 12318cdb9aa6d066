"""The queue; no test waits for a clock longer than the loop needs to turn."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hune.controlplane.queue import Queue


@pytest.fixture
async def queue() -> AsyncIterator[Queue[str]]:
    queue: Queue[str] = Queue()
    timer = asyncio.create_task(queue.run_timer())
    yield queue
    timer.cancel()


async def take(queue: Queue[str]) -> str:
    return await asyncio.wait_for(queue.get(), 30)


async def test_a_key_is_worked_on_once_however_often_it_was_added(queue: Queue[str]) -> None:
    for _ in range(3):
        queue.add("a")
    queue.add("b")
    assert len(queue) == 2
    assert [await take(queue), await take(queue)] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_that_can_wait_gives_way_to_those_that_cannot() -> None:
    queue: Queue[str] = Queue(lambda key: key.startswith("record"))
    for key in ("record-1", "a", "record-2", "b"):
        queue.add(key)
    assert [await take(queue) for _ in range(4)] == ["a", "b", "record-1", "record-2"]


async def test_a_key_added_while_it_is_worked_on_comes_again_afterwards(queue: Queue[str]) -> None:
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0, "never two workers on one key"
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_delayed_key_comes_when_it_is_due(queue: Queue[str]) -> None:
    queue.add_after("late", 0.02)
    queue.add_after("soon", 0.01)
    queue.add("now")
    assert [await take(queue) for _ in range(3)] == ["now", "soon", "late"]


async def test_the_earlier_of_two_dates_counts(queue: Queue[str]) -> None:
    queue.add_after("a", 3600)
    queue.add_after("a", 0.01)
    queue.add_after("a", 3600)
    assert await take(queue) == "a"


async def test_a_later_date_does_not_put_an_earlier_one_off(queue: Queue[str]) -> None:
    queue.add_after("a", 0.01)
    queue.add_after("a", 3600)
    assert await take(queue) == "a"


async def test_a_date_that_passes_while_the_key_is_worked_on_is_kept(queue: Queue[str]) -> None:
    queue.add("a")
    await take(queue)
    queue.add_after("a", 0)
    queue.add_after("other", 0.01)
    assert await take(queue) == "other"
    queue.done("a")
    assert await take(queue) == "a"


async def test_the_delay_of_a_retry_doubles_up_to_five_minutes(queue: Queue[str]) -> None:
    assert [queue.retry("a") for _ in range(3)] == [0.5, 1.0, 2.0]
    assert [queue.retry("b") for _ in range(30)][-1] == 300.0
    queue.forget("a")
    queue.forget("never failed")
    assert queue.retry("a") == 0.5
