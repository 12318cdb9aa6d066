"""A V2 model that answers with its inputs, as JSON or as binary tensors, whichever is wanted."""

import json
import socket
from typing import Any

from tests.support.predictor import Seen, response, serve_model
from tests.support.tensors import Array, Sent, body_of, from_json, from_raw

_LENGTH = "inference-header-content-length"
_METADATA = {
    "/v2": {"name": "echo", "version": "1", "extensions": ["binary_tensor_data"]},
    "/v2/health/live": {"live": True},
    "/v2/health/ready": {"ready": True},
    "/v2/models/income/ready": {"name": "income", "ready": True},
    "/v2/models/income": {
        "name": "income",
        "versions": ["1"],
        "platform": "echo",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
    },
    "/v1/models": {"models": ["income"]},
    "/v1/models/income": {"name": "income", "ready": True},
}


def echo(seen: Seen, connection: socket.socket) -> bool:
    """Answer an inference with its inputs, anything else as a model server would."""
    path = seen.target.partition("?")[0]
    if path == "/v2/models/income/infer":
        body, length = answer(seen)
        kind = "application/json" if length is None else "application/octet-stream"
        headers = f"content-type: {kind}\r\n"
        if length is not None:
            headers += f"Inference-Header-Content-Length: {length}\r\n"
        connection.sendall(response(body, headers=headers))
    elif path == "/v1/models/income:predict":
        predictions = json.loads(seen.body)["instances"]
        connection.sendall(response(json.dumps({"predictions": predictions}).encode()))
    elif path in _METADATA:
        connection.sendall(response(json.dumps(_METADATA[path]).encode()))
    else:
        return serve_model(seen, connection)
    return True


def answer(seen: Seen) -> tuple[bytes, int | None]:
    length = int(seen.headers.get(_LENGTH, len(seen.body)))
    request = json.loads(seen.body[:length])
    rest = seen.body[length:]
    tensors = []
    for given in request["inputs"]:
        size = given.get("parameters", {}).get("binary_data_size")
        values = _values(given, rest, size)
        rest = rest[size or 0 :]
        binary = _is_wanted_binary(request, given["name"])
        tensors.append(Sent(given["name"], given["datatype"], values, binary=binary))
    members = {"id": request["id"]} if "id" in request else {}
    return body_of("outputs", tensors, model_name="income", **members)


def _values(given: dict[str, Any], rest: bytes, size: int | None) -> Array:
    if size is None:
        return from_json(given["data"], given["datatype"], given["shape"])
    return from_raw(rest[:size], given["datatype"], given["shape"])


def _is_wanted_binary(request: dict[str, Any], name: str) -> bool:
    default = request.get("parameters", {}).get("binary_data_output", False)
    for output in request.get("outputs", []):
        if output["name"] == name:
            return bool(output.get("parameters", {}).get("binary_data", default))
    return bool(default)
