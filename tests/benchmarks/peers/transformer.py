"""A KServe transformer as its documentation has it: detect, forward, answer with the verdict.

`python -m tests.benchmarks.peers.transformer ROWS.npy PREDICTOR_PORT PORT`
"""

import sys
from contextvars import ContextVar
from typing import Any

import kserve
from kserve.predictor_config import PredictorConfig

from tests.benchmarks.peers.alibi import fit_forest

_VERDICT: ContextVar[Any] = ContextVar("verdict")


class Transformer(kserve.Model):  # type: ignore[misc]  # no types here
    """alibi-detect before the predictor."""

    def __init__(self, rows: str) -> None:
        super().__init__("income")
        self.detector = fit_forest(rows)
        self.ready = True

    async def preprocess(self, payload: Any, headers: Any = None, **_: Any) -> Any:
        """Score the rows and hand them on."""
        del headers
        _VERDICT.set(self.detector.predict(payload.inputs[0].as_numpy())["data"])
        return payload

    async def postprocess(self, result: Any, headers: Any = None, **_: Any) -> Any:
        """Put the verdict beside the prediction."""
        del headers
        verdict = _VERDICT.get()
        result.parameters = {
            "hune_outlier": bool(verdict["is_outlier"].any()),
            "hune_outlier_scores": ",".join(map(str, verdict["instance_score"].tolist())),
        }
        return result


if __name__ == "__main__":
    rows, predictor, port = sys.argv[1:]
    config = PredictorConfig(f"127.0.0.1:{predictor}", predictor_protocol="v2")
    server = kserve.ModelServer(
        http_port=int(port), enable_grpc=False, workers=1, predictor_config=config
    )
    server.start([Transformer(rows)])
