"""KServe's own client asks a guard; what it got is printed as JSON."""

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

MODEL = "income"
MATRIX = np.array([[0.5, 1.5, -2.5]])


async def main(port: str) -> dict[str, Any]:
    url = f"http://localhost:{port}"
    v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
    v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
    headers: dict[str, str] = {}
    rows = {"instances": [[1, 2.5], [3, 4]]}
    found = {
        "live": await v2.is_server_live(url),
        "ready": await v2.is_server_ready(url),
        "model": await v2.is_model_ready(url, MODEL),
        "other_model": await v2.is_model_ready(url, "outcome"),
        "model_v1": await v1.is_model_ready(url, MODEL),
        "v1": (await v1.infer(url, rows, MODEL, response_headers=headers))["predictions"],
        "version": headers["x-hune-model-version"],
        "json": await infer(v2, url, binary=False, datatype="FP32"),
        "binary": {
            kind: await infer(v2, url, binary=True, datatype=kind) for kind in ("FP16", "FP32")
        },
        "refused": await refusal(v2, url),
    }
    await v1.close()
    await v2.close()
    return found


async def infer(
    client: InferenceRESTClient, url: str, *, binary: bool, datatype: str
) -> dict[str, Any]:
    given = InferInput("x", list(MATRIX.shape), datatype)
    dtype = {"FP16": np.float16, "FP32": np.float32}[datatype]
    given.set_data_from_numpy(MATRIX.astype(dtype), binary_data=binary)
    wanted = RequestedOutput("x", parameters={"binary_data": binary})
    request = InferRequest(MODEL, [given], request_id="7", request_outputs=[wanted])
    answer = await client.infer(url, request, MODEL)
    return {
        "id": answer.id,
        "x": answer.outputs[0].as_numpy().tolist(),
        "version": answer.parameters["hune_model_version"],
    }


async def refusal(client: InferenceRESTClient, url: str) -> str:
    try:
        await client.infer(url, {"inputs": []}, "outcome")
    except httpx.HTTPStatusError as error:
        return str(error)
    return "none"


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
