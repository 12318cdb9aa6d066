"""Triton's client asks a guard for all it can; what it got is printed as JSON."""

import json
import sys
from typing import Any

import ml_dtypes
import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

MODEL, VERSION = "income", "income-7"
TENSORS = {
    "BOOL": np.array([[True, False, True]]),
    "INT8": np.array([[-128, 0, 127]], np.int8),
    "INT16": np.array([[-32768, 0, 32767]], np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 0, 2**63 - 1]], np.int64),
    "UINT8": np.array([[0, 1, 255]], np.uint8),
    "UINT16": np.array([[0, 1, 65535]], np.uint16),
    "UINT32": np.array([[0, 1, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 1, 2**64 - 1]], np.uint64),
    "FP16": np.array([[0.5, -1, 65504]], np.float16),
    "FP32": np.array([[0.1, -1, 3.4e38]], np.float32),
    "FP64": np.array([[0.1, -1, 1.7e308]], np.float64),
    "BF16": np.array([[0.5, -1, 3.0e38]], ml_dtypes.bfloat16),
    "BYTES": np.array([["a", "", "ä€"]], dtype=object),
}


def main(port: str) -> dict[str, Any]:
    with triton.InferenceServerClient(f"localhost:{port}") as client:
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model": client.is_model_ready(MODEL),
            "version": client.is_model_ready(MODEL, VERSION),
            "other_version": client.is_model_ready(MODEL, "income-6"),
            "server": client.get_server_metadata(),
            "metadata": client.get_model_metadata(MODEL, VERSION),
            "binary": {name: comes_back(client, name, binary=True) for name in TENSORS},
            "json": {
                name: comes_back(client, name, binary=False) for name in TENSORS if name != "BF16"
            },
            "many": many(client),
            "note": client.infer(MODEL, [tensor("x", "FP32", binary=True)]).get_response()[
                "parameters"
            ],
            "refused": [
                refusal(client, MODEL, "income-6"),
                refusal(client, "outcome", ""),
            ],
        }


def tensor(name: str, datatype: str, *, binary: bool) -> triton.InferInput:
    values = TENSORS[datatype]
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def comes_back(client: triton.InferenceServerClient, datatype: str, *, binary: bool) -> bool:
    """Tell whether the model, which answers with its input, got and sent what was meant."""
    outputs = [triton.InferRequestedOutput("x", binary_data=binary)]
    answer = client.infer(
        MODEL, [tensor("x", datatype, binary=binary)], model_version=VERSION, outputs=outputs
    )
    values = answer.as_numpy("x")
    if datatype == "BYTES":
        texts = [one.decode() if binary else one for one in values.ravel()]
        values = np.array(texts, object).reshape(values.shape)
    return bool(np.array_equal(values.astype(TENSORS[datatype].dtype), TENSORS[datatype]))


def many(client: triton.InferenceServerClient) -> list[str]:
    """Send one input as JSON between two as binary tensors; return the outputs that came back."""
    inputs = [
        tensor("a", "FP32", binary=True),
        tensor("b", "INT8", binary=False),
        tensor("c", "BYTES", binary=True),
    ]
    answer = client.infer(MODEL, inputs, request_id="7")
    same = np.array_equal(answer.as_numpy("a"), TENSORS["FP32"])
    same = same and np.array_equal(answer.as_numpy("b"), TENSORS["INT8"])
    named = [output["name"] for output in answer.get_response()["outputs"]]
    return [*named, answer.get_response()["id"], str(same)]


def refusal(client: triton.InferenceServerClient, model: str, version: str) -> str:
    try:
        client.infer(model, [tensor("x", "FP32", binary=True)], model_version=version)
    except InferenceServerException as error:
        return str(error)
    return "none"


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
