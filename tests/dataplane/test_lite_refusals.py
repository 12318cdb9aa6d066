"""What the Lite process refuses, and what it says: wrong inputs, hostile bodies, no model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import BODIES, Body
from tests.support.http import Client, ask
from tests.support.lite import LiteProcess
from tests.support.onnx_models import FOREST, LINE, ZIPMAP

PATHS = {"V1": "/v1/models/income:predict", "V2": "/v2/models/income/infer"}
MIXED_INPUTS = "'age': FP32 of shape [-1, 1], 'job': BYTES of shape [-1, 1]"


def tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


AGE = tensor("age", "FP32", [1, 1], [39])
JOB = tensor("job", "BYTES", [1, 1], ["clerk"])


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        pytest.param(
            [AGE], f"input 'job': is missing; it takes {MIXED_INPUTS}", id="one is missing"
        ),
        pytest.param(
            [AGE, JOB, tensor("pay", "FP32", [1], [1])],
            f"input 'pay': the model has no such input; it takes {MIXED_INPUTS}",
            id="one too many",
        ),
        pytest.param(
            [tensor("age", "BYTES", [1, 1], ["39"]), JOB],
            "input 'age': datatype BYTES is sent, the model takes FP32 of shape [-1, 1]",
            id="a text for a number",
        ),
        pytest.param(
            [AGE, tensor("job", "INT64", [1, 1], [1])],
            "input 'job': datatype INT64 is sent, the model takes BYTES of shape [-1, 1]",
            id="a number for a text",
        ),
        pytest.param(
            [tensor("age", "BOOL", [1, 1], [True]), JOB],
            "input 'age': datatype BOOL is sent, the model takes FP32 of shape [-1, 1]",
            id="a truth value for a number",
        ),
        pytest.param(
            [tensor("age", "FP32", [1, 2], [39, 1]), JOB],
            "input 'age': shape [1, 2] is sent, the model takes FP32 of shape [-1, 1]",
            id="another width",
        ),
        pytest.param(
            [tensor("age", "FP64", [1, 1], [1e300]), JOB],
            "input 'age': 1e+300 at [0, 0] does not fit, the model takes FP32 of shape [-1, 1]",
            id="a number that the model's floats do not hold",
        ),
        pytest.param(
            [tensor("age", "FP32", [2, 1], [39, 40]), JOB],
            "the inputs differ in their rows: ",
            id="different numbers of rows",
        ),
    ],
)
def test_a_wrong_input_is_named(mixed: LiteProcess, inputs: list[Any], said: str) -> None:
    reply = ask(mixed.port, "POST", PATHS["V2"], json.dumps({"inputs": inputs}).encode())
    assert reply.status == 400
    assert said in reply.json()["error"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"outputs": [{"name": "price"}]}, "outputs: there is no output 'price'; the model has"),
        ({"outputs": [{}]}, "outputs[0]: object missing required field name"),
        ({"outputs": "label"}, "outputs: expected array | null, got str"),
        ({"id": 7}, "id: expected str | null, got int"),
        (
            {"parameters": {"binary_data_output": "yes"}},
            "parameters.binary_data_output: expected bool | null, got str",
        ),
    ],
)
def test_a_wrong_wish_is_named(mixed: LiteProcess, members: dict[str, Any], said: str) -> None:
    body = json.dumps({"inputs": [AGE, JOB], **members}).encode()
    reply = ask(mixed.port, "POST", PATHS["V2"], body)
    assert (reply.status, said in reply.json()["error"]) == (400, True), reply


def test_v1_rows_of_another_width_are_named(forest: LiteProcess) -> None:
    reply = ask(forest.port, "POST", PATHS["V1"], b'{"instances": [[1, 2, 3]]}')
    assert reply.status == 400
    assert reply.json()["error"] == (
        "input 'x': shape [1, 3] is sent, the model takes FP32 of shape [-1, 30]"
    )


@pytest.mark.parametrize("model", ["forest", "mixed"])
def test_every_hostile_body_is_refused_and_none_fails(
    model: str, request: pytest.FixtureRequest
) -> None:
    lite: LiteProcess = request.getfixturevalue(model)
    with Client(lite.port) as client:
        for body in BODIES:
            reply = client.request("POST", PATHS[body.protocol], body.sent, _headers(body))
            assert (reply.status, list(reply.json())) == (400, ["error"]), body.reason
            assert body.said in reply.json()["error"], body.reason
    assert ask(lite.port, "GET", "/hune/ready").status == 200


def _headers(body: Body) -> dict[str, str]:
    length = {"content-length": str(len(body.sent))}
    if body.json_length is None:
        return length
    return length | {"inference-header-content-length": str(body.json_length)}


def _nothing(_: Path) -> None:
    pass


def _other_files(place: Path) -> None:
    (place / "model.joblib").write_bytes(b"")


def _two(place: Path) -> None:
    shutil.copy(LINE, place / "a.onnx")
    shutil.copy(FOREST, place / "b.onnx")


def _half(place: Path) -> None:
    (place / "model.onnx").write_bytes(FOREST.read_bytes()[:5000])


def _no_model(place: Path) -> None:
    (place / "model.onnx").write_bytes(b"not a model")


def _with_zipmap(place: Path) -> None:
    shutil.copy(ZIPMAP, place / "model.onnx")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "nothing is there; put the model there as model.onnx"),
        (_nothing, "there is no .onnx file; make one with `hune convert`"),
        (_other_files, "there is no .onnx file"),
        (_two, "there are a.onnx, b.onnx; call the one to serve model.onnx"),
        (_half, "cannot load it"),
        (_no_model, "cannot load it"),
        (_with_zipmap, "convert it again without ZipMap, as `hune convert` does"),
    ],
)
def test_without_a_model_it_is_not_ready_and_says_why(
    tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    place = tmp_path / "model"
    place.mkdir()
    damage(place)
    lite = LiteProcess(tmp_path, place).start()
    try:
        body = json.dumps({"inputs": [AGE]}).encode()
        ready = ask(lite.port, "GET", "/hune/ready")
        answers = [
            ask(lite.port, "POST", PATHS["V2"], body),
            ask(lite.port, "GET", "/v2/health/ready"),
            ask(lite.port, "GET", "/v2/models/income"),
        ]
        assert ask(lite.port, "GET", "/v2/health/live").status == 200
        assert ask(lite.port, "GET", "/openapi.json").status == 200
    finally:
        lite.close()
    assert (ready.status, said in ready.json()["error"]) == (503, True), ready
    assert [answer.status for answer in answers] == [503] * 3
    assert all(said in answer.json()["error"] for answer in answers)
    assert any(said in line for line in lite.log)
    assert not any("Traceback" in line for line in lite.log)


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    status, said = LiteProcess(tmp_path, FOREST, HUNE_MODEL_THREADS="many").run_to_end()
    assert status == 2
    assert said == "lite: HUNE_MODEL_THREADS is 'many'; set it to a number that is not negative\n"


def test_it_ends_cleanly(tmp_path: Path) -> None:
    lite = LiteProcess(tmp_path, FOREST).start()
    lite.terminate()
    assert lite.wait() == 0
