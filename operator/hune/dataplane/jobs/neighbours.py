"""Fitting the method `Neighbours`: choosing the reference rows."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.fitted import Fitted
from hune.dataplane.jobs.model import PackedModel

Numbers = npt.NDArray[np.float64]


def fit_neighbours(
    rows: Numbers, model: PackedModel, parameters: Mapping[str, int], seed: int
) -> Fitted:
    """Choose the reference rows.

    Args:
        rows: Ordinary rows, shape (rows, columns).
        model: The model that is defended.
        parameters: A value for each of the method's parameters.
        seed: The same seed draws the same rows.

    Raises:
        FitError: There are fewer rows than neighbours.
    """
    if len(rows) < parameters["neighbours"]:
        raise FitError(
            f"--parameter neighbours={parameters['neighbours']}: {len(rows)} rows are left"
        )
    drawn = np.random.default_rng(seed).permutation(len(rows))[: parameters["references"]]
    spread = rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0) if parameters["standardise"] else np.ones(len(spread))
    arrays = {
        "references": rows[np.sort(drawn)].astype("<f8"),
        "scale": scale.astype("<f8"),
        "neighbours": np.array([parameters["neighbours"]], "<i4"),
    }
    return Fitted(arrays | model.arrays, None, f"hune, numpy {np.__version__}")
