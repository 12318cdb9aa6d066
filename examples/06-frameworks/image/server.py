"""A model server written with the `kserve` package: how ill someone will be, by similar people."""

import argparse
from pathlib import Path
from typing import Any

import kserve
import numpy as np
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import InferOutput, InferRequest, InferResponse

MODELS = Path("/mnt/models")


class Neighbours(kserve.Model):
    """The mean of the nearest neighbours, nearer ones counting more."""

    def __init__(self, name: str, folder: Path = MODELS) -> None:
        super().__init__(name)
        self.folder = folder

    def load(self) -> bool:
        with np.load(self.folder / "neighbours.npz") as arrays:
            self.rows, self.targets = arrays["rows"], arrays["targets"]
            self.count = int(arrays["count"])
        self.ready = True
        return self.ready

    async def predict(
        self,
        payload: InferRequest | dict[str, Any],
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> InferResponse:
        """Answer a V2 request whose only input has a row for each person."""
        if not isinstance(payload, InferRequest):
            raise InvalidInput("ask by the V2 protocol, at /v2/models/NAME/infer")
        people = payload.inputs[0].as_numpy()
        if people.shape[1:] != self.rows.shape[1:] or people.dtype.kind not in "iuf":
            raise InvalidInput(
                f"a row of {self.rows.shape[1]} numbers for each person is wanted, "
                f"not {people.dtype} of shape {list(people.shape)}"
            )
        found = InferOutput("predict", [len(people)], "FP64")
        found.set_data_from_numpy(self.estimate(people), binary_data=False)
        return InferResponse(payload.id or "", self.name, [found])

    def estimate(self, people: np.ndarray) -> np.ndarray:
        """Return the disease's progression, shape (people,)."""
        distances = np.linalg.norm(people[:, None, :] - self.rows[None, :, :], axis=2)
        nearest = np.argsort(distances, axis=1)[:, : self.count]
        # Nobody is nearer than nothing: someone who was there is found again, and counts alone.
        weights = 1 / np.maximum(np.take_along_axis(distances, nearest, axis=1), 1e-12)
        return (weights * self.targets[nearest]).sum(axis=1) / weights.sum(axis=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    arguments, _ = parser.parse_known_args()
    model = Neighbours(arguments.model_name)
    model.load()
    kserve.ModelServer(enable_grpc=False, workers=1).start([model])
