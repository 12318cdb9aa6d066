"""From the tensors of a request to the arrays that a model takes, or to what is wrong with them."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from hune.dataplane.lite.signature import ANY, Signature
from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import DATATYPES, Datatype, Kind, Tensor, WireError, show

_COLUMN_RANK: Final = 2
_NUMBERS: Final = (Kind.FLOAT, Kind.INTEGER)


def arrange(tensors: Sequence[Tensor], wanted: Sequence[Signature]) -> dict[str, Column]:
    """Return an array for each input of a model.

    A request of one tensor for a model of one input is taken whatever the tensor is called, as
    KServe's own servers do. A column may come as [rows] where the model wants [rows, 1]. Numbers
    are converted where the value stays what it is, up to the precision of the model's floats.

    Raises:
        WireError: A tensor is missing, superfluous, or has another shape or datatype.
    """
    if len(tensors) == len(wanted) == 1:
        return {wanted[0].name: _fit(tensors[0], wanted[0])}
    given = {tensor.name: tensor for tensor in tensors}
    known = {signature.name: signature for signature in wanted}
    if unknown := [name for name in given if name not in known]:
        raise WireError(f"input {show(unknown[0])!r}: the model has no such input; {_list(wanted)}")
    if missing := [name for name in known if name not in given]:
        raise WireError(f"input {missing[0]!r}: is missing; {_list(wanted)}")
    return {name: _fit(given[name], signature) for name, signature in known.items()}


def _list(wanted: Sequence[Signature]) -> str:
    return "it takes " + ", ".join(f"{signature.name!r}: {signature}" for signature in wanted)


def _fit(tensor: Tensor, wanted: Signature) -> Column:
    values = tensor.values
    if len(wanted.shape) == _COLUMN_RANK and wanted.shape[1] == 1 and values.ndim == 1:
        values = values.reshape(-1, 1)
    if not _is_shaped(values.shape, wanted.shape):
        raise _misfit(wanted, f"shape {list(tensor.shape)} is sent")
    return _convert(values, tensor, wanted)


def _is_shaped(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        want in (size, ANY) for size, want in zip(shape, wanted, strict=True)
    )


def _convert(values: Column, tensor: Tensor, wanted: Signature) -> Column:
    target = DATATYPES[wanted.datatype]
    if target.kind is Kind.TEXT:
        return _texts(values, tensor, wanted)
    if values.dtype == target.dtype:
        # A binary tensor may begin anywhere in the body; onnxruntime reads where numbers begin.
        return values if values.flags.aligned else values.copy()
    source = DATATYPES.get(tensor.datatype)
    if source is None or source.kind not in _NUMBERS or target.kind not in _NUMBERS:
        raise _misfit(wanted, f"datatype {tensor.datatype} is sent")
    with np.errstate(over="ignore", invalid="ignore"):
        converted = values.astype(target.dtype)
    if target.kind is Kind.FLOAT:
        wrong = np.isinf(converted) & ~np.isinf(values)
    else:
        wrong = _beyond(values, target)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise _misfit(wanted, f"{values[place]} at {list(place)} does not fit")
    return converted


def _beyond(values: Any, target: Datatype) -> Any:
    """Return where no integer of the datatype is the number, as an array of bool.

    The bounds are compared before the conversion: what it makes of a number beyond them depends on
    the processor.
    """
    limits = np.iinfo(target.dtype.name)
    if values.dtype.kind != "f":
        return (values < limits.min) | (values > limits.max)
    wide = values.astype(np.float64)
    # The bound above is a power of two, which a float holds, as it does not hold 2^63 - 1.
    inside = (wide >= limits.min) & (wide < 2.0 ** int(limits.max).bit_length())
    return ~(inside & (np.trunc(wide) == wide))


def _texts(values: Column, tensor: Tensor, wanted: Signature) -> Column:
    if tensor.datatype != "BYTES":
        raise _misfit(wanted, f"datatype {tensor.datatype} is sent")
    for position, text in enumerate(values.ravel().tolist()):
        if not isinstance(text, str):
            what = "null" if text is None else "what is not UTF-8"
            raise _misfit(wanted, f"{what} stands at element {position}")
    return values


def _misfit(wanted: Signature, what: str) -> WireError:
    return WireError(f"input {wanted.name!r}: {what}, the model takes {wanted}")
