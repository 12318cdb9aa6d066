"""alibi-detect in MLServer, as its own runtime serves it: scores and verdicts as outputs.

MLServer's runtime for alibi-detect wants 0.12 or newer, which is under another licence, so this is
the same on MLServer's interface for models.
"""

from typing import Any

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from tests.benchmarks.peers.alibi import fit_forest


class Detector(MLModel):  # type: ignore[misc]  # no types here
    """An outlier detector as a model."""

    detector: Any

    async def load(self) -> bool:
        """Fit the detector on the rows that the settings name."""
        self.detector = fit_forest(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Score the rows."""
        rows = NumpyCodec.decode_input(payload.inputs[0])
        verdict = self.detector.predict(rows)["data"]
        outputs = [
            NumpyCodec.encode_output("is_outlier", verdict["is_outlier"]),
            NumpyCodec.encode_output("instance_score", verdict["instance_score"]),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
