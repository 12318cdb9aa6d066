"""Models that can only be asked, explained by the real alibi of the image's lock."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.environments import explainer_environment
from tests.support.explainer import ExplainerProcess
from tests.support.explainers import write_background, write_trees
from tests.support.http import Reply, ask
from tests.support.predictor import Behaviour, Predictor, Seen, response, sends

V2 = "/v2/models/income/explain"
Rows = npt.NDArray[np.float64]
Start = Callable[..., ExplainerProcess]
WEIGHTS = np.array([3.0, -2.0, 0.5, 0.0])
BACKGROUND = np.random.default_rng(1).normal(size=(200, 4))


def served(model: Callable[[Rows], Rows]) -> Behaviour:
    """Return a V2 server of a model."""

    def behave(seen: Seen, connection: socket) -> bool:
        (given,) = json.loads(seen.body)["inputs"]
        found = model(np.reshape(np.array(given["data"], dtype=np.float64), given["shape"]))
        output = {"name": "y", "datatype": "FP64", "shape": list(found.shape)}
        answer = {"outputs": [output | {"data": found.ravel().tolist()}]}
        connection.sendall(response(json.dumps(answer).encode()))
        return True

    return behave


def linear(rows: Rows) -> Rows:
    return np.asarray(rows @ WEIGHTS + 1.0)


def positive(rows: Rows) -> Rows:
    """Two classes, of which the first column decides."""
    likely = 1 / (1 + np.exp(-20 * rows[:, 0]))
    return np.column_stack([1 - likely, likely])


def request(rows: Any) -> bytes:
    values = np.asarray(rows)
    tensor = {"name": "x", "shape": list(values.shape), "datatype": "FP64"}
    return json.dumps({"inputs": [tensor | {"data": values.ravel().tolist()}]}).encode()


def tensors(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply.body
    return {output["name"]: output for output in reply.json()["outputs"]}


def array(output: dict[str, Any]) -> Rows:
    return np.reshape(np.array(output["data"], dtype=np.float64), output["shape"])


@pytest.fixture
def start(predictor: Predictor) -> Iterator[Start]:
    python = explainer_environment()
    started: list[ExplainerProcess] = []

    def begin(artefact: Path, **environment: str) -> ExplainerProcess:
        made = ExplainerProcess(artefact, predictor.port, python=python, **environment)
        started.append(made)
        made.wait_for_line("explaining with", 120)
        return made

    yield begin
    predictor.released.set()
    for explainer in started:
        explainer.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    return write_background(tmp_path / "e", "KernelShap", BACKGROUND[:20])


def test_kernel_shap_of_a_linear_model_is_its_weights(
    start: Start, predictor: Predictor, kernel: Path
) -> None:
    predictor.behaviour = served(linear)
    explainer = start(kernel)
    row = np.array([[1.0, 2.0, -1.0, 5.0]])
    found = tensors(ask(explainer.port, "POST", V2, request(row)))
    values, base = array(found["shap_values"]), array(found["base_values"])
    wanted = WEIGHTS * (row[0] - BACKGROUND[:20].mean(axis=0))
    np.testing.assert_allclose(values[0, 0], wanted, atol=1e-8)
    summed = values.sum(axis=2) + base
    np.testing.assert_allclose(summed, array(found["predictions"]), atol=1e-8)
    assert array(found["predictions"]).tolist() == [linear(row).tolist()]
    assert 0 < len(predictor.seen) <= 10
    text = ask(explainer.port, "GET", "/metrics").body.decode()
    assert f"hune_explainer_predictor_requests_total {float(len(predictor.seen))}" in text


def test_a_guard_has_a_model_explained_that_is_asked_past_it_without_a_token(
    start: Start, start_guard: StartGuard, predictor: Predictor, kernel: Path
) -> None:
    """Three addresses, as where an explainer has a pod of its own: guard, explainer, predictor."""
    predictor.behaviour = served(linear)
    explainer = start(kernel, HUNE_HOST="127.0.0.2", HUNE_PREDICTOR_HOST="localhost")
    guard = start_guard()
    seen = len(guard.log)
    guard.write_settings(explainer={"host": "127.0.0.2", "port": explainer.port})
    guard.wait_for_line_after("is in force", seen)
    row = np.array([[1.0, 2.0, -1.0, 5.0]])
    token = {"authorization": "Bearer of-the-caller"}
    found = tensors(ask(guard.port, "POST", V2, request(row), token))
    wanted = WEIGHTS * (row[0] - BACKGROUND[:20].mean(axis=0))
    np.testing.assert_allclose(array(found["shap_values"])[0, 0], wanted, atol=1e-8)
    asked = [one for one in predictor.seen if one.method == "POST"]
    assert asked
    assert all("authorization" not in one.headers for one in asked)
    assert {one.headers["host"] for one in asked} == {f"localhost:{predictor.port}"}


def test_the_same_row_has_the_same_values(start: Start, predictor: Predictor, kernel: Path) -> None:
    predictor.behaviour = served(lambda rows: np.sin(rows).prod(axis=1))
    explainer = start(kernel)
    answers = {ask(explainer.port, "POST", V2, request([[1, 2, 3, 4]])).body for _ in range(2)}
    assert len(answers) == 1


def test_each_class_has_its_values(start: Start, predictor: Predictor, kernel: Path) -> None:
    predictor.behaviour = served(positive)
    found = tensors(ask(start(kernel).port, "POST", V2, request([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])))
    values = array(found["shap_values"])
    assert values.shape == (2, 2, 4)
    np.testing.assert_allclose(values[:, 0], -values[:, 1], atol=1e-8)
    assert values[0, 1, 0] > 0 > values[1, 1, 0]


def test_an_anchor_names_the_column_that_decides(
    start: Start, predictor: Predictor, tmp_path: Path
) -> None:
    predictor.behaviour = served(positive)
    names = ("age", "b", "c", "d")
    explainer = start(write_background(tmp_path / "e", "AnchorTabular", BACKGROUND, features=names))
    found = tensors(ask(explainer.port, "POST", V2, request([[2.0, 0.1, 0.2, 0.3]])))
    assert found["anchor"]["data"][0].startswith("age > ")
    assert found["precision"]["data"][0] >= 0.95
    assert 0 < found["coverage"]["data"][0] < 1
    assert found["predictions"]["data"] == [1.0]
    v1 = json.dumps({"instances": [[2.0, 0.1, 0.2, 0.3]]}).encode()
    (told,) = ask(explainer.port, "POST", "/v1/models/income:explain", v1).json()["explanations"]
    assert told["anchor"][0].startswith("age > ")


def test_the_anchor_of_an_image_is_where_the_model_looks(
    start: Start, predictor: Predictor, tmp_path: Path
) -> None:
    """It looks for a pattern in one corner; alibi blots a segment out by its mean."""

    def patterned(images: Rows) -> Rows:
        found = images[:, :12, :12, 0].std(axis=(1, 2)) > 0.2
        return np.column_stack([~found, found]).astype(np.float64)

    predictor.behaviour = served(patterned)
    image = np.random.default_rng(2).random((24, 24, 1))
    directory = tmp_path / "e"
    shape = {"shape": image.shape, "feature_count": image.size, "features": (), "outputs": ()}
    write_trees(directory, {}, method="AnchorImage", scale="Label", **shape)
    found = tensors(ask(start(directory).port, "POST", V2, request([image])))
    mask = array(found["mask"])[0]
    assert mask.shape == (24, 24)
    elsewhere = (mask.sum() - mask[:12, :12].sum()) / (24 * 24 - 12 * 12)
    assert mask[:12, :12].mean() > 2 * elsewhere
    assert found["precision"]["data"][0] >= 0.9
    assert found["predictions"]["data"] == [1.0]


def test_what_takes_too_long_is_left_and_the_next_is_explained(
    start: Start, predictor: Predictor, kernel: Path
) -> None:
    predictor.behaviour = predictor.holds(served(linear))
    explainer = start(kernel)
    late = ask(explainer.port, "POST", V2, request([[1, 2, 3, 4]]), {"x-hune-time-limit": "1"})
    assert late.status == 504
    assert late.json()["error"] == "the explanation took longer than 1 s"
    predictor.released.set()
    assert ask(explainer.port, "POST", V2, request([[1, 2, 3, 4]])).status == 200


def test_more_than_it_can_make_is_refused_at_once(
    start: Start, predictor: Predictor, kernel: Path
) -> None:
    predictor.behaviour = predictor.holds(served(linear))
    explainer = start(kernel, HUNE_EXPLAINER_WORKERS="1", HUNE_EXPLAINER_WAITING="1")
    statuses: list[int] = []
    refused = threading.Event()

    def explain() -> None:
        reply = ask(explainer.port, "POST", V2, request([[1, 2, 3, 4]]))
        statuses.append(reply.status)
        if reply.status == 503:
            assert reply.headers["retry-after"] == "1"
            refused.set()

    threads = [threading.Thread(target=explain) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert refused.wait(20)
    predictor.released.set()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200, 200, 503]


@pytest.mark.parametrize(
    ("behaviour", "status", "said"),
    [
        (sends(response(b'{"error": "x"}', "400 Bad Request")), 400, "cannot be explained: the p"),
        (sends(response(b"", "503 Service Unavailable")), 502, "the predictor answers 503"),
        (sends(response(b"{}")), 502, "holds no numbers per row"),
    ],
    ids=["it refuses the rows", "it is down", "it says nothing"],
)
def test_what_the_predictor_does_wrong_is_told(
    start: Start, predictor: Predictor, kernel: Path, behaviour: Behaviour, status: int, said: str
) -> None:
    predictor.behaviour = behaviour
    explainer = start(kernel)
    reply = ask(explainer.port, "POST", V2, request([[1, 2, 3, 4]]))
    assert reply.status == status
    assert said in reply.json()["error"]
    assert ask(explainer.port, "GET", "/hune/ready").status == 200


def test_rows_that_no_black_box_takes_are_refused(
    start: Start, predictor: Predictor, kernel: Path
) -> None:
    explainer = start(kernel)
    null = json.dumps({"instances": [[1, 2, 3, None]]}).encode()
    reply = ask(explainer.port, "POST", "/v1/models/income:explain", null)
    assert (reply.status, "without null" in reply.json()["error"]) == (400, True)
    many = ask(explainer.port, "POST", V2, request(np.zeros((17, 4))))
    assert (many.status, "1 to 16 are explained" in many.json()["error"]) == (400, True)
    assert predictor.seen == []
