"""How the tensors of a request lie in rows."""

import math
from collections.abc import Sequence
from typing import Final

from hune.dataplane.wire.table import Table
from hune.dataplane.wire.tensor import Tensor, WireError, show

_MATRIX_RANK: Final = 2


def table_of(tensors: Sequence[Tensor]) -> Table:
    """Return the rows of a request.

    One tensor of two or more axes, or without a name, is a matrix; its later axes become its
    columns. Otherwise each tensor is the column of its name.

    Raises:
        WireError: The tensors are no rows: there are none, or they differ in number of rows, or one
            of several has more than one column.
    """
    if len(tensors) == 1:
        [only] = tensors
        if len(only.shape) >= _MATRIX_RANK or (only.shape and not only.name):
            rows, columns = only.shape[0], math.prod(only.shape[1:])
            return Table(rows, only.values.reshape(rows, columns), {})
    if not tensors:
        raise WireError("the request has no inputs")
    rows = tensors[0].shape[0] if tensors[0].shape else 0
    for tensor in tensors:
        if tensor.shape not in ((rows,), (rows, 1)):
            raise WireError(
                f"input {show(tensor.name)}: has the shape {show(str(list(tensor.shape)))}; send"
                " one input of shape [rows, columns], or each column as [rows] or [rows, 1] with as"
                " many rows as the first"
            )
    return Table(rows, None, {tensor.name: tensor.values.reshape(rows) for tensor in tensors})
