"""A predictor that misbehaves: the client is told what happened, and all heals by itself."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from hune.dataplane.guard.memory import LARGEST_AT_ONCE
from tests.dataplane.conftest import StartGuard
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, Reply, ask, request_bytes
from tests.support.predictor import V2_BODY, Predictor, Seen, response, sends

INFER = "/v2/models/income/infer"


def predict(guard: GuardProcess) -> Reply:
    return ask(guard.port, "POST", INFER, b"{}")


def test_a_predictor_that_is_down_is_reported_and_comes_back(
    guard: GuardProcess, predictor: Predictor
) -> None:
    assert predict(guard).status == 200
    predictor.stop()
    reply = predict(guard)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert f"the predictor on port {predictor.port} cannot be reached" in reply.json()["error"]
    predictor.start()
    assert predict(guard).status == 200


def test_a_slow_predictor_is_reported_and_recovers(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard(HUNE_PREDICTOR_TIMEOUT_SECONDS="0.3")
    predictor.behaviour = predictor.holds()
    reply = predict(guard)
    assert reply.status == 504
    assert reply.json()["error"].endswith("did not answer within 0.3 s")
    predictor.released.set()
    eventually(lambda: predict(guard).status == 200)


def test_an_idle_connection_that_the_predictor_closed_is_replaced_unseen(
    guard: GuardProcess, predictor: Predictor
) -> None:
    for _ in range(20):
        assert predict(guard).status == 200
        predictor.cut()
    assert len(predictor.seen) == 20


def test_a_kept_alive_connection_that_dies_as_it_is_used_is_replaced_once(
    guard: GuardProcess, predictor: Predictor
) -> None:
    assert predict(guard).status == 200

    def close_once(_: Seen, __: socket.socket) -> bool:
        predictor.behaviour = sends(response(V2_BODY))
        return False

    predictor.behaviour = close_once
    assert predict(guard).status == 200
    assert len(predictor.seen) == 3


def test_on_a_new_connection_nothing_is_sent_twice(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard()
    predictor.behaviour = sends(keep_alive=False)
    reply = predict(guard)
    assert reply.status == 502
    assert "closed the connection without an answer" in reply.json()["error"]
    assert len(predictor.seen) == 1


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"], "in the middle of its answer"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"], "in the middle"),
        ([b"HTTP/1.1 200 OK\r\ncontent-le"], "in the middle of its answer"),
        ([b"hello\n"], "no HTTP/1.1 answer"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"], "no HTTP/1.1 answer"),
        ([b"HTTP/1.1 200 OK\r\na: b\x01\r\n\r\n"], "no HTTP/1.1 answer"),
        ([b"HTTP/1.1 999 ?\r\ncontent-length: 0\r\n\r\n"], "the status 999"),
        ([b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"], "no HTTP/1.1"),
        ([response(b"a" * 200_001)], "larger than 200000 bytes"),
    ],
)
def test_a_broken_answer_is_reported_and_the_next_one_is_good(
    guard: GuardProcess, predictor: Predictor, parts: list[bytes], said: str
) -> None:
    predictor.behaviour = sends(*parts, keep_alive=False)
    reply = predict(guard)
    assert reply.status == 502
    assert said in reply.json()["error"]
    predictor.reset()
    assert predict(guard).status == 200


@pytest.mark.parametrize(
    "parts",
    [
        [
            b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n',
            b'4\r\n":1}\r\n',
            b"0\r\nx-trailer: y\r\n\r\n",
        ],
        [b'HTTP/1.1 200 OK\r\n\r\n{"a"', b":1}"],
        [b'HTTP/1.0 200 OK\r\n\r\n{"a":1}'],
        [
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n",
            response(b'{"a":1}'),
        ],
        [bytes([byte]) for byte in response(b'{"a":1}')],
        [response(b'{"a":1}', headers="connection: close\r\n")],
    ],
    ids=["chunked", "until the end", "HTTP/1.0", "interim", "byte by byte", "closing"],
)
def test_every_way_to_frame_an_answer_is_understood(
    guard: GuardProcess, predictor: Predictor, parts: list[bytes]
) -> None:
    predictor.behaviour = sends(*parts, keep_alive=False)
    reply = predict(guard)
    assert reply.status == 200
    assert reply.json()["a"] == 1
    assert reply.headers["content-length"] == str(len(reply.body))
    assert not {"link", "x-trailer", "transfer-encoding", "connection"} & set(reply.headers)


def test_an_answer_that_nobody_asked_for_is_given_to_nobody(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = sends(response(b'{"a":1}') + response(b'{"b":2}'))
    replies = [predict(guard).json() for _ in range(5)]
    assert [("a" in reply, "b" in reply) for reply in replies] == [(True, False)] * 5


def test_answers_share_the_memory_while_they_arrive(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard(HUNE_MAXIMUM_BODY_BYTES="100000")
    predictor.behaviour = predictor.holds_the_end(response(b'{"a":"' + b"a" * 99_000 + b'"}'))
    with ThreadPoolExecutor(LARGEST_AT_ONCE + 1) as clients:
        replies = [clients.submit(predict, guard) for _ in range(LARGEST_AT_ONCE + 1)]
        eventually(lambda: [reply for reply in replies if reply.done()])
        predictor.released.set()
        statuses = [reply.result().status for reply in replies]
    (refused,) = (r.result() for r in replies if r.result().status != 200)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert "no room just now" in refused.json()["error"]
    assert statuses.count(200) == LARGEST_AT_ONCE
    predictor.reset()
    assert predict(guard).status == 200


def test_requests_beyond_the_pool_wait_their_turn(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = predictor.holds()
    before = predictor.connections
    clients = [Client(guard.port) for _ in range(300)]
    try:
        for client in clients:
            client.send(request_bytes("POST", INFER, b"{}"))
        eventually(lambda: len(predictor.seen) == 256)
        predictor.released.set()
        assert {client.receive().status for client in clients} == {200}
        assert predictor.connections - before <= 256
    finally:
        for client in clients:
            client.close()
