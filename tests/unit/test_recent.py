from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.guard.recent import Recent

WINDOW = 300.0
STEP = WINDOW / 30


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_lies_behind_the_window_is_forgotten() -> None:
    clock = Clock()
    recent = Recent(WINDOW, clock)
    assert recent.count() == 0
    recent.add(3)
    clock.now += WINDOW / 2
    recent.add(4)
    assert recent.count() == 7
    clock.now += WINDOW / 2 + STEP
    assert recent.count() == 4
    clock.now += WINDOW
    assert recent.count() == 0


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(1, 9)), max_size=60))
def test_the_window_is_kept_to_a_slot(steps: list[tuple[float, int]]) -> None:
    clock, events = Clock(), list[tuple[float, int]]()
    recent = Recent(WINDOW, clock)
    for wait, number in steps:
        clock.now += wait
        recent.add(number)
        events.append((clock.now, number))
        ages = [(clock.now - at, count) for at, count in events]
        surely = sum(count for age, count in ages if age < WINDOW - STEP)
        perhaps = sum(count for age, count in ages if age < WINDOW + STEP)
        assert surely <= recent.count() <= perhaps
