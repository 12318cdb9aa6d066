"""What a Seldon component says of its model, as V2 metadata."""

from typing import Any, Final

import msgspec

from hune.dataplane.wire.seldon_answer import OUTPUT

METADATA_PATH: Final = "/metadata"
_INPUT: Final = "input"
_ARRAYS: Final = ("tensor", "ndarray", "tftensor")
_FORM: Final = ("name", "datatype", "shape")
_ENCODE: Final = msgspec.json.Encoder().encode


def translate_metadata(body: bytes, model: str) -> bytes:
    """Return a component's answer at `/metadata` as V2 metadata.

    Tensors in V2's form stay as they are, but for the name of the output, which answers call
    `predict`. An array in Seldon's form becomes numbers, a row for each prediction. Where one of
    the inputs cannot be said in V2, or there is more than one output, nothing is said of them.

    Args:
        body: The component's answer; one that is not understood says nothing.
        model: Name of the model in the V2 protocol.
    """
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    said: dict[str, Any] = found if isinstance(found, dict) else {}
    outputs = [tensor | {"name": OUTPUT} for tensor in _tensors(said.get("outputs"), OUTPUT)]
    return _ENCODE(
        {
            "name": model,
            "platform": _text(said.get("platform")) or "seldon",
            "inputs": _tensors(said.get("inputs"), _INPUT),
            "outputs": outputs if len(outputs) == 1 else [],
        }
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tensors(listed: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(listed, list):
        return []
    tensors = [_tensor(each, name) for each in listed]
    known = [tensor for tensor in tensors if tensor is not None]
    return known if len(known) == len(tensors) else []


def _tensor(described: object, name: str) -> dict[str, Any] | None:
    if not isinstance(described, dict):
        return None
    if all(key in described for key in _FORM):
        return {key: described[key] for key in _FORM}
    schema = described.get("schema")
    if described.get("messagetype") not in _ARRAYS or not isinstance(schema, dict):
        return None
    names, shape = schema.get("names"), schema.get("shape")
    if isinstance(shape, list) and shape:
        row = shape[1:] or shape
    elif isinstance(names, list) and names:
        row = [len(names)]
    else:
        return None
    return {"name": name, "datatype": "FP64", "shape": [-1, *row]}
