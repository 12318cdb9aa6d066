"""The threshold that keeps a promise about false alarms."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError

Numbers = npt.NDArray[np.float64]
_LAST_PLACE: Final = Decimal("1e-16")
# The largest double has 309 before the point.
_DIGITS: Final = 309 + 16


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to fit on and rows to calibrate with, each in their original order."""

    train: Numbers
    held_out: Numbers


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold, and how many of how many held-out rows are above it."""

    threshold: float
    above: int
    held_out: int

    @property
    def text(self) -> str:
        """Return the threshold as a deployment takes it too: at most 16 decimal places.

        It is rounded up, so that no row more is above it.
        """
        with localcontext(prec=_DIGITS):
            rounded = Decimal(repr(self.threshold)).quantize(_LAST_PLACE, ROUND_CEILING)
        return f"{rounded:f}".rstrip("0").removesuffix(".")


def split(rows: Numbers, share: Fraction, seed: int) -> Split:
    """Hold out a share of the rows, drawn by a seed.

    Args:
        rows: Shape (rows, columns).
        share: The share to hold out, between 0 and 1.
        seed: The same seed draws the same rows.

    Raises:
        FitError: Too few rows are left on either side.
    """
    count = round(len(rows) * share)
    if count < 1 or len(rows) - count < 2:  # noqa: PLR2004 a spread needs two
        raise FitError(f"--held-out {float(share)} of {len(rows)} rows leaves too few on one side")
    drawn = np.random.default_rng(seed).permutation(len(rows))
    return Split(rows[np.sort(drawn[count:])], rows[np.sort(drawn[:count])])


def calibrate(scores: Numbers, rate: Fraction) -> Calibration:
    """Choose the smallest threshold that keeps the false-alarm rate.

    It is the ceil((n + 1)(1 - rate))-th smallest held-out score. A new row of the same kind is
    above it with a probability of at most the rate, whatever the distribution (split conformal
    inference: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005;
    for outliers S. Bates et al., Annals of Statistics 51, 2023), and so is at most that share of
    the held-out rows themselves.

    Args:
        scores: Scores of the held-out rows, shape (rows,).
        rate: Share of ordinary rows that may be flagged, between 0 and 1.

    Raises:
        FitError: So few rows say nothing about so small a rate.
    """
    count = len(scores)
    rank = math.ceil((count + 1) * (1 - rate))
    if rank > count:
        raise FitError(
            f"--false-alarm-rate {float(rate)} needs {math.ceil(1 / rate) - 1} held-out rows or "
            f"more, there are {count}: give more data, or raise --held-out or the rate"
        )
    threshold = float(np.sort(scores)[rank - 1])
    return Calibration(threshold, int((scores > threshold).sum()), count)
