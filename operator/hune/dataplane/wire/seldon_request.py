"""Requests in Seldon's own protocol, made from the inputs of a V2 request."""

import json
from collections.abc import Sequence
from typing import Any, Final

from hune.dataplane.wire.array import MAXIMUM_OBJECTS
from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.tensor import Tensor, WireError, show

PREDICTIONS_PATH: Final = "/api/v1.0/predictions"


def build_seldon_request(tensors: Sequence[Tensor], identity: str = "") -> bytes:
    """Return a Seldon message with the inputs as its `data`.

    Args:
        tensors: The inputs.
        identity: The request's id, sent as `meta.puid`; empty where it has none.

    Raises:
        WireError: The inputs are no rows, are too many, or hold what JSON cannot.
    """
    message: dict[str, Any] = {"data": build_seldon_data(tensors)}
    if identity:
        message["meta"] = {"puid": identity}
    return json.dumps(message, separators=(",", ":")).encode()


def build_seldon_data(tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Return tensors as Seldon's `data`, with an `ndarray`.

    One input is sent in its own shape. Several become the columns of rows, with their names in
    `data.names`. A null among numbers is written as NaN: numpy reads that as the number that is
    not known, where JSON's null would make objects of all numbers beside it.

    Raises:
        WireError: The inputs are no rows, are too many, or hold what JSON cannot.
    """
    places = sum(tensor.values.size for tensor in tensors)
    if places > MAXIMUM_OBJECTS:
        raise WireError(
            f"inputs: have {places} values; a Seldon component gets at most {MAXIMUM_OBJECTS} at"
            " once, send smaller batches"
        )
    for tensor in tensors:
        if tensor.datatype == "BYTES" and any(isinstance(v, bytes) for v in tensor.values.flat):
            raise WireError(
                f"input {show(tensor.name)}: holds bytes that are not UTF-8; a Seldon component"
                " takes texts, encode them as base64"
            )
    if len(tensors) == 1:
        return {"names": [], "ndarray": tensors[0].values.tolist()}
    columns = table_of(tensors).columns
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return {"names": list(columns), "ndarray": list(rows)}
