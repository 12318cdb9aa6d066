"""KServe's client asks a guard for predictions of given rows; what it got is printed as JSON.

`predict.py PORT MODEL NOTE TOKEN`, where NOTE is JSON with `rows`.
"""

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main(port: str, model: str, rows: list[list[float]], token: str) -> dict[str, Any]:
    url, headers = f"http://localhost:{port}", {"authorization": f"Bearer {token}"}
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    answer = await client.infer(url, request_of(model, np.array(rows)), model, headers)
    found = {
        "predict": answer.outputs[0].as_numpy().tolist(),
        "version": answer.parameters["hune_model_version"],
        "wrong": "none",
    }
    try:
        await client.infer(url, request_of(model, np.array(rows)[:, :-1]), model, headers)
    except httpx.HTTPStatusError as error:
        found["wrong"] = str(error)
    await client.close()
    return found


def request_of(model: str, rows: np.ndarray[Any, Any]) -> InferRequest:
    given = InferInput("x", list(rows.shape), "FP64")
    given.set_data_from_numpy(rows, binary_data=False)
    return InferRequest(model, [given])


if __name__ == "__main__":
    port, model, note, token = sys.argv[1:]
    print(json.dumps(asyncio.run(main(port, model, json.loads(note)["rows"], token))))
