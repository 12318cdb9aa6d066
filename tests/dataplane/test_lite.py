"""The Lite process answers as the model's own library does, and guards as the guard does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from hune.contract.digest import digest_of
from tests.support import clients
from tests.support.detectors import BREAST_CANCER
from tests.support.http import Reply, ask
from tests.support.lite import LiteProcess
from tests.support.onnx_models import FOREST, LINE, training
from tests.support.tensors import Array, Sent, body_of, from_raw

INFER, PREDICT = "/v2/models/income/infer", "/v1/models/income:predict"
ROWS: Array = load_breast_cancer().data.astype(np.float32)
PEOPLE = training.people()[0][:40]


def infer(lite: LiteProcess, *tensors: Sent, **members: Any) -> Reply:
    body, length = body_of("inputs", tensors, **members)
    headers = {} if length is None else {"inference-header-content-length": str(length)}
    return ask(lite.port, "POST", INFER, body, headers)


def outputs(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply
    return {output["name"]: output for output in reply.json()["outputs"]}


def by_onnxruntime(model: Path, **values: Array) -> list[Array]:
    """Run it on one thread: several sum trees in another order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    found: list[Array] = onnxruntime.InferenceSession(model, options).run(None, values)
    return found


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_forest_says_what_scikit_learn_says(
    forest: LiteProcess, datatype: str, *, nested: bool
) -> None:
    found = outputs(infer(forest, Sent("x", datatype, ROWS, nested=nested)))
    label, probabilities = by_onnxruntime(FOREST, x=ROWS)
    assert found["label"]["data"] == label.tolist()
    assert found["probabilities"]["data"] == probabilities.ravel().tolist()
    assert found["probabilities"]["shape"] == [*probabilities.shape]
    model = training.forest()
    assert found["label"]["data"] == model.predict(ROWS).tolist()
    np.testing.assert_allclose(probabilities, model.predict_proba(ROWS), atol=1e-6)


def test_binary_tensors_come_and_go(forest: LiteProcess) -> None:
    """The first tensor begins where the JSON ends, which is nowhere in particular."""
    for length in range(4):
        reply = infer(
            forest,
            Sent("x", "FP32", ROWS, binary=True),
            id="7" * length,
            outputs=[{"name": "probabilities", "parameters": {"binary_data": True}}],
        )
        assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
        end = int(reply.headers["inference-header-content-length"])
        head = json.loads(reply.body[:end])
        (output,) = head["outputs"]
        assert head["id"] == "7" * length
        assert output["parameters"] == {"binary_data_size": len(reply.body) - end}
        found = from_raw(reply.body[end:], "FP32", output["shape"])
        np.testing.assert_array_equal(found, by_onnxruntime(FOREST, x=ROWS)[1])


def test_all_outputs_are_binary_where_the_request_says_so(mixed: LiteProcess) -> None:
    ages, jobs = PEOPLE[:, :1].astype(np.float32), PEOPLE[:, 1:]
    tensors = Sent("job", "BYTES", jobs, binary=True), Sent("age", "FP32", ages, binary=True)
    reply = infer(mixed, *tensors, parameters={"binary_data_output": True})
    end = int(reply.headers["inference-header-content-length"])
    size = json.loads(reply.body[:end])["outputs"][0]["parameters"]["binary_data_size"]
    labels = from_raw(reply.body[end : end + size], "BYTES", [len(PEOPLE)])
    assert labels.tolist() == training.mixed().predict(PEOPLE).tolist()


def test_several_inputs_are_known_by_their_names(mixed: LiteProcess) -> None:
    """A column may be flat; whole numbers become the model's floats."""
    ages, jobs = PEOPLE[:, 0].astype(np.int64), PEOPLE[:, 1]
    found = outputs(infer(mixed, Sent("job", "BYTES", jobs), Sent("age", "INT64", ages)))
    model = training.mixed()
    assert found["label"]["data"] == model.predict(PEOPLE).tolist()
    probabilities = np.reshape(found["probabilities"]["data"], (-1, 2))
    np.testing.assert_allclose(probabilities, model.predict_proba(PEOPLE), atol=1e-6)


def test_v1_rows_are_answered_row_by_row(mixed: LiteProcess) -> None:
    rows = [{"age": int(age), "job": job} for age, job in PEOPLE]
    reply = ask(mixed.port, "POST", PREDICT, json.dumps({"instances": rows}).encode())
    answer = reply.json()
    found = answer["predictions"]
    assert [one["label"] for one in found] == training.mixed().predict(PEOPLE).tolist()
    assert answer["hune"]["model_version"] == "income-7"


def test_v1_of_a_regression_is_a_list_of_numbers(tmp_path: Path) -> None:
    rows = load_diabetes().data[:5]
    lite = LiteProcess(tmp_path, LINE).start()
    try:
        reply = ask(lite.port, "POST", PREDICT, json.dumps({"instances": rows.tolist()}).encode())
    finally:
        lite.close()
    found = np.array(reply.json()["predictions"])
    np.testing.assert_allclose(found.ravel(), training.line().predict(rows), rtol=1e-6)


def test_the_guard_says_of_it_what_it_says_of_any_model(forest: LiteProcess) -> None:
    first, second = (infer(forest, Sent("x", "FP32", ROWS[:1])) for _ in range(2))
    notes = [reply.json()["parameters"] for reply in (first, second)]
    assert notes[0]["hune_model_version"] == first.headers["x-hune-model-version"] == "income-7"
    assert notes[0]["hune_prediction_id"] != notes[1]["hune_prediction_id"]
    metrics = ask(forest.port, "GET", "/metrics").body.decode()
    assert "hune_guard_predictor_duration_seconds_count" in metrics


def test_metadata_are_the_model_s_own(forest: LiteProcess) -> None:
    found = ask(forest.port, "GET", "/v2/models/income").json()
    assert found == {
        "name": "income",
        "versions": ["income-7"],
        "platform": "onnx_onnxruntime",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 30]}],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ],
    }
    assert ask(forest.port, "GET", "/v2").json()["extensions"] == ["binary_tensor_data"]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/income/ready", "/hune/ready"):
        assert ask(forest.port, "GET", path).status == 200
    assert ask(forest.port, "GET", "/v1/models").json() == {"models": ["income"]}
    assert ask(forest.port, "GET", "/v1/models/income").json() == {"name": "income", "ready": True}
    document = ask(forest.port, "GET", "/openapi.json").json()
    assert document["components"]["schemas"]["Input1"]["properties"]["name"] == {"const": "x"}


def test_a_detector_and_a_contract_judge_in_the_same_process(tmp_path: Path) -> None:
    lite = LiteProcess(tmp_path, FOREST)
    detector = {"uri": "file://", "path": str(BREAST_CANCER), "digest": digest_of(BREAST_CANCER)}
    names = load_breast_cancer().feature_names
    features = [{"name": str(name), "type": "Float", "minimum": "0"} for name in names]
    lite.write_settings(outliers=detector, dataContract={"features": features})
    lite.start()
    try:
        odd = np.full((1, 30), 1e6, np.float32)
        odd[0, 3] = -1
        reply = infer(lite, Sent("x", "FP32", np.vstack([ROWS[19:20], odd])))
    finally:
        lite.close()
    note = reply.json()["parameters"]
    assert (note["hune_outlier_rows"], note["hune_contract_breaches"]) == ("1", 1)
    assert outputs(reply)["label"]["shape"] == [2]


def test_a_large_batch_leaves_the_probes_answered(forest: LiteProcess) -> None:
    many = np.repeat(ROWS, 30, axis=0)
    found = outputs(
        infer(forest, Sent("x", "FP32", many, binary=True), outputs=[{"name": "label"}])
    )
    assert found["label"]["data"] == by_onnxruntime(FOREST, x=many)[0].tolist()
    assert [*found] == ["label"]


@pytest.mark.timeout(600)
def test_triton_s_client_works_as_it_does_with_triton(mixed: LiteProcess) -> None:
    found = json.loads(clients.run("mlserver", "lite.py", str(mixed.port)))
    ages, jobs = np.array([[20.0], [60.0]]), ["clerk", "pilot"]
    rows = np.empty((2, 2), dtype=object)
    rows[:, 0], rows[:, 1] = ages.ravel(), jobs
    labels = training.mixed().predict(rows).tolist()
    assert found["inputs"] == {"age": "FP32", "job": "BYTES"}
    assert found["json"] == found["binary"] == labels
    assert found["refused"].startswith("[400] input 'age': is missing; it takes 'age': FP32 of")
