"""The real explainer behind the real guard: what is explained, and what is said when it cannot."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.dataplane.guard.memory import LARGEST_AT_ONCE
from tests.dataplane.conftest import StartGuard
from tests.support.eventually import eventually
from tests.support.explainer import ExplainerProcess
from tests.support.explainers import shapley, small_trees, write_trees
from tests.support.guard import GuardProcess
from tests.support.http import Reply, ask
from tests.support.predictor import Predictor, response, sends

V1, V2 = "/v1/models/income:explain", "/v2/models/income/explain"
INFER = "/v2/models/income/infer"
ROW = [0.0, 0.0]

StartExplainer = Callable[..., ExplainerProcess]


def v2(*rows: list[float], **changes: Any) -> bytes:
    data = [value for row in rows for value in row]
    tensor = {"name": "x", "shape": [len(rows), 2], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor | changes]}).encode()


def tensors(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply.body
    found = {output["name"]: output for output in reply.json()["outputs"]}
    return {name: np.reshape(output["data"], output["shape"]) for name, output in found.items()}


@pytest.fixture
def start_explainer(predictor: Predictor) -> Iterator[StartExplainer]:
    started: list[ExplainerProcess] = []

    def start(artefact: Path, **environment: str) -> ExplainerProcess:
        started.append(ExplainerProcess(artefact, predictor.port, **environment))
        return started[-1]

    yield start
    for explainer in started:
        explainer.close()


@pytest.fixture
def explainer(start_explainer: StartExplainer, tmp_path: Path) -> ExplainerProcess:
    explainer = start_explainer(write_trees(tmp_path / "explainer"))
    explainer.wait_for_line("explaining with TreeShap")
    return explainer


@pytest.fixture
def guard(start_guard: StartGuard, explainer: ExplainerProcess) -> GuardProcess:
    guard = start_guard()
    tell(guard, explainer.port)
    return guard


def tell(guard: GuardProcess, port: int, **changes: Any) -> None:
    """Name the explainer and wait until that is in force."""
    seen = len(guard.log)
    guard.write_settings(explainer={"port": port} | changes)
    guard.wait_for_line_after("is in force", seen)


def metric(port: int, line: str) -> float:
    text = ask(port, "GET", "/metrics").body.decode()
    (value,) = (row.rpartition(" ")[2] for row in text.splitlines() if row.startswith(line))
    return float(value)


def test_an_explanation_is_exact_and_adds_up_to_the_prediction(
    guard: GuardProcess, explainer: ExplainerProcess
) -> None:
    reply = ask(guard.port, "POST", V2, v2(ROW, [2.0, 9.0]))
    found = tensors(reply)
    for position, row in enumerate((ROW, [2.0, 9.0])):
        wanted = shapley(small_trees(), np.array(row))
        np.testing.assert_allclose(found["shap_values"][position, 0], wanted, atol=1e-12)
    summed = found["shap_values"].sum(axis=2) + found["base_values"]
    np.testing.assert_allclose(summed, found["predictions"], atol=1e-12)
    assert found["predictions"].tolist() == [[3.5], [5.5]]
    assert found["features"].tolist() == ["a", "b"]
    assert reply.json()["parameters"]["method"] == "TreeShap"
    assert metric(explainer.port, "hune_explainer_rows_total") == 2
    assert metric(guard.port, 'hune_guard_requests_total{code="200",endpoint="explain"}') == 1


def test_it_says_of_which_version_it_speaks(guard: GuardProcess, predictor: Predictor) -> None:
    reply = ask(guard.port, "POST", V2, v2(ROW))
    note = reply.json()["parameters"]
    assert note["hune_model_version"] == reply.headers["x-hune-model-version"] == "income-7"
    assert note["hune_prediction_id"] == reply.headers["x-hune-prediction-id"]
    assert predictor.seen == []


def test_v1_and_v2_say_the_same(guard: GuardProcess) -> None:
    found = tensors(ask(guard.port, "POST", V2, v2(ROW)))
    reply = ask(guard.port, "POST", V1, json.dumps({"instances": [ROW]}).encode()).json()
    (told,) = reply["explanations"]
    assert told == {
        "prediction": found["predictions"][0].tolist(),
        "values": found["shap_values"][0].tolist(),
    }
    assert reply["base_values"] == found["base_values"].tolist()
    assert (reply["features"], reply["outputs"], reply["scale"]) == (["a", "b"], ["value"], "Value")
    assert reply["hune"]["model_version"] == "income-7"


def test_columns_are_read_by_name_whatever_their_order(guard: GuardProcess) -> None:
    columns = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
        for name, value in (("other", 7.0), ("b", 9.0), ("a", 2.0))
    ]
    found = tensors(ask(guard.port, "POST", V2, json.dumps({"inputs": columns}).encode()))
    assert found["predictions"].tolist() == [[5.5]]
    records = json.dumps({"instances": [{"b": 9.0, "a": 2.0}]}).encode()
    told = ask(guard.port, "POST", V1, records).json()
    assert told["explanations"][0]["prediction"] == [5.5]


def test_a_missing_value_goes_the_models_way(guard: GuardProcess) -> None:
    body = json.dumps({"instances": [[None, 0.0]]}).encode()
    told = ask(guard.port, "POST", V1, body).json()
    assert told["explanations"][0]["prediction"] == [3.5]


def test_binary_tensors_are_explained_too(guard: GuardProcess) -> None:
    values = np.array([ROW]).tobytes()
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64"}
    parameters = {"parameters": {"binary_data_size": len(values)}}
    head = json.dumps({"inputs": [tensor | parameters]}).encode()
    length = {"inference-header-content-length": str(len(head))}
    assert tensors(ask(guard.port, "POST", V2, head + values, length))["predictions"] == [[3.5]]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (V2, b"", "it is empty"),
        (V2, b"{", "not a JSON object"),
        (V2, b"{}", "inputs"),
        (V2, v2(ROW, datatype="FP99"), "inputs[0].datatype: FP99 is unknown"),
        (V2, v2(ROW, shape=[1, 3]), "inputs[0].shape"),
        (V2, v2(ROW, shape=[2, 1]), "2 columns are wanted; the request has 1"),
        (V2, v2(), "the request has 0 rows; 1 to 1000"),
        (V2, v2(*[ROW] * 1001), "the request has 1001 rows; 1 to 1000"),
        (V2, v2(["a", "b"], datatype="BYTES"), "should hold numbers"),  # type: ignore[list-item]
        (V1, b'{"instances": [[1, 2, 3]]}', "2 columns are wanted; the request has 3"),
        (V1, b'{"instances": [{"a": 1}]}', "column 'b' is missing"),
        (V1, b'{"instances": [[1, {"a": 2}]]}', "instances"),
    ],
)
def test_a_request_that_cannot_be_explained_says_why(
    guard: GuardProcess, path: str, body: bytes, said: str
) -> None:
    reply = ask(guard.port, "POST", path, body)
    assert reply.status == 400
    assert said in reply.json()["error"]


def test_another_model_and_another_method_are_told_apart(guard: GuardProcess) -> None:
    assert ask(guard.port, "POST", "/v2/models/other/explain", v2(ROW)).status == 404
    refused = ask(guard.port, "GET", V2)
    assert (refused.status, refused.headers["allow"]) == (405, "POST")
    named = ask(guard.port, "POST", "/v2/models/income/versions/income-7/explain", v2(ROW))
    assert named.status == 200


def test_a_model_without_an_explainer_says_so(start_guard: StartGuard) -> None:
    reply = ask(start_guard().port, "POST", V2, v2(ROW))
    assert reply.status == 404
    assert "has no explainer; name one at spec.explainer" in reply.json()["error"]


def test_an_explainer_that_is_gone_keeps_no_prediction_from_being_made(
    guard: GuardProcess, explainer: ExplainerProcess
) -> None:
    explainer.close()
    reply = ask(guard.port, "POST", V2, v2(ROW))
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "the explainer on port" in reply.json()["error"]
    failures = 'hune_guard_explainer_failures_total{reason="Unreachable"}'
    assert metric(guard.port, failures) == 1
    assert ask(guard.port, "POST", INFER, v2(ROW)).status == 200
    assert ask(guard.port, "GET", "/hune/ready").status == 200
    (fault,) = ask(guard.port, "GET", "/hune/state").json()["faults"]
    assert (fault["detector"], fault["reason"]) == ("explainer", "ExplainerUnreachable")


def test_an_explainer_of_its_own_is_asked_at_its_address(
    start_guard: StartGuard, start_explainer: StartExplainer, tmp_path: Path
) -> None:
    """Behind a Service the guard asks by name; a pod that is replaced is found again."""
    artefact, elsewhere = write_trees(tmp_path / "e"), {"HUNE_HOST": "127.0.0.2"}
    first = start_explainer(artefact, **elsewhere)
    first.wait_for_line("explaining with TreeShap")
    guard = start_guard()
    tell(guard, first.port)
    # At the guard's own address nobody listens.
    assert ask(guard.port, "POST", V2, v2(ROW)).status == 503
    (fault,) = ask(guard.port, "GET", "/hune/state").json()["faults"]
    assert fault["reason"] == "ExplainerUnreachable"
    tell(guard, first.port, host="127.0.0.2")
    assert tensors(ask(guard.port, "POST", V2, v2(ROW)))["predictions"].tolist() == [[3.5]]
    assert ask(guard.port, "GET", "/hune/state").json().get("faults", []) == []
    assert first.terminate() == 0
    second = start_explainer(artefact, HUNE_PORT=str(first.port), **elsewhere)
    second.wait_for_line("explaining with TreeShap")
    assert tensors(ask(guard.port, "POST", V2, v2(ROW)))["predictions"].tolist() == [[3.5]]


def test_another_digest_is_not_loaded_and_told(
    start_guard: StartGuard, start_explainer: StartExplainer, tmp_path: Path
) -> None:
    artefact = write_trees(tmp_path / "e")
    explainer = start_explainer(artefact, HUNE_EXPLAINER_DIGEST="sha256:" + "0" * 64)
    explainer.wait_for_line("DigestMismatch")
    guard = start_guard()
    tell(guard, explainer.port)
    reply = ask(guard.port, "POST", V2, v2(ROW))
    assert reply.status == 503
    assert "nothing can be explained: DigestMismatch" in reply.json()["error"]
    (fault,) = ask(guard.port, "GET", "/hune/state").json()["faults"]
    assert (fault["detector"], fault["reason"]) == ("explainer", "DigestMismatch")
    assert metric(guard.port, 'hune_guard_explainer_failures_total{reason="Unable"}') == 1
    assert metric(explainer.port, "hune_explainer_ready") == 0
    assert ask(explainer.port, "GET", "/hune/live").status == 200
    assert ask(explainer.port, "GET", "/hune/ready").status == 503


def test_an_explainer_that_hangs_is_given_up_in_time(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    """What hangs here is the predictor's port, which is told to be the explainer's."""
    predictor.behaviour = predictor.holds()
    guard = start_guard()
    tell(guard, predictor.port, timeLimitSeconds=1)
    reply = ask(guard.port, "POST", V2, v2(ROW))
    assert reply.status == 504
    assert "the explainer on port" in reply.json()["error"]
    assert metric(guard.port, 'hune_guard_explainer_failures_total{reason="TimeLimit"}') == 1
    (seen,) = predictor.seen
    assert seen.headers["x-hune-time-limit"] == "1"


def test_a_busy_explainer_is_counted_apart(start_guard: StartGuard, predictor: Predictor) -> None:
    """What answers as an explainer with too much to do is the predictor."""
    busy = response(b'{"error":"ask again"}', "503 Service Unavailable", "retry-after: 1\r\n")
    predictor.behaviour = sends(busy)
    guard = start_guard()
    tell(guard, predictor.port)
    refused = ask(guard.port, "POST", V2, v2(ROW))
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert metric(guard.port, 'hune_guard_explainer_failures_total{reason="Busy"}') == 1
    assert metric(guard.port, 'hune_guard_explainer_failures_total{reason="Unable"}') == 0


def test_an_answer_without_room_is_counted(start_guard: StartGuard, predictor: Predictor) -> None:
    """What answers at such length is the predictor, which is told to be the explainer."""
    guard = start_guard(HUNE_MAXIMUM_BODY_BYTES="100000")
    tell(guard, predictor.port)
    predictor.behaviour = predictor.holds_the_end(response(b'{"a":"' + b"a" * 99_000 + b'"}'))
    with ThreadPoolExecutor(LARGEST_AT_ONCE + 1) as clients:
        replies = [
            clients.submit(ask, guard.port, "POST", V2, v2(ROW)) for _ in range(LARGEST_AT_ONCE + 1)
        ]
        eventually(lambda: [reply for reply in replies if reply.done()])
        predictor.released.set()
    (refused,) = (r.result() for r in replies if r.result().status != 200)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert "no room just now" in refused.json()["error"]
    assert metric(guard.port, 'hune_guard_explainer_failures_total{reason="NoRoom"}') == 1


def test_a_caller_cannot_set_the_time_limit(start_guard: StartGuard, predictor: Predictor) -> None:
    guard = start_guard()
    tell(guard, predictor.port, timeLimitSeconds=7)
    ask(guard.port, "POST", V2, v2(ROW), {"x-hune-time-limit": "9999"})
    (seen,) = predictor.seen
    assert seen.headers["x-hune-time-limit"] == "7"


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_limit_that_is_none_is_refused(explainer: ExplainerProcess, limit: str) -> None:
    reply = ask(explainer.port, "POST", V2, v2(ROW), {"x-hune-time-limit": limit})
    assert reply.status == 400
    assert "X-Hune-Time-Limit" in reply.json()["error"]


def test_the_explainer_serves_nothing_else(explainer: ExplainerProcess) -> None:
    assert ask(explainer.port, "POST", INFER, v2(ROW)).status == 404
    assert ask(explainer.port, "GET", "/etc/passwd").status == 404
    assert ask(explainer.port, "GET", "/hune/ready").json() == {"ready": True}


def test_it_ends_as_it_is_told(explainer: ExplainerProcess) -> None:
    assert explainer.terminate() == 0
