"""The least server of an ONNX model that Python can have: it reads, runs, writes, and nothing else.

It trusts its clients: whatever comes is a V2 request of one float tensor with all its bytes in one
piece. `python -m tests.benchmarks.least_server MODEL` prints its port.
"""

import asyncio
import sys
from typing import Any, cast

import httptools
import msgspec
import numpy as np
import onnxruntime
import uvloop

_DECODE = msgspec.json.Decoder().decode
_ENCODE = msgspec.json.Encoder().encode


class _Connection(asyncio.Protocol):
    def __init__(self, session: Any) -> None:
        self._session = session
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body = body

    def on_message_complete(self) -> None:
        body = _ENCODE(_predict(self._session, _DECODE(self._body) if self._body else {}))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._body = b""
        self._transport.write(head % len(body) + body)


def _predict(session: Any, request: dict[str, Any]) -> dict[str, Any]:
    if not request:
        return {"ready": True}
    (tensor,) = request["inputs"]
    rows = np.array(tensor["data"], np.float32).reshape(tensor["shape"])
    label, probabilities = session.run(None, {"x": rows})
    return {
        "model_name": "income",
        "outputs": [
            {
                "name": "label",
                "shape": label.shape,
                "datatype": "INT64",
                "data": label.tolist(),
            },
            {
                "name": "probabilities",
                "shape": probabilities.shape,
                "datatype": "FP32",
                "data": probabilities.ravel().tolist(),
            },
        ],
    }


async def _serve(model: str) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(session), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
