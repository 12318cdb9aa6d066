"""Bodies find room or are told that there is none; what a request had is free at its end."""

from contextlib import suppress

import pytest

from hune.controlplane.settings import Settings
from hune.dataplane.guard.answers import Problem
from hune.dataplane.guard.environment import largest_body
from hune.dataplane.guard.memory import LARGEST_AT_ONCE, Loan, Memory

MEBIBYTE = 1 << 20


def test_what_finds_no_room_is_refused_and_changes_nothing() -> None:
    memory = Memory(10)
    assert memory.take(6)
    assert not memory.take(5)
    assert memory.take(4)
    memory.give(4)
    assert memory.take(4)


def test_a_request_gives_back_what_it_had_however_it_ends() -> None:
    memory = Memory(10)
    with suppress(ZeroDivisionError), Loan(memory) as loan:
        loan.take(4)
        loan.take(6)
        with pytest.raises(Problem, match="too many large bodies") as problem:
            loan.take(1)
        raise ZeroDivisionError
    assert problem.value.status == 503
    assert problem.value.headers == ((b"retry-after", b"1"),)
    assert memory.take(10)


def test_the_shipped_limit_allows_what_the_documentation_says() -> None:
    assert Settings().guard_resources.limits["memory"] == "512Mi"
    assert largest_body(512 * MEBIBYTE) == 32 * MEBIBYTE


@pytest.mark.parametrize("memory", [128, 256, 512, 1024, 4096, 1 << 20])
def test_the_bodies_that_are_held_leave_room_for_the_work(memory: int) -> None:
    """At rest 96 MiB, and one body is copied up to seven times while it is worked on."""
    body = largest_body(memory * MEBIBYTE)
    assert 96 * MEBIBYTE + (2 * LARGEST_AT_ONCE + 7) * body <= memory * MEBIBYTE
    assert MEBIBYTE <= body <= 256 * MEBIBYTE
