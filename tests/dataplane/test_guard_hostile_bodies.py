"""A real guard under hostile bodies: a reason, never a failure, and the next request is served."""

import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.guard import GuardProcess
from tests.support.hostile import BODIES, NOT_JSON, Body
from tests.support.http import Client, Reply, ask
from tests.support.predictor import Predictor

PATHS = {"V1": "/v1/models/income:predict", "V2": "/v2/models/income/infer"}
GOOD = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}'


def send(client: Client, body: Body) -> Reply:
    length = body.json_length
    headers = {} if length is None else {"inference-header-content-length": str(length)}
    # Also what is empty announces that it is.
    headers["content-length"] = str(len(body.sent))
    return client.request("POST", PATHS[body.protocol], body.sent, headers)


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: body.reason)
def test_what_is_no_json_is_refused_without_the_predictor(
    guard: GuardProcess, predictor: Predictor, body: Body
) -> None:
    with Client(guard.port) as client:
        reply = send(client, body)
    too_large = len(body.sent) > 200_000
    assert reply.status == (413 if too_large else 400)
    assert list(reply.json()) == ["error"]
    assert ("larger than" if too_large else body.said) in reply.json()["error"]
    assert predictor.seen == []


def test_no_body_makes_the_guard_fail_or_hold_memory(start_guard: StartGuard) -> None:
    guard = start_guard()
    with Client(guard.port) as client:
        assert client.request("POST", PATHS["V2"], GOOD).status == 200
        before = guard.resident_bytes()
        for body in BODIES:
            reply = send(client, body)
            assert reply.status in (200, 400), (body.reason, reply)
            assert reply.status == 200 or list(reply.json()) == ["error"]
        assert client.request("POST", PATHS["V2"], GOOD).status == 200
        assert guard.resident_bytes() - before < 64 << 20
    assert ask(guard.port, "GET", "/hune/live").status == 200


def test_a_guard_that_looks_at_rows_says_what_is_wrong_with_each_body(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard()
    features = [{"name": "x", "type": "Float"}]
    guard.write_settings(dataContract={"features": features, "onBreach": "Reject"})
    guard.wait_for_line("is in force")
    with Client(guard.port) as client:
        assert client.request("POST", PATHS["V2"], GOOD).status == 200
        predictor.seen.clear()
        for body in BODIES:
            reply = send(client, body)
            too_many = body.reason == "more numbers than fit memory"
            assert reply.status == (413 if too_many else 400), body.reason
            [(key, said)] = reply.json().items()
            assert key == "error"
            assert ("smaller batches" if too_many else body.said) in said, body.reason
        assert client.request("POST", PATHS["V2"], GOOD).status == 200
    assert len(predictor.seen) == 1, "only the good one was passed on"
