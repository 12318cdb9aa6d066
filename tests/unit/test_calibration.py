import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.guard import THRESHOLD
from hune.dataplane.jobs.calibration import Calibration, calibrate, split
from hune.dataplane.jobs.errors import FitError


def test_the_threshold_is_the_smallest_that_keeps_the_rate() -> None:
    scores = np.arange(99.0)[::-1]
    found = calibrate(scores, Fraction("0.05"))
    assert (found.threshold, found.above, found.held_out) == (94.0, 4, 99)


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=200),
    st.fractions(min_value="0.001", max_value="0.999"),
)
def test_no_more_held_out_rows_than_stated_are_above_it(
    scores: list[float], rate: Fraction
) -> None:
    try:
        found = calibrate(np.array(scores), rate)
    except FitError:
        assert len(scores) + 1 < 1 / rate
        return
    assert Fraction(found.above, found.held_out) <= rate
    assert found.threshold in scores


def test_new_rows_are_flagged_at_the_stated_rate() -> None:
    generator = np.random.default_rng(11)
    shares = []
    for _ in range(2000):
        threshold = calibrate(generator.exponential(size=59), Fraction("0.05")).threshold
        shares.append(np.exp(-threshold))
    # The mean over all data sets is 3/60 exactly; this many of them know it to 0.2 %.
    assert np.mean(shares) == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize(
    ("threshold", "text"),
    [
        (0.93, "0.93"),
        (3.0, "3"),
        (100.0, "100"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (0.12345678901234568, "0.1234567890123457"),
        (0.04321098765432101, "0.0432109876543211"),
        (1e-20, "0.0000000000000001"),
        (1234567.8901234567, "1234567.8901234567"),
    ],
)
def test_a_threshold_is_written_as_a_deployment_takes_it(threshold: float, text: str) -> None:
    assert Calibration(threshold, 0, 1).text == text
    assert re.fullmatch(THRESHOLD, text)
    assert float(text) >= threshold


def test_too_few_rows_for_so_small_a_rate_are_told() -> None:
    assert calibrate(np.arange(99.0), Fraction("0.01")).above == 0
    with pytest.raises(FitError, match="needs 99 held-out rows or more, there are 98"):
        calibrate(np.arange(98.0), Fraction("0.01"))


def test_the_rows_are_parted_by_the_seed_and_keep_their_order() -> None:
    rows = np.arange(20.0).reshape(10, 2)
    one, again = (split(rows, Fraction("0.3"), 1) for _ in range(2))
    assert one.held_out.shape == (3, 2)
    assert np.array_equal(one.held_out, again.held_out)
    both = np.concatenate([one.train, one.held_out])
    assert sorted(both[:, 0]) == list(rows[:, 0])
    assert (np.diff(one.train[:, 0]) > 0).all()
    other = split(rows, Fraction("0.3"), 2)
    assert not np.array_equal(one.held_out, other.held_out)


@pytest.mark.parametrize("share", ["0.01", "0.99"])
def test_a_part_without_rows_is_told(share: str) -> None:
    with pytest.raises(FitError, match=f"--held-out {share} of 10 rows"):
        split(np.zeros((10, 2)), Fraction(share), 0)
