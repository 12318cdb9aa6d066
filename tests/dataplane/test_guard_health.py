"""Probes and metrics."""

import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, ask, request_bytes
from tests.support.predictor import Predictor, Seen, response, sends, serve_model

INFER = "/v2/models/income/infer"
NOT_FOUND = response(b"", "404 Not Found")


def metrics_of(guard: GuardProcess) -> dict[str, float]:
    lines = ask(guard.port, "GET", "/metrics").body.decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def test_ready_follows_the_predictor(start_guard: StartGuard, predictor: Predictor) -> None:
    predictor.probed = sends(response(b"{}", "503 Service Unavailable"))
    guard = start_guard()
    reply = ask(guard.port, "GET", "/hune/ready")
    assert reply.status == 503
    assert reply.json()["error"].endswith("answers 503 at /v2/health/ready")
    assert ask(guard.port, "GET", "/hune/live").status == 200
    predictor.probed = serve_model
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 200)
    predictor.stop()
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 503)
    assert "cannot be reached" in ask(guard.port, "GET", "/hune/ready").json()["error"]
    predictor.start()
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 200)


def test_a_predictor_that_hangs_is_not_ready_soon(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    predictor.probed = predictor.holds()
    guard = start_guard()
    with Client(guard.port) as client:
        client.socket.settimeout(10)
        reply = client.request("GET", "/hune/ready")
    assert reply.status == 503
    assert reply.json()["error"].endswith("did not answer within 1.5 s")


def test_many_probes_ask_the_predictor_once(start_guard: StartGuard, predictor: Predictor) -> None:
    asked: list[Seen] = []
    predictor.probed = lambda seen, connection: asked.append(seen) or serve_model(seen, connection)  # type: ignore[func-returns-value]
    guard = start_guard()
    clients = [Client(guard.port) for _ in range(50)]
    for client in clients:
        client.send(request_bytes("GET", "/hune/ready"))
    assert [client.receive().status for client in clients] == [200] * 50
    assert len(asked) < 50
    for client in clients:
        client.close()


def test_busy_is_not_unready(guard: GuardProcess, predictor: Predictor) -> None:
    predictor.behaviour = predictor.holds()
    clients = [Client(guard.port) for _ in range(260)]
    for client in clients:
        client.send(request_bytes("POST", INFER, b"{}"))
    eventually(lambda: len(predictor.seen) == 256)
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 200)
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("model", "root", "ready"),
    [
        (response(b'{"ready":true}'), NOT_FOUND, 200),
        (NOT_FOUND, response(b"hello"), 200),
        (NOT_FOUND, NOT_FOUND, 503),
        (response(b"", "503 Service Unavailable"), response(b"hello"), 503),
    ],
)
def test_a_v1_predictor_is_asked_for_its_model_and_else_for_anything(
    start_guard: StartGuard, predictor: Predictor, model: bytes, root: bytes, ready: int
) -> None:
    answers = {"/v1/models/income": model, "/": root}
    predictor.probed = lambda seen, connection: sends(answers[seen.target])(seen, connection)
    guard = start_guard()
    guard.write_settings(protocol="V1")
    guard.wait_for_line("is in force")
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == ready)


def test_requests_are_counted_by_what_was_wanted_and_what_came(start_guard: StartGuard) -> None:
    guard = start_guard()
    ask(guard.port, "POST", INFER, b"{}")
    ask(guard.port, "POST", "/v1/models/income:predict", b"{}")
    ask(guard.port, "POST", INFER, b"{broken")
    ask(guard.port, "GET", "/v2/models/some-name")
    ask(guard.port, "GET", "/made/up/path")
    with Client(guard.port) as client:
        client.send(b"noise\r\n\r\n")
        client.receive()
    samples = metrics_of(guard)
    counted = {n: v for n, v in samples.items() if n.startswith("hune_guard_requests_total") and v}
    assert counted == {
        'hune_guard_requests_total{code="200",endpoint="predict"}': 2,
        'hune_guard_requests_total{code="400",endpoint="predict"}': 1,
        'hune_guard_requests_total{code="404",endpoint="metadata"}': 1,
        'hune_guard_requests_total{code="404",endpoint="none"}': 1,
        'hune_guard_requests_total{code="400",endpoint="none"}': 1,
    }
    assert samples["hune_guard_predictor_duration_seconds_count"] == 2
    assert samples['hune_guard_request_duration_seconds_count{endpoint="predict"}'] == 3
    assert not [name for name in samples if "some-name" in name or "made" in name]


def test_a_failure_is_counted_from_0(start_guard: StartGuard) -> None:
    samples = metrics_of(start_guard())
    for code in (500, 502, 503, 504):
        assert samples[f'hune_guard_requests_total{{code="{code}",endpoint="predict"}}'] == 0


def test_what_is_in_flight_and_served_is_shown(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard()
    predictor.behaviour = predictor.holds()
    with Client(guard.port) as client:
        client.send(request_bytes("POST", INFER, b"{}"))
        eventually(lambda: len(predictor.seen) == 1)
        samples = metrics_of(guard)
    # The request for the metrics is one, too.
    assert samples["hune_guard_requests_in_flight"] == 2
    assert samples["hune_guard_draining"] == 0
    [information] = [name for name in samples if name.startswith("hune_guard_info")]
    assert 'deployment="income"' in information
    assert 'model_version="income-7"' in information
    assert 'revision="income-1a2b3c4d"' in information
