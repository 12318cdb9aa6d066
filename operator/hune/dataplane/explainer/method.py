"""The methods of explanation: what they want of an artefact, and what they make of rows."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hune.dataplane.explainer.explanation import Explanation

Numbers = npt.NDArray[np.float64]
# Rows, shape (rows, columns), to predictions, shape (rows, outputs).
Ask = Callable[[Numbers], Numbers]


class BlackBox(Protocol):
    """Explains what it can only ask about."""

    def explain(self, rows: Numbers, ask: Ask) -> Explanation:
        """Explain rows.

        Args:
            rows: Shape (rows, columns), finite.
            ask: Asks the predictor for many rows at once.
        """
