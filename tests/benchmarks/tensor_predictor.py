"""`python -m tests.benchmarks.tensor_predictor`: a V2 model, the sum of each row.

It speaks JSON and the binary tensor extension with the fastest parser there is for each, so that
what is compared is the wire and not a slow model server. It prints its port.
"""

import asyncio
import socket
from typing import Any

import msgspec
import numpy as np
import uvicorn
import uvloop

from tests.support.tensors import Array

LENGTH = b"inference-header-content-length"
_ENCODE = msgspec.json.Encoder().encode


class Input(msgspec.Struct):
    shape: list[int]
    data: list[float] | None = None


class Request(msgspec.Struct):
    inputs: list[Input]
    parameters: dict[str, bool] = {}


_DECODE = msgspec.json.Decoder(Request).decode


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request."""
    chunks, more = [], scope["method"] == "POST"
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message["more_body"]
    headers: list[tuple[bytes, bytes]] = []
    body = b'{"ready":true}'
    if chunks:
        length = dict(scope["headers"]).get(LENGTH)
        body, head = predict(b"".join(chunks), int(length) if length else None)
        headers = [(LENGTH, b"%d" % head)] if head else []
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def predict(body: bytes, length: int | None) -> tuple[bytes, int | None]:
    """Return the answer, and the length of its JSON part where it is binary."""
    request = _DECODE(body if length is None else body[:length])
    given = request.inputs[0]
    rows: Array = (
        np.array(given.data, np.float32)
        if length is None
        else np.frombuffer(body, np.float32, offset=length)
    )
    sums = rows.reshape(given.shape).sum(axis=1)
    output: dict[str, Any] = {"name": "y", "shape": [len(sums)], "datatype": "FP32"}
    if not request.parameters.get("binary_data_output"):
        return _ENCODE(
            {"model_name": "income", "outputs": [output | {"data": sums.tolist()}]}
        ), None
    output["parameters"] = {"binary_data_size": sums.nbytes}
    head = _ENCODE({"model_name": "income", "outputs": [output]})
    return head + sums.tobytes(), len(head)


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(serve, log_level="error", access_log=False, lifespan="off")
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
