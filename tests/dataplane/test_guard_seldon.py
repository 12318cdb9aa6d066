"""A component that seldon-core serves is asked by the V2 protocol, and answers as it computes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.contract.access import OPEN, AccessSettings
from tests.support import clients
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import ask
from tests.support.predictor import Predictor, response, sends
from tests.support.seldon import DIGITS, component

INFER = "/v2/models/income/infer"
LIBRARY = json.loads(DIGITS.with_suffix(".json").read_text())
# An environment is made at the first run.
pytestmark = pytest.mark.timeout(600)

# Answers with whatever it was asked, or fails as a component may.
ECHO = """
import time
import numpy as np
from seldon_core.flask_utils import SeldonMicroserviceException

class Echo:
    def predict(self, X, names, meta=None):
        if names[:1] == ["fail"]:
            raise RuntimeError("the disk is full")
        if names[:1] == ["refuse"]:
            raise SeldonMicroserviceException("too hot", status_code=429, reason="HOT")
        if names[:1] == ["text"]:
            return "hello"
        if names[:1] == ["table"]:
            self.names = ["word", "sure"]
            return [["a", 0.5]]
        self.names = names
        return np.asarray(X)

    def send_feedback(self, features, feature_names, reward, truth, routing=None):
        if reward < 0:
            raise SeldonMicroserviceException("no punishment", reason="REWARD")
        self.told = [np.asarray(features).tolist(), list(feature_names), reward, truth.tolist()]

    def tags(self):
        return {"told": self.told} if hasattr(self, "told") else {}

    def class_names(self):
        return list(self.names)
"""


def guarded(folder: Path, port: int) -> GuardProcess:
    guard = GuardProcess(folder, port, access=AccessSettings(OPEN))
    guard.write_settings(protocol="Seldon")
    return guard.start()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardProcess]:
    folder = tmp_path_factory.mktemp("digits")
    with component(DIGITS, "Digits", folder / "log") as port:
        guard = guarded(folder, port)
        yield guard
        guard.close()


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardProcess]:
    folder = tmp_path_factory.mktemp("echo")
    (folder / "Echo.py").write_text(ECHO)
    with component(folder, "Echo", folder / "log") as port:
        guard = guarded(folder, port)
        yield guard
        guard.close()


def request_of(name: str, datatype: str, data: list[Any], *shape: int, **more: Any) -> bytes:
    tensor = {"name": name, "datatype": datatype, "shape": list(shape), "data": data}
    return json.dumps({"inputs": [tensor], **more}).encode()


def infer(guard: GuardProcess, body: bytes) -> Any:
    reply = ask(guard.port, "POST", INFER, body)
    assert reply.status == 200, reply.body
    return reply.json()


def test_the_component_predicts_what_the_library_does(digits: GuardProcess) -> None:
    rows = np.array(LIBRARY["rows"])
    answer = infer(digits, request_of("x", "FP64", rows.ravel().tolist(), *rows.shape, id="7"))
    [output] = answer["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("predict", "FP64", [5, 10])
    np.testing.assert_allclose(
        np.reshape(output["data"], output["shape"]), LIBRARY["predictions"], atol=1e-12
    )
    assert output["parameters"]["names"] == "0,1,2,3,4,5,6,7,8,9"
    assert answer["id"] == "7"
    assert answer["parameters"]["network"] == "48x24x10"
    assert answer["parameters"]["hune_model_version"] == "income-7"


def test_a_wrong_picture_is_refused_in_the_component_s_words(digits: GuardProcess) -> None:
    reply = ask(digits.port, "POST", INFER, request_of("x", "FP64", [0.0] * 63, 1, 63))
    assert reply.status == 400
    assert reply.json()["error"] == (
        "the Seldon component refuses: WRONG_PICTURES: a row of 64 numbers for each picture is"
        " wanted, not float64 of shape [1, 63]"
    )


def test_triton_s_client_asks_it_in_json_and_in_binary(digits: GuardProcess) -> None:
    found = json.loads(
        clients.run(
            "mlserver",
            "predict.py",
            str(digits.port),
            "income",
            json.dumps(LIBRARY | {"forms": ["json", "binary"]}),
        )
    )
    assert (found["live"], found["ready"], found["model"]) == (True, True, True)
    assert found["metadata"]["versions"] == ["income-7"]
    for form in ("json", "binary"):
        np.testing.assert_allclose(found[form]["predict"], LIBRARY["predictions"], atol=1e-12)


def test_the_document_has_the_inputs_that_the_component_names(digits: GuardProcess) -> None:
    document = ask(digits.port, "GET", "/openapi.json").json()
    assert "/v2/models/income/infer" in document["paths"]
    titles = {schema.get("title") for schema in document["components"]["schemas"].values()}
    assert {"pixels", "predict"} <= titles


@pytest.mark.parametrize(
    ("datatype", "data", "back"),
    [
        ("FP64", [1.5, None], ("FP64", [1.5, None])),
        ("FP32", [1.5, 2], ("FP64", [1.5, 2.0])),
        ("INT8", [-1, 2], ("INT64", [-1, 2])),
        ("BOOL", [True, False], ("BOOL", [True, False])),
        ("BYTES", ["a", "é"], ("BYTES", ["a", "é"])),
    ],
)
def test_values_come_and_go_unchanged(
    echo: GuardProcess, datatype: str, data: list[Any], back: tuple[str, list[Any]]
) -> None:
    [output] = infer(echo, request_of("x", datatype, data, 1, 2))["outputs"]
    assert (output["datatype"], output["data"]) == back
    assert output["shape"] == [1, 2]


def columns(*names: str) -> bytes:
    inputs = [{"name": name, "datatype": "INT64", "shape": [1], "data": [1]} for name in names]
    return json.dumps({"inputs": inputs}).encode()


def test_columns_reach_the_component_with_their_names(echo: GuardProcess) -> None:
    [output] = infer(echo, columns("age", "wage"))["outputs"]
    assert (output["shape"], output["data"]) == ([1, 2], [1, 1])
    assert output["parameters"] == {"names": "age,wage"}


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("text", {"datatype": "BYTES", "data": ["hello"]}),
        ("table", {"datatype": "BYTES", "data": ["a"], "name": "word"}),
    ],
)
def test_other_answers_have_a_form_in_v2(
    echo: GuardProcess, name: str, output: dict[str, Any]
) -> None:
    first, *_ = infer(echo, columns(name, "more"))["outputs"]
    assert {key: first[key] for key in output} == output


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("fail", 500, "MICROSERVICE_INTERNAL_ERROR: the disk is full"),
        ("refuse", 429, "HOT: too hot"),
    ],
)
def test_a_failure_has_its_status_and_its_reason(
    echo: GuardProcess, name: str, status: int, said: str
) -> None:
    reply = ask(echo.port, "POST", INFER, columns(name, "more"))
    assert reply.status == status
    assert reply.json()["error"] == f"the Seldon component refuses: {said}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", INFER, b'{"inputs": []}', 400, "inputs"),
        ("POST", INFER, b"{", 400, "not a JSON object"),
        ("POST", "/v1/models/income:predict", b'{"instances": [[1]]}', 404, INFER),
        ("GET", "/v2/models/outcome", b"", 404, "there is no model 'outcome' here"),
    ],
)
def test_what_is_no_v2_request_never_reaches_the_component(
    echo: GuardProcess, method: str, path: str, body: bytes, status: int, said: str
) -> None:
    reply = ask(echo.port, method, path, body)
    assert reply.status == status
    assert said in reply.json()["error"]


def test_a_guard_s_checks_see_the_rows(digits: GuardProcess) -> None:
    features = [{"name": f"p{n}", "type": "Float", "maximum": "16"} for n in range(64)]
    digits.write_settings(
        protocol="Seldon", dataContract={"features": features, "onBreach": "Reject"}
    )
    bright = request_of("x", "FP64", [17.0] * 64, 1, 64)
    eventually(lambda: ask(digits.port, "POST", INFER, bright).status == 422, 20)
    digits.write_settings(protocol="Seldon")
    eventually(lambda: ask(digits.port, "POST", INFER, bright).status == 200, 20)


FEEDBACK = "/v2/models/income/feedback"
AGES = [{"name": name, "datatype": "INT64", "shape": [1], "data": [1]} for name in ("age", "wage")]
TRUTH = [{"name": "y", "datatype": "FP64", "shape": [1, 1], "data": [0.25]}]


def test_the_component_is_told_how_good_its_answer_was(echo: GuardProcess) -> None:
    told = json.dumps({"inputs": AGES, "reward": 0.5, "truth": TRUTH}).encode()
    reply = ask(echo.port, "POST", FEEDBACK, told)
    assert (reply.status, reply.json()) == (200, {"model_name": "income"})
    parameters = infer(echo, columns("age", "wage"))["parameters"]
    assert json.loads(parameters["told"]) == [[[1, 1]], ["age", "wage"], 0.5, [[0.25]]]
    # A reward alone is feedback too, and a missing value is one that is not known.
    body = json.loads(request_of("x", "FP64", [1.5, None], 1, 2)) | {"reward": 1}
    assert ask(echo.port, "POST", FEEDBACK, json.dumps(body).encode()).status == 200


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ({"inputs": AGES}, 400, "reward, truth: both are missing"),
        ({"inputs": AGES, "truth": [3]}, 400, "truth[0]"),
        ({"inputs": AGES, "reward": -1}, 400, "component refuses: REWARD: no punishment"),
    ],
)
def test_feedback_that_says_nothing_is_refused(
    echo: GuardProcess, told: dict[str, Any], status: int, said: str
) -> None:
    reply = ask(echo.port, "POST", FEEDBACK, json.dumps(told).encode())
    assert reply.status == status
    assert said in reply.json()["error"]


def test_the_examples_component_takes_feedback_as_the_document_says(digits: GuardProcess) -> None:
    rows = np.array(LIBRARY["rows"])[:1]
    body = json.loads(request_of("x", "FP64", rows.ravel().tolist(), *rows.shape)) | {"reward": 1.0}
    assert ask(digits.port, "POST", FEEDBACK, json.dumps(body).encode()).status == 200
    assert FEEDBACK in ask(digits.port, "GET", "/openapi.json").json()["paths"]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (response(b"{}"), 502, "the Seldon component: the answer has no data"),
        (response(b"<h1>", "503 No"), 503, "it answers 503 without a reason in JSON"),
        (response(b"", "302 Found"), 502, "it answers 302"),
    ],
)
def test_what_only_calls_itself_a_component_is_told(
    module_predictor: Predictor, tmp_path: Path, answer: bytes, status: int, said: str
) -> None:
    module_predictor.reset()
    module_predictor.behaviour = sends(answer)
    guard = guarded(tmp_path, module_predictor.port)
    try:
        reply = ask(guard.port, "POST", INFER, columns("age"))
        assert reply.status == status
        assert said in reply.json()["error"]
        # Its probes are answered as a V2 server would: the path of a component's health is none.
        assert "404 at /health/status" in ask(guard.port, "GET", "/hune/ready").json()["error"]
    finally:
        guard.close()
