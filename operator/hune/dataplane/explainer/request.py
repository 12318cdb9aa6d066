"""A request for an explanation: its rows, and the form in which the predictor takes such rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from hune.dataplane.guard.answers import Problem
from hune.dataplane.wire.binary import BadLengthError, json_length
from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.table import TableError
from hune.dataplane.wire.tensor import DATATYPES, Kind, Tensor, WireError
from hune.dataplane.wire.v1_request import read_v1
from hune.dataplane.wire.v2_request import read_v2

Numbers = npt.NDArray[np.float64]

_ENCODE: Final = msgspec.json.Encoder().encode
_MATRIX_RANK: Final = 2


def read_tensors(protocol: str, body: bytes, length: bytes | None) -> tuple[Tensor, ...]:
    """Return the inputs of a request, which has the form of a prediction's.

    Args:
        protocol: `V1` or `V2`.
        body: The whole body.
        length: Value of `Inference-Header-Content-Length`, if it was given.

    Raises:
        Problem: The body is not what the protocol says; the message names the place.
    """
    try:
        if protocol == "V1":
            return read_v1(body)
        return read_v2(body, json_length(length, len(body)) if length else None)
    except (WireError, BadLengthError) as error:
        raise Problem(400, str(error)) from None


def read_rows(tensors: Sequence[Tensor], names: Sequence[str], count: int) -> Numbers:
    """Return the rows to explain, shape (rows, count).

    Raises:
        Problem: They are not of the explainer's columns.
    """
    try:
        return table_of(tensors).numbers(names, count)
    except (TableError, WireError) as error:
        raise Problem(400, str(error)) from None


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    datatype: str
    trailing: tuple[int, ...]
    integral: bool


class Form:
    """Writes rows as the client wrote its own: so the predictor is known to take them."""

    def __init__(
        self, protocol: str, tensors: Sequence[Tensor], names: Sequence[str], *, typed: bool
    ) -> None:
        """Take the client's form.

        Args:
            protocol: What the predictor speaks.
            tensors: The client's inputs, checked to be rows.
            names: The columns of the rows to write; empty where they are the client's.
            typed: Whether the client said of which datatype they are, as V2 does. Otherwise what
                was written as a whole number may stand for any.
        """
        self._v1 = protocol == "V1"
        first = tensors[0]
        self._matrix = len(tensors) == 1 and (len(first.shape) >= _MATRIX_RANK or not first.name)
        chosen = tensors
        if not self._matrix and names:
            by_name = {tensor.name: tensor for tensor in tensors}
            chosen = [by_name[name] for name in names]
        self._parts = [_part(tensor, typed=typed) for tensor in chosen]

    def write(self, rows: Numbers, output: str) -> bytes:
        """Return the body of a prediction's request.

        Args:
            rows: Shape (rows, columns).
            output: The V2 output to ask for; the predictor chooses when empty.
        """
        if self._v1:
            return _ENCODE({"instances": self._instances(rows)})
        document: dict[str, Any] = {"inputs": self._inputs(rows)}
        if output:
            document["outputs"] = [{"name": output}]
        return _ENCODE(document)

    def _instances(self, rows: Numbers) -> list[Any]:
        if self._matrix:
            shape = (len(rows), *self._parts[0].trailing)
            nested: list[Any] = rows.reshape(shape).tolist()
            return nested
        columns = [_column(part, rows[:, i]) for i, part in enumerate(self._parts)]
        names = [part.name for part in self._parts]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def _inputs(self, rows: Numbers) -> list[dict[str, Any]]:
        values = [rows.ravel()] if self._matrix else list(rows.T)
        return [
            {
                "name": part.name,
                "shape": [len(rows), *part.trailing],
                "datatype": part.datatype,
                "data": _column(part, column),
            }
            for part, column in zip(self._parts, values, strict=True)
        ]


def _part(tensor: Tensor, *, typed: bool) -> _Part:
    kind = DATATYPES[tensor.datatype].kind if tensor.datatype in DATATYPES else Kind.TEXT
    if kind is Kind.TEXT:
        raise Problem(400, f"input {tensor.name[:40]!r} holds texts; numbers alone are explained")
    datatype = tensor.datatype if typed else "FP64"
    integral = typed and kind is not Kind.FLOAT
    return _Part(tensor.name or "input-0", datatype, tensor.shape[1:], integral)


def _column(part: _Part, values: Numbers) -> list[Any]:
    sayable: npt.NDArray[Any] = values
    if part.integral:
        whole = part.datatype != "BOOL"
        sayable = np.rint(values).astype(np.int64) if whole else values != 0
    column: list[Any] = sayable.tolist()
    return column
