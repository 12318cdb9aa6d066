"""A KServe explainer as its documentation has it: KernelShap, asking the predictor over HTTP.

`python -m tests.benchmarks.peers.explainer ROWS.npy PREDICTOR_PORT PORT`
"""

import asyncio
import sys
from typing import Any

import kserve
import numpy as np
import shap
from kserve.predictor_config import PredictorConfig


class Explainer(kserve.Model):  # type: ignore[misc]  # no types here
    """shap's KernelExplainer, which alibi's KernelShap is, with all coalitions in one request."""

    def __init__(self, rows: str) -> None:
        super().__init__("income")
        self.background = np.load(rows)
        self.explainer: Any = None
        self.ready = True

    async def explain(self, payload: Any, headers: Any = None) -> Any:
        """Explain the instances."""
        del headers
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(self._explain, np.array(payload["instances"]), loop)

    def _explain(self, rows: Any, loop: asyncio.AbstractEventLoop) -> Any:
        def ask(some: Any) -> Any:
            request = self.predict({"instances": some.tolist()})
            answer = asyncio.run_coroutine_threadsafe(request, loop).result()
            return np.array(answer["predictions"])

        if self.explainer is None:
            self.explainer = shap.KernelExplainer(ask, self.background)
        values = self.explainer.shap_values(rows, silent=True, l1_reg=False)
        base = float(self.explainer.expected_value)
        return {"values": values.tolist(), "base_value": base, "predictions": ask(rows).tolist()}


if __name__ == "__main__":
    rows, predictor, port = sys.argv[1:]
    config = PredictorConfig(f"127.0.0.1:{predictor}", predictor_protocol="v1")
    server = kserve.ModelServer(
        http_port=int(port), enable_grpc=False, workers=1, predictor_config=config
    )
    server.start([Explainer(rows)])
