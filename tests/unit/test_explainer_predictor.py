"""How an explainer asks the predictor: in the client's own form, in few requests, in time."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest

from hune.dataplane.explainer import predictor as module
from hune.dataplane.explainer.predictor import (
    Address,
    Predictor,
    PredictorError,
    TimeLimitError,
)
from hune.dataplane.explainer.request import Form, read_tensors
from hune.dataplane.guard.answers import Problem
from tests.support.predictor import Predictor as Server
from tests.support.predictor import Seen, response, sends


def v2(**tensor: Any) -> bytes:
    given = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]} | tensor
    return json.dumps({"inputs": [given]}).encode()


def v1(rows: Any) -> bytes:
    return json.dumps({"instances": rows}).encode()


def form(spoken: str, protocol: str, body: bytes, *names: str) -> Form:
    tensors = read_tensors(protocol, body, None)
    return Form(spoken, tensors, names, typed=protocol == "V2")


ROWS = np.array([[1.5, 2.0], [3.0, -4.0]])
NAMED = json.dumps(
    {
        "inputs": [
            {"name": "b", "shape": [1, 1], "datatype": "INT64", "data": [7]},
            {"name": "a", "shape": [1, 1], "datatype": "FP64", "data": [8.5]},
            {"name": "c", "shape": [1, 1], "datatype": "FP64", "data": [0]},
        ]
    }
).encode()
CASES: list[tuple[str, Form, Any]] = [
    (
        "a matrix, V2",
        form("V2", "V2", v2()),
        [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.5, 2.0, 3.0, -4.0]}],
    ),
    (
        "images, V2",
        form("V2", "V2", v2(shape=[1, 1, 2])),
        [{"name": "x", "shape": [2, 1, 2], "datatype": "FP32", "data": [1.5, 2.0, 3.0, -4.0]}],
    ),
    (
        "whole numbers stay whole, V2",
        form("V2", "V2", v2(datatype="INT32")),
        [{"name": "x", "shape": [2, 2], "datatype": "INT32", "data": [2, 2, 3, -4]}],
    ),
    (
        "yes and no, V2",
        form("V2", "V2", v2(datatype="BOOL", data=[True, False])),
        [{"name": "x", "shape": [2, 2], "datatype": "BOOL", "data": [True, True, True, True]}],
    ),
    (
        "columns by name and in the explainer's order, V2",
        form("V2", "V2", NAMED, "a", "b"),
        [
            {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1.5, 3.0]},
            {"name": "b", "shape": [2, 1], "datatype": "INT64", "data": [2, -4]},
        ],
    ),
    (
        "asked in V1, the predictor speaks V2",
        form("V2", "V1", v1([[1, 2]])),
        [{"name": "input-0", "shape": [2, 2], "datatype": "FP64", "data": [1.5, 2.0, 3.0, -4.0]}],
    ),
]


@pytest.mark.parametrize(("written", "wanted"), [pytest.param(f, w, id=n) for n, f, w in CASES])
def test_rows_are_written_as_the_client_wrote_its_own(written: Form, wanted: Any) -> None:
    assert json.loads(written.write(ROWS, "")) == {"inputs": wanted}


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (form("V1", "V1", v1([[1, 2]])), [[1.5, 2.0], [3.0, -4.0]]),
        (
            form("V1", "V1", v1([{"b": 1, "a": 2}]), "a", "b"),
            [{"a": 1.5, "b": 2}, {"a": 3, "b": -4}],
        ),
        (form("V1", "V2", v2()), [[1.5, 2.0], [3.0, -4.0]]),
    ],
    ids=["arrays", "records", "asked in V2"],
)
def test_so_are_the_rows_of_v1(written: Form, wanted: Any) -> None:
    assert json.loads(written.write(ROWS, "")) == {"instances": wanted}


def test_the_output_is_asked_for_by_its_name() -> None:
    document = json.loads(form("V2", "V2", v2()).write(ROWS, "predict_proba"))
    assert document["outputs"] == [{"name": "predict_proba"}]


def test_texts_are_not_explained() -> None:
    with pytest.raises(Problem, match="holds texts"):
        form("V2", "V2", v2(datatype="BYTES", data=["a", "b"]))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.released.set()
    server.stop()


@contextmanager
def asking(
    server: Server, seconds: float = 20, output: str = "", protocol: str = "V2"
) -> Iterator[Predictor]:
    address = Address("127.0.0.1", server.port, protocol, "income", output)
    body = v2() if protocol == "V2" else v1([[1, 2]])
    written = form(protocol, protocol, body)
    with closing(Predictor(address, written, time.monotonic() + seconds)) as predictor:
        yield predictor


def summing(seen: Seen, connection: Any) -> bool:
    """Answer the sum of each row, and its product as another output."""
    (given,) = json.loads(seen.body)["inputs"]
    rows = np.reshape(given["data"], given["shape"])
    outputs = [
        {"name": "sum", "shape": [len(rows)], "datatype": "FP64", "data": rows.sum(1).tolist()},
        {
            "name": "both",
            "shape": [len(rows), 2],
            "datatype": "FP64",
            "data": rows.ravel().tolist(),
        },
    ]
    connection.sendall(response(json.dumps({"outputs": outputs}).encode()))
    return True


def test_many_rows_take_few_requests_on_one_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_BATCH", 2000)
    server.behaviour = summing
    rows = np.random.default_rng(0).normal(size=(2500, 2)).round(6)
    with asking(server) as predictor:
        np.testing.assert_allclose(predictor.ask(rows)[:, 0], rows.sum(axis=1))
    assert (predictor.requests, len(server.seen), server.connections) == (3, 3, 1)


def test_an_output_is_chosen_by_its_name(server: Server) -> None:
    server.behaviour = summing
    with asking(server, output="both") as predictor:
        assert predictor.ask(ROWS).tolist() == ROWS.tolist()


def test_v1_predictions_are_read(server: Server) -> None:
    server.behaviour = sends(response(b'{"predictions": [[0.1, 0.9], [1, 0]]}'))
    with asking(server, protocol="V1") as predictor:
        assert predictor.ask(ROWS).tolist() == [[0.1, 0.9], [1, 0]]


def test_a_predictor_that_hangs_is_left_in_time(server: Server) -> None:
    server.behaviour = server.holds()
    for seconds in (0.2, -1):
        with asking(server, seconds=seconds) as predictor, pytest.raises(TimeLimitError):
            predictor.ask(ROWS)


@pytest.mark.parametrize(
    ("answer", "said", "by_request"),
    [
        (response(b'{"error": "no"}', "400 Bad Request"), 'answers 400: {"error": "no"}', True),
        (response(b"down", "503 Service Unavailable"), "answers 503: down", False),
        (response(b"[]"), "holds no numbers per row", False),
        (response(b"{"), "holds no numbers per row", False),
        (response(b'{"outputs": []}'), "holds no numbers per row", False),
        (response(b'{"outputs": [{"data": ["a", "b"]}]}'), "holds no numbers per row", False),
        (response(b'{"outputs": [{"data": [1, 2, 3]}]}'), "holds no numbers per row", False),
        (b"SSH-2.0\r\n", "cannot be asked", False),
    ],
)
def test_an_answer_that_is_none_is_told(
    server: Server, answer: bytes, said: str, by_request: object
) -> None:
    server.behaviour = sends(answer, keep_alive=False)
    with asking(server) as predictor, pytest.raises(PredictorError) as told:
        predictor.ask(ROWS)
    assert said in str(told.value)
    assert told.value.by_request is by_request


def test_a_predictor_that_is_not_there_is_told() -> None:
    server = Server()
    server.stop()
    with asking(server) as predictor, pytest.raises(PredictorError, match="cannot be asked"):
        predictor.ask(ROWS)
