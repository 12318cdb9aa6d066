"""Triton's client asks a model of a number and a text; what it got is printed as JSON."""

import json
import sys
from typing import Any

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

MODEL = "income"
AGES = np.array([[20.0], [60.0]], np.float32)
JOBS = np.array([["clerk"], ["pilot"]], dtype=object)


def main(port: str) -> dict[str, Any]:
    with triton.InferenceServerClient(f"localhost:{port}") as client:
        metadata = client.get_model_metadata(MODEL)
        return {
            "inputs": {one["name"]: one["datatype"] for one in metadata["inputs"]},
            "json": labels(client, binary=False),
            "binary": labels(client, binary=True),
            "refused": refusal(client),
        }


def inputs(*, binary: bool) -> list[triton.InferInput]:
    age = triton.InferInput("age", [2, 1], "FP32")
    age.set_data_from_numpy(AGES, binary_data=binary)
    job = triton.InferInput("job", [2, 1], "BYTES")
    job.set_data_from_numpy(JOBS, binary_data=binary)
    return [age, job]


def labels(client: triton.InferenceServerClient, *, binary: bool) -> list[str]:
    wanted = [triton.InferRequestedOutput("label", binary_data=binary)]
    answer = client.infer(MODEL, inputs(binary=binary), outputs=wanted).as_numpy("label")
    return [one.decode() if isinstance(one, bytes) else one for one in answer.tolist()]


def refusal(client: triton.InferenceServerClient) -> str:
    try:
        client.infer(MODEL, inputs(binary=True)[1:])
    except InferenceServerException as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
