"""A scikit-learn model on KServe's Python server, as KServe's own sklearnserver has it.

That server is no package of its own; this is its model, in the same words of the SDK.

`python -m tests.benchmarks.peers.sklearn_kserve FILE PORT`
"""

import sys
from typing import Any

import joblib
import kserve
from kserve.utils.utils import get_predict_input, get_predict_response


class SKLearn(kserve.Model):  # type: ignore[misc]  # no types here
    """A pickled model."""

    def __init__(self, file: str) -> None:
        super().__init__("income")
        self.model = joblib.load(file)
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, **_: Any) -> Any:
        """Answer with the labels."""
        del headers
        return get_predict_response(
            payload, self.model.predict(get_predict_input(payload)), self.name
        )


if __name__ == "__main__":
    file, port = sys.argv[1:]
    server = kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1)
    server.start([SKLearn(file)])
