"""Nearly all predictions take the guard's short way; nobody can tell by the answer."""

import json
from pathlib import Path

import pytest

from hune.contract.digest import digest_of
from tests.dataplane.conftest import StartGuard
from tests.support.detectors import small_forest, write_detector
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, Reply, ask, request_bytes
from tests.support.predictor import Predictor

INFER = "/v2/models/income/infer"
UNREADABLE = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1]}]}'


def body_of(rows: int) -> bytes:
    """Return a request of ordinary rows, of which the last one is odd."""
    data = [0.9, 1.0] * (rows - 1) + [5.0, 9.0]
    tensor = {"name": "x", "shape": [rows, 2], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.fixture
def watched(start_guard: StartGuard, tmp_path: Path) -> GuardProcess:
    place = write_detector(tmp_path / "artefact", small_forest())
    outliers = {"uri": "s3://models/outliers", "path": str(place), "digest": digest_of(place)}
    guard = start_guard()
    seen = len(guard.log)
    guard.write_settings(outliers=outliers | {"threshold": "0.0"})
    guard.wait_for_line_after("is in force", seen)
    return guard


def without_id(reply: Reply) -> tuple[object, ...]:
    """Return all that two answers to the same request have in common."""
    found = reply.json()
    assert found["parameters"].pop("hune_prediction_id") == reply.headers["x-hune-prediction-id"]
    headers = {name: value for name, value in reply.headers.items() if "prediction" not in name}
    return reply.status, headers, found


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_first_answer_and_the_next_ones_are_alike(watched: GuardProcess, rows: int) -> None:
    # The first one has to wait for a connection to the predictor, which the next ones find open.
    with Client(watched.port) as client:
        replies = [client.request("POST", INFER, body_of(rows)) for _ in range(3)]
    first, *others = map(without_id, replies)
    assert replies[0].json()["parameters"]["hune_outlier_rows"] == f"{rows - 1}"
    assert others == [first, first]


HEAD = request_bytes("POST", INFER, body_of(2)).partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("cut", [1, 40, len(HEAD), len(HEAD) + 4, len(HEAD) + 20])
def test_a_request_in_two_pieces_is_answered_as_one(
    watched: GuardProcess, predictor: Predictor, cut: int
) -> None:
    request = request_bytes("POST", INFER, body_of(2))
    with Client(watched.port) as client:
        # The answer to the one before it tells that the first piece has arrived.
        client.send(request + request[:cut])
        whole = client.receive()
        client.send(request[cut:])
        in_pieces = client.receive()
    assert without_id(in_pieces) == without_id(whole)
    assert [seen.body for seen in predictor.seen] == [body_of(2)] * 2


def test_requests_in_one_piece_are_answered_in_order(watched: GuardProcess) -> None:
    counts = [1, 200, 2, 100]
    with Client(watched.port) as client:
        client.request("POST", INFER, body_of(1))
        client.send(b"".join(request_bytes("POST", INFER, body_of(count)) for count in counts))
        notes = [client.receive().json()["parameters"] for _ in counts]
    assert [note["hune_outlier_rows"] for note in notes] == [f"{count - 1}" for count in counts]


def test_what_cannot_be_read_is_refused_and_the_late_answer_goes_to_nobody(
    watched: GuardProcess,
) -> None:
    with Client(watched.port) as client:
        good = client.request("POST", INFER, body_of(1))
        refused = client.request("POST", INFER, UNREADABLE)
        again = client.request("POST", INFER, body_of(1))
    assert refused.status == 400
    assert "inputs[0].shape" in refused.json()["error"]
    assert without_id(again) == without_id(good)


@pytest.mark.parametrize("more", [b"", b"garbage\r\n\r\n"], ids=["leaves", "garbage"])
def test_a_client_that_is_gone_before_its_answers_leaves_nothing_behind(
    watched: GuardProcess, predictor: Predictor, more: bytes
) -> None:
    request = request_bytes("POST", INFER, body_of(1))
    with Client(watched.port) as client:
        client.request("POST", INFER, body_of(1))
        predictor.behaviour = predictor.holds()
        client.send(request + request + more)
        eventually(lambda: len(predictor.seen) == 2)
    # What is answered after it left: by then the guard knows that it did.
    assert [in_flight(watched) > 0 for _ in range(2)] == [True, True]
    predictor.released.set()
    eventually(lambda: in_flight(watched) == 0)
    assert "Traceback" not in "".join(watched.log)


def in_flight(guard: GuardProcess) -> float:
    (line,) = (
        line
        for line in ask(guard.port, "GET", "/metrics").body.decode().splitlines()
        if line.startswith("hune_guard_requests_in_flight ")
    )
    return float(line.rpartition(" ")[2]) - 1  # the request for the metrics is one, too
