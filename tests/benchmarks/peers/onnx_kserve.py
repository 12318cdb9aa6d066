"""An ONNX model on KServe's Python server.

`python -m tests.benchmarks.peers.onnx_kserve FILE PORT`
"""

import sys
from typing import Any

import kserve
import onnxruntime


class Onnx(kserve.Model):  # type: ignore[misc]  # no types here
    """A model on one thread."""

    def __init__(self, file: str) -> None:
        super().__init__("income")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options)
        self.datatypes = {"tensor(int64)": "INT64", "tensor(float)": "FP32"}
        self.ready = True

    async def predict(self, payload: Any, headers: Any = None, **_: Any) -> Any:
        """Answer with all outputs."""
        del headers
        values = {one.name: one.as_numpy() for one in payload.inputs}
        outputs = []
        nodes = self.session.get_outputs()
        for node, found in zip(nodes, self.session.run(None, values), strict=True):
            output = kserve.InferOutput(node.name, [*found.shape], self.datatypes[node.type])
            output.set_data_from_numpy(found, binary_data=False)
            outputs.append(output)
        return kserve.InferResponse(payload.id, self.name, outputs)


if __name__ == "__main__":
    file, port = sys.argv[1:]
    server = kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1)
    server.start([Onnx(file)])
