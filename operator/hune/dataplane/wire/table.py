"""The rows of a request, as the checks of the guard look at them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Column = npt.NDArray[np.generic]


class TableError(ValueError):
    """The request's columns are not those that are wanted; the message names them."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one request.

    A client either sends one array of shape (rows, columns), whose columns have a position only,
    or one array per column under the column's name.

    Attributes:
        rows: Number of rows.
        matrix: Shape (rows, columns), where one array was sent; None otherwise.
        columns: Shape (rows,) each, by name, where named columns were sent; empty otherwise.
    """

    rows: int
    matrix: Column | None
    columns: dict[str, Column]

    @property
    def size(self) -> int:
        """Return the number of values."""
        columns = len(self.columns) if self.matrix is None else self.matrix.shape[1]
        return self.rows * int(columns)

    def column(self, position: int, name: str) -> Column:
        """Return a column, shape (rows,), by its name, or by its position where none has a name.

        Raises:
            TableError: There is no such column.
        """
        if self.matrix is None:
            if name not in self.columns:
                known = ", ".join(sorted(self.columns)) or "none"
                raise TableError(f"column {name!r} is missing; the request has {known}")
            return self.columns[name]
        if position >= self.matrix.shape[1]:
            raise TableError(
                f"column {name!r} is wanted at position {position}; the request has "
                f"{self.matrix.shape[1]} columns"
            )
        found: Column = self.matrix[:, position]
        return found

    def numbers(self, names: Sequence[str], count: int) -> Numbers:
        """Return the rows as numbers, shape (rows, count), with NaN for what is null.

        Args:
            names: Names of the wanted columns in their order; empty where they have none.
            count: Number of wanted columns.

        Raises:
            TableError: The columns are others, or hold what is no number.
        """
        try:
            if self.matrix is not None:
                if self.matrix.shape[1] != count:
                    raise TableError(
                        f"{count} columns are wanted; the request has {self.matrix.shape[1]}"
                    )
                return np.asarray(self.matrix, dtype=np.float64)
            wanted = names or tuple(self.columns)
            if len(wanted) != count:
                raise TableError(f"{count} columns are wanted; the request has {len(wanted)}")
            columns = [self.column(position, name) for position, name in enumerate(wanted)]
            return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, TableError):
                raise
            raise TableError("a column that should hold numbers holds something else") from None
