"""Writing answers of the V1 protocol: a prediction per row, or outputs by their names."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hune.dataplane.wire.tensor import Tensor

_ENCODE: Final = msgspec.json.Encoder().encode


def write_v1(outputs: Sequence[Tensor]) -> bytes:
    """Return an answer's body.

    One output is a list with an element per row; several are an object per row with a member per
    output. Outputs that differ in their number of rows have no rows in common, so they become one
    object of whole outputs. NaN and infinity are null, which JSON has instead.
    """
    if len(outputs) == 1:
        return _ENCODE({"predictions": outputs[0].values.tolist()})
    whole = {output.name: output.values.tolist() for output in outputs}
    if not all(output.shape and output.shape[0] == outputs[0].shape[0] for output in outputs):
        return _ENCODE({"predictions": whole})
    rows = zip(*whole.values(), strict=True)
    return _ENCODE({"predictions": [dict(zip(whole, row, strict=True)) for row in rows]})
