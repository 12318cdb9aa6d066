"""The guard ends without losing a request, and steps aside when it is told to."""

import threading

import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.eventually import eventually
from tests.support.http import Client, Reply, ask, request_bytes
from tests.support.predictor import Predictor

INFER = "/v2/models/income/infer"


class Sender:
    """Sends without a pause, on a connection that it keeps as long as it may."""

    def __init__(self, port: int) -> None:
        self.replies: list[Reply] = []
        self.errors: list[OSError] = []
        self._port = port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def closes(self) -> int:
        return sum(reply.headers.get("connection") == "close" for reply in self.replies)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                with Client(self._port) as client:
                    self._use(client)
        except OSError as error:
            self.errors.append(error)

    def _use(self, client: Client) -> None:
        while not self._stopped.is_set():
            self.replies.append(client.request("POST", INFER, b"{}"))
            if self.replies[-1].headers.get("connection") == "close":
                break


def test_sigterm_under_steady_requests_costs_none(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="60")
    senders = [Sender(guard.port) for _ in range(4)]
    eventually(lambda: all(len(sender.replies) > 20 for sender in senders))
    assert not any(sender.closes() for sender in senders)
    guard.terminate()
    # Every connection is told to go, and whoever comes back on a new one is served as well.
    eventually(lambda: all(sender.closes() > 5 for sender in senders))
    for sender in senders:
        sender.stop()
    assert [sender.errors for sender in senders] == [[]] * 4
    assert {reply.status for sender in senders for reply in sender.replies} == {200}
    guard.interrupt()
    assert guard.wait() == 0


def test_while_it_ends_it_is_alive_but_not_ready(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="60")
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 200)
    guard.terminate()
    guard.wait_for_line("SIGTERM")
    reply = ask(guard.port, "GET", "/hune/ready")
    assert (reply.status, reply.json()) == (503, {"error": "the guard is ending"})
    assert ask(guard.port, "GET", "/hune/live").status == 200
    assert "hune_guard_draining 1.0" in ask(guard.port, "GET", "/metrics").body.decode()


def test_an_idle_connection_is_served_until_the_end_of_the_drain(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="60")
    with Client(guard.port) as used, Client(guard.port) as idle:
        assert used.request("POST", INFER, b"{}").headers.get("connection") is None
        assert idle.request("POST", INFER, b"{}").headers.get("connection") is None
        guard.terminate()
        guard.wait_for_line("SIGTERM")
        last = used.request("POST", INFER, b"{}")
        assert (last.status, last.headers["connection"]) == (200, "close")
        assert used.is_closed_by_server()
        late = idle.request("POST", INFER, b"{}")
        assert (late.status, late.headers["connection"]) == (200, "close")


def test_the_end_of_the_drain_closes_what_is_idle(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="0.5")
    with Client(guard.port) as idle:
        assert idle.request("POST", INFER, b"{}").status == 200
        guard.terminate()
        assert idle.is_closed_by_server()
    assert guard.wait() == 0


def test_what_is_being_answered_is_answered(start_guard: StartGuard, predictor: Predictor) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="0")
    predictor.behaviour = predictor.holds()
    with Client(guard.port) as running, Client(guard.port) as arriving, Client(guard.port) as idle:
        arriving.send(request_bytes("POST", INFER, b"{}")[:-1])
        running.send(request_bytes("POST", INFER, b"{}"))
        idle.request("GET", "/hune/live")
        eventually(lambda: len(predictor.seen) == 1)
        guard.terminate()
        assert idle.is_closed_by_server()
        arriving.send(b"}")
        predictor.released.set()
        for client in (running, arriving):
            reply = client.receive()
            assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert guard.wait() == 0


def test_a_predictor_that_never_answers_does_not_hold_up_the_end(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    guard = start_guard(HUNE_PREDICTOR_TIMEOUT_SECONDS="0.5")
    predictor.behaviour = predictor.holds()
    with Client(guard.port) as client:
        client.send(request_bytes("POST", INFER, b"{}"))
        eventually(lambda: len(predictor.seen) == 1)
        guard.terminate()
        assert client.receive().status == 504
    assert guard.wait() == 0


def test_a_revision_that_steps_aside_closes_answer_by_answer(start_guard: StartGuard) -> None:
    guard = start_guard()
    with Client(guard.port) as client:
        assert client.request("POST", INFER, b"{}").headers.get("connection") is None
        guard.write_settings(draining=True)
        guard.wait_for_line("is in force")
        reply = client.request("POST", INFER, b"{}")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert client.is_closed_by_server()
    # New connections may still come, from clients that have not heard of the switch yet.
    assert ask(guard.port, "POST", INFER, b"{}").status == 200
    eventually(lambda: ask(guard.port, "GET", "/hune/ready").status == 200)


@pytest.mark.parametrize("path", ["/v3", INFER, "/metrics", "/hune/live", "/v2/models/income"])
def test_while_draining_every_answer_closes(start_guard: StartGuard, path: str) -> None:
    guard = start_guard(HUNE_DRAIN_SECONDS="60")
    guard.terminate()
    guard.wait_for_line("SIGTERM")
    with Client(guard.port) as client:
        assert client.request("GET", path).headers["connection"] == "close"
        assert client.is_closed_by_server()
