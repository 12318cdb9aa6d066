"""MLServer's own types, codecs and batch client ask a guard; what they got is printed as JSON."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import urllib3
from mlserver.batch_processing import process_batch
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec
from mlserver.types import (
    InferenceErrorResponse,
    InferenceRequest,
    InferenceResponse,
    MetadataModelResponse,
    MetadataServerResponse,
)

FRAME = pd.DataFrame({"age": [39, 50], "wage": [10.5, 0.25], "job": ["clerk", "nurse"]})
MATRIX = np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]])


def main(port: str, folder: str) -> dict[str, Any]:
    url = f"http://localhost:{port}"
    server = MetadataServerResponse.model_validate_json(get(f"{url}/v2"))
    model = MetadataModelResponse.model_validate_json(get(f"{url}/v2/models/income"))
    matrix = infer(url, NumpyRequestCodec.encode_request(MATRIX))
    frame = infer(url, PandasCodec.encode_request(FRAME))
    nonsense = urllib3.request("POST", f"{url}/v2/models/income/infer", body=b"{")
    return {
        "server": server.extensions,
        "versions": model.versions,
        "matrix": NumpyCodec.decode_output(matrix.outputs[0]).tolist(),
        "frame": PandasCodec.decode_response(frame).to_dict("list"),
        "note": matrix.parameters.model_dump()["hune_model_version"],
        "error": InferenceErrorResponse.model_validate_json(nonsense.data).error,
        "batch": {kind: batch(port, Path(folder), kind) for kind in ("json", "binary")},
    }


def get(url: str) -> bytes:
    return urllib3.request("GET", url).data


def infer(url: str, request: InferenceRequest) -> InferenceResponse:
    answer = urllib3.request(
        "POST",
        f"{url}/v2/models/income/infer",
        body=request.model_dump_json(exclude_none=True).encode(),
        headers={"content-type": "application/json"},
    )
    return InferenceResponse.model_validate_json(answer.data)


def batch(port: str, folder: Path, kind: str) -> list[Any]:
    """Return what `mlserver infer` writes for a file of two requests."""
    requests, answers = folder / "requests", folder / "answers"
    lines = [
        NumpyRequestCodec.encode_request(MATRIX * k).model_dump_json(exclude_none=True)
        for k in (1, 2)
    ]
    requests.write_text("\n".join(lines) + "\n")
    asyncio.run(
        process_batch(
            model_name="income",
            url=f"localhost:{port}",
            workers=1,
            retries=1,
            batch_size=1,
            input_data_path=str(requests),
            output_data_path=str(answers),
            binary_data=kind == "binary",
            transport="rest",
            request_headers=(),
            timeout=20,
            batch_interval=0,
            batch_jitter=0,
            use_ssl=False,
            insecure=False,
            verbose=False,
            extra_verbose=False,
        )
    )
    found = [
        InferenceResponse.model_validate_json(line) for line in answers.read_text().splitlines()
    ]
    return [NumpyCodec.decode_output(answer.outputs[0]).ravel().tolist() for answer in found]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2])))
