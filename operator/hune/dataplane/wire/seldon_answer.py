"""Answers in Seldon's own protocol, as V2 answers."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from hune.dataplane.wire.array import MAXIMUM_OBJECTS, flatten, typed
from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import MIXED, Tensor, WireError, show

# Seldon gives an answer no name; this one is what MLServer's runtimes call theirs.
OUTPUT: Final = "predict"
_ENCODE: Final = msgspec.json.Encoder().encode
_LONGEST_FAILURE: Final = 1000
_MATRIX_RANK: Final = 2
_SCALARS: Final = (str, bool, int, float)


def translate_answer(body: bytes, model: str, identity: str = "") -> bytes:
    """Return a component's answer as a V2 answer.

    `data` becomes the output `predict`, or an output per column where the columns differ in type;
    `strData`, `jsonData` and `binData` become one text, the last one as base64. `meta.tags` become
    `parameters`. What JSON has no number for is null.

    Args:
        body: The component's answer.
        model: What the V2 answer calls the model.
        identity: The request's id; empty where it has none.

    Raises:
        WireError: It is no such answer, or V2 has no form for it.
    """
    message = _read(body)
    answer: dict[str, Any] = {"model_name": model}
    if identity:
        answer["id"] = identity
    try:
        answer["outputs"] = _outputs(message)
        tags = _object(message, "meta").get("tags")
        if isinstance(tags, dict) and tags:
            answer["parameters"] = {key: _flat(value) for key, value in tags.items()}
        return _ENCODE(answer)
    except (UnicodeEncodeError, OverflowError, RecursionError) as error:
        # Half of a character, or an integer that no number can hold.
        raise WireError(f"the answer cannot be written as JSON: {error}") from None


def read_failure(body: bytes) -> str:
    """Return why a component refuses, in its own words; empty where it says nothing readable."""
    try:
        status = _object(_read(body), "status")
    except WireError:
        return ""
    reason, info = status.get("reason"), status.get("info")
    words = [word for word in (reason, info) if isinstance(word, str) and word]
    return ": ".join(words)[:_LONGEST_FAILURE]


def _read(body: bytes) -> dict[str, Any]:
    if sum(map(body.count, (b",", b"[", b"{"))) > MAXIMUM_OBJECTS:
        raise WireError(f"the answer has more than {MAXIMUM_OBJECTS} values; send smaller batches")
    try:
        # Python's own reader takes the NaN that Python's own writer, hence a component, sends.
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"the answer is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError("the answer is not a JSON object")
    return message


def _object(message: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = message.get(key)
    return found if isinstance(found, dict) else {}


def _outputs(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "data" in message:
        return _tensor_outputs(_object(message, "data"))
    if "strData" in message:
        return [_text(str(message["strData"]))]
    if "jsonData" in message:
        return [_text(_ENCODE(message["jsonData"]).decode(), "json")]
    if "binData" in message:
        return [_text(str(message["binData"]), "base64")]
    raise WireError("the answer has no data, strData, jsonData or binData")


def _text(text: str, content_type: str = "str") -> dict[str, Any]:
    output = {"name": OUTPUT, "shape": [1], "datatype": "BYTES", "data": [text]}
    return output | {"parameters": {"content_type": content_type}}


def _tensor_outputs(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = data.get("names")
    names = [str(name) for name in given] if isinstance(given, list) else []
    tensor = _tensor(data)
    if tensor.datatype != MIXED:
        output = _output(tensor)
        return [output | {"parameters": {"names": ",".join(names)}} if names else output]
    if len(tensor.shape) != _MATRIX_RANK:
        raise WireError("data.ndarray: mixes numbers, texts and others; return a matrix of columns")
    count = tensor.shape[1]
    if len(names) != count or len(set(names)) != count:
        names = [f"{OUTPUT}-{position}" for position in range(count)]
    columns = zip(names, tensor.values.T, strict=True)
    return [_output(_typed(name, column.tolist(), tensor.shape[:1])) for name, column in columns]


def _tensor(data: Mapping[str, Any]) -> Tensor:
    if "tensor" in data:
        tensor = _object(data, "tensor")
        values = tensor.get("values")
        shape = _read_shape(tensor.get("shape"))
        if not isinstance(values, list) or math.prod(shape) != len(values):
            raise WireError(f"data.tensor: must have values that fill the shape {shape}")
        return _typed(OUTPUT, values, shape)
    if isinstance(data.get("ndarray"), list):
        shape, values = flatten(data["ndarray"])
        return _typed(OUTPUT, values, shape)
    raise WireError("data: has neither tensor nor ndarray; let predict return a numpy array")


def _read_shape(given: object) -> list[int]:
    shape = given if isinstance(given, list) else []
    if not shape or any(type(size) is not int or size < 0 for size in shape):
        raise WireError("data.tensor: must have a shape")
    return shape


def _typed(name: str, values: list[Any], shape: Iterable[int]) -> Tensor:
    try:
        datatype, array = typed(values)
    except WireError as error:
        raise WireError(f"data{error}") from None
    wanted = tuple(shape)
    return Tensor(name, datatype, wanted, array.reshape(wanted))


def _output(tensor: Tensor) -> dict[str, Any]:
    if tensor.datatype == MIXED:
        raise WireError(f"data.ndarray: column {show(tensor.name)} mixes numbers and others")
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "datatype": tensor.datatype,
        "data": _elements(tensor.values),
    }


def _elements(values: Column) -> list[Any]:
    # msgspec writes NaN and the infinities, for which JSON has no number, as null.
    elements: list[Any] = values.ravel().tolist()
    return elements


def _flat(value: object) -> object:
    """Return a value as V2's `parameters` may hold it."""
    return value if isinstance(value, _SCALARS) else _ENCODE(value).decode()
