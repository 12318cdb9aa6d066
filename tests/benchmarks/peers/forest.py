"""A forest in KServe's Python server: `python -m tests.benchmarks.peers.forest FILE PORT`."""

import sys
from typing import Any

import joblib
import kserve
import numpy as np


class Forest(kserve.Model):  # type: ignore[misc]  # no types here
    """Says how probable the second class is."""

    def __init__(self, file: str) -> None:
        super().__init__("income")
        self.model = joblib.load(file)
        self.ready = True

    async def predict(self, payload: Any, headers: Any = None, **_: Any) -> Any:
        """Predict the instances."""
        del headers
        rows = np.array(payload["instances"])
        return {"predictions": self.model.predict_proba(rows)[:, 1].tolist()}


if __name__ == "__main__":
    file, port = sys.argv[1:]
    kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([Forest(file)])
