"""Clients that are not ours get through the guard what they ask for, in their own words."""

import json
from pathlib import Path

import pytest

from tests.support import clients
from tests.support.echo import echo
from tests.support.guard import GuardProcess
from tests.support.predictor import Predictor

DATATYPES = {
    *("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"),
    *("FP16", "FP32", "FP64", "BYTES"),
}
MATRIX = [[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]]
# An environment is made at the first run.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def echoing(predictor: Predictor) -> None:
    predictor.behaviour = predictor.probed = echo


def test_triton_s_client_finds_server_model_and_version(guard: GuardProcess) -> None:
    found = json.loads(clients.run("mlserver", "triton.py", str(guard.port)))
    assert [found[key] for key in ("live", "ready", "model", "version")] == [True] * 4
    assert found["other_version"] is False
    assert found["server"]["extensions"] == ["binary_tensor_data"]
    assert found["metadata"]["versions"] == ["income-7"]
    assert found["metadata"]["name"] == "income"
    assert found["binary"] == dict.fromkeys([*DATATYPES, "BF16"], True)
    assert found["json"] == dict.fromkeys(DATATYPES, True)
    assert found["many"] == ["a", "b", "c", "7", "True"]
    assert found["note"]["hune_model_version"] == "income-7"
    assert found["refused"] == [
        "[404] 'income' has no version 'income-6' here; 'income-7' is served",
        "[404] there is no model 'outcome' here; 'income' is served",
    ]


def test_mlserver_s_types_codecs_and_batch_client_work(guard: GuardProcess, tmp_path: Path) -> None:
    found = json.loads(clients.run("mlserver", "own.py", str(guard.port), str(tmp_path)))
    assert found["error"].startswith("the request body is not a JSON object")
    doubled = [[value * k for row in MATRIX for value in row] for k in (1, 2)]
    assert found == {
        "server": ["binary_tensor_data"],
        "versions": ["income-7"],
        "matrix": MATRIX,
        "frame": {"age": [39, 50], "wage": [10.5, 0.25], "job": ["clerk", "nurse"]},
        "note": "income-7",
        "error": found["error"],
        "batch": {"json": doubled, "binary": doubled},
    }


def test_kserve_s_client_works_in_both_protocols(guard: GuardProcess) -> None:
    found = json.loads(clients.run("kserve", "own.py", str(guard.port)))
    answer = {"id": "7", "x": [[0.5, 1.5, -2.5]], "version": "income-7"}
    assert found.pop("refused").startswith("there is no model 'outcome' here; 'income' is served,")
    assert found == {
        "live": True,
        "ready": True,
        "model": True,
        "other_model": False,
        "model_v1": True,
        "v1": [[1, 2.5], [3, 4]],
        "version": "income-7",
        "json": answer,
        "binary": {"FP16": answer, "FP32": answer},
    }
