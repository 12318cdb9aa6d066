"""What an explanation is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attributions:
    """How much each feature added to each output.

    Attributes:
        values: Shape (rows, outputs, features). Their sum over the features and the base value are
            the prediction.
        base_values: Shape (outputs,): what is predicted while nothing is known of a row.
        predictions: Shape (rows, outputs).
    """

    values: Numbers
    base_values: Numbers
    predictions: Numbers


@dataclass(frozen=True, slots=True)
class Anchor:
    """A rule that by itself nearly always leads to a row's prediction.

    Attributes:
        conditions: What must hold, as `age > 37.00`; of an image, none.
        mask: Shape (height, width): the pixels that must stay; empty for a row of a table.
        precision: Share of the rows that keep the rule and get the same prediction.
        coverage: Share of the rows that keep the rule.
        prediction: The label that is explained.
    """

    conditions: tuple[str, ...]
    mask: tuple[tuple[int, ...], ...]
    precision: float
    coverage: float
    prediction: float


Explanation = Attributions | tuple[Anchor, ...]
