"""How tensors lie in rows."""

from typing import Any

import numpy as np
import pytest

from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.table import Table
from hune.dataplane.wire.tensor import Tensor, WireError


def tensor(name: str, *shape: int) -> Tensor:
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    return Tensor(name, "FP64", shape, values)


def seen(table: Table) -> tuple[int, Any, dict[str, Any]]:
    matrix = None if table.matrix is None else table.matrix.tolist()
    return table.rows, matrix, {name: one.tolist() for name, one in table.columns.items()}


@pytest.mark.parametrize(
    ("tensors", "table"),
    [
        ([tensor("x", 2, 2)], (2, [[0, 1], [2, 3]], {})),
        ([tensor("x", 2, 1)], (2, [[0], [1]], {})),
        ([tensor("x", 1, 2, 2)], (1, [[0, 1, 2, 3]], {})),
        ([tensor("x", 0, 3)], (0, [], {})),
        ([tensor("x", 2, 0)], (2, [[], []], {})),
        ([tensor("", 2)], (2, [[0], [1]], {})),
        ([tensor("x", 2)], (2, None, {"x": [0, 1]})),
        ([tensor("x", 2), tensor("y", 2, 1)], (2, None, {"x": [0, 1], "y": [0, 1]})),
        ([tensor("x", 0), tensor("y", 0)], (0, None, {"x": [], "y": []})),
    ],
)
def test_tensors_become_rows(tensors: list[Tensor], table: tuple[int, Any, Any]) -> None:
    assert seen(table_of(tensors)) == table


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ([], "the request has no inputs"),
        ([tensor("x")], r"input x: has the shape \[\]"),
        ([tensor("x"), tensor("y", 1)], r"input x: has the shape \[\]"),
        ([tensor("x", 2), tensor("y", 3)], r"input y: has the shape \[3\]"),
        ([tensor("x", 2), tensor("y", 2, 2)], r"input y: has the shape \[2, 2\]"),
        ([tensor("x", 2, 2), tensor("y", 2)], r"input x: has the shape \[2, 2\]"),
        ([tensor("x", 2), tensor("y", 1, 2)], r"input y: has the shape \[1, 2\]"),
    ],
)
def test_what_are_no_rows_is_refused(tensors: list[Tensor], said: str) -> None:
    with pytest.raises(WireError, match=said):
        table_of(tensors)
