"""An ONNX model on MLServer's interface for models, with its own codecs."""

from typing import Any

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Onnx(MLModel):  # type: ignore[misc]  # no types here
    """A model on one thread."""

    session: Any

    async def load(self) -> bool:
        """Load the model that the settings name."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer with all outputs."""
        values = {one.name: NumpyCodec.decode_input(one) for one in payload.inputs}
        found = self.session.run(None, values)
        names = [output.name for output in self.session.get_outputs()]
        outputs = [NumpyCodec.encode_output(*pair) for pair in zip(names, found, strict=True)]
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
