"""Writing answers of the V2 protocol, with the binary tensor extension."""

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any, Final

import msgspec

from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import Tensor

_ENCODE: Final = msgspec.json.Encoder().encode
_LENGTH: Final = Struct("<I")


def write_v2(
    members: Mapping[str, object], outputs: Sequence[tuple[Tensor, bool]]
) -> tuple[bytes, int | None]:
    """Return an answer's body, and the length of its JSON part where binary tensors follow.

    JSON has neither NaN nor infinity: both are null there, and themselves in a binary tensor.

    Args:
        members: What stands before the outputs, as `{"model_name": …}`.
        outputs: The tensors, and whether each is to be binary.
    """
    listed: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for tensor, binary in outputs:
        place: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": tensor.shape,
        }
        if binary:
            raw = _raw(tensor)
            place["parameters"] = {"binary_data_size": len(raw)}
            parts.append(raw)
        else:
            place["data"] = tensor.values.ravel().tolist()
        listed.append(place)
    head = _ENCODE({**members, "outputs": listed})
    return b"".join((head, *parts)), len(head) if parts else None


def _raw(tensor: Tensor) -> bytes:
    if tensor.datatype == "BYTES":
        return b"".join(map(_counted, _texts(tensor.values)))
    return tensor.values.tobytes()


def _texts(values: Column) -> list[bytes]:
    return [str(text).encode() for text in values.ravel().tolist()]


def _counted(text: bytes) -> bytes:
    return _LENGTH.pack(len(text)) + text
