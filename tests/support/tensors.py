"""V2 tensors as any other program would write and read them: numpy and the protocol's text only."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# BF16 is kept as float32, whose upper half it is.
DTYPES = {
    "BOOL": "?",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BF16": "<f4",
    "BYTES": "O",
}


@dataclass(frozen=True)
class Sent:
    """One tensor, and how it travels."""

    name: str
    datatype: str
    values: Array
    binary: bool = False
    nested: bool = False


def to_raw(values: Array, datatype: str) -> bytes:
    if datatype == "BYTES":
        texts = [one if isinstance(one, bytes) else one.encode() for one in values.ravel()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    if datatype == "BF16":
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype(DTYPES[datatype]).tobytes()


def from_raw(raw: bytes, datatype: str, shape: Sequence[int]) -> Array:
    if datatype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if datatype != "BYTES":
        return np.frombuffer(raw, DTYPES[datatype]).reshape(shape)
    texts, offset = [], 0
    while offset < len(raw):
        end = offset + 4 + struct.unpack_from("<I", raw, offset)[0]
        texts.append(raw[offset + 4 : end].decode())
        offset = end
    return np.array(texts, dtype=object).reshape(shape)


def from_json(data: list[Any], datatype: str, shape: Sequence[int]) -> Array:
    return np.array(data, dtype=DTYPES[datatype]).reshape(shape)


def body_of(key: str, tensors: Sequence[Sent], **members: Any) -> tuple[bytes, int | None]:
    """Return a request or an answer, and the length of its JSON part if binary tensors follow."""
    documents, raws = [], []
    for tensor in tensors:
        document: dict[str, Any] = {
            "name": tensor.name,
            "shape": list(tensor.values.shape),
            "datatype": tensor.datatype,
        }
        if tensor.binary:
            raws.append(to_raw(tensor.values, tensor.datatype))
            document["parameters"] = {"binary_data_size": len(raws[-1])}
        else:
            values = tensor.values if tensor.nested else tensor.values.ravel()
            document["data"] = values.tolist()
        documents.append(document)
    head = json.dumps({**members, key: documents}).encode()
    return head + b"".join(raws), len(head) if raws else None
