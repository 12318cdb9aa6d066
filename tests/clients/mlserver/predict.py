"""Triton's client asks a guard for predictions of given rows; what it got is printed as JSON.

`predict.py PORT MODEL NOTE [TOKEN]`, where NOTE is JSON with `rows` and perhaps `columns`, their
names, `outputs`, and `forms` in which to send them: `json`, and `binary`, which MLServer does not
read.
"""

import json
import sys
from typing import Any

import numpy as np
import tritonclient.http as triton


def main(port: str, model: str, note: dict[str, Any], token: str) -> dict[str, Any]:
    with triton.InferenceServerClient(f"localhost:{port}") as client:
        headers = {"authorization": f"Bearer {token}"}
        found = {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model": client.is_model_ready(model),
            "metadata": client.get_model_metadata(model, headers=headers),
            "wrong": refusal(client, model, inputs_of(note, binary=False, width=-1), headers),
        }
        for form in note.get("forms", ["json"]):
            inputs = inputs_of(note, binary=form == "binary")
            wanted = [
                triton.InferRequestedOutput(name, binary_data=False)
                for name in note.get("outputs", [])
            ]
            answer = client.infer(model, inputs, outputs=wanted or None, headers=headers)
            names = [output["name"] for output in answer.get_response()["outputs"]]
            found[form] = {name: answer.as_numpy(name).tolist() for name in names}
    return found


def inputs_of(
    note: dict[str, Any], *, binary: bool, width: int | None = None
) -> list[triton.InferInput]:
    """Return the rows as one matrix, or as columns where these have names."""
    rows = np.array(note["rows"])[:, :width]
    names = note.get("columns", [])[:width]
    parts = [(name, rows[:, [i]]) for i, name in enumerate(names)] or [("x", rows)]
    inputs = []
    for name, values in parts:
        tensor = triton.InferInput(name, list(values.shape), "FP64")
        inputs.append(tensor.set_data_from_numpy(values, binary_data=binary))
    return inputs


def refusal(
    client: triton.InferenceServerClient,
    model: str,
    inputs: list[triton.InferInput],
    headers: dict[str, str],
) -> str:
    try:
        client.infer(model, inputs, headers=headers)
    except triton.InferenceServerException as error:
        return str(error)
    return "none"


if __name__ == "__main__":
    port, model, note, *token = sys.argv[1:]
    print(json.dumps(main(port, model, json.loads(note), "".join(token))))
