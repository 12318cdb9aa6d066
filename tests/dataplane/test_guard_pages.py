"""What the guard says of its model, at /openapi.json and /docs."""

import socket
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hune.dataplane.openapi.document import build_document
from hune.dataplane.openapi.subject import Subject
from tests.dataplane.conftest import StartGuard
from tests.support.contracts import METADATA, NUMBERS
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, Reply, ask, request_bytes
from tests.support.predictor import Behaviour, Predictor, Seen, response, sends, serve_model

MODEL = "/v2/models/income"
PREDICT = "/v2/models/income/infer"


def document_of(guard: GuardProcess) -> dict[str, Any]:
    reply = ask(guard.port, "GET", "/openapi.json")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    document: dict[str, Any] = reply.json()
    OpenAPIV31SpecValidator(document).validate()
    return document


def inputs_of(document: dict[str, Any]) -> list[str]:
    path = next(path for path, part in document["paths"].items() if "post" in part)
    references = [one["$ref"] for one in document["paths"][path]["post"]["x-hune-inputs"]]
    schemas = document["components"]["schemas"]
    return [schemas[reference.rpartition("/")[2]]["title"] for reference in references]


class Describes:
    """Answers probes with metadata of the model, and counts how often it was asked."""

    def __init__(self, answer: Behaviour) -> None:
        self.count = 0
        self._answer = answer

    def __call__(self, seen: Seen, connection: socket.socket) -> bool:
        if seen.target != MODEL:
            return serve_model(seen, connection)
        self.count += 1
        return self._answer(seen, connection)


def test_the_inputs_are_what_the_predictor_says_and_it_is_asked_once(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    describes = Describes(sends(response(METADATA)))
    predictor.probed = describes
    guard = start_guard()
    assert inputs_of(document_of(guard)) == ["x"]
    assert inputs_of(document_of(guard)) == ["x"]
    assert "FP32, shape [-1, 3]" in ask(guard.port, "GET", "/docs").body.decode()
    assert describes.count == 1


def test_a_contract_is_in_the_document_as_soon_as_it_is_in_force(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    predictor.probed = Describes(sends(response(METADATA)))
    guard = start_guard()
    assert inputs_of(document_of(guard)) == ["x"]
    guard.write_settings(dataContract=NUMBERS)
    guard.wait_for_line("is in force")
    assert inputs_of(document_of(guard)) == ["mean radius", "age", "height"]
    guard.write_settings(protocol="V1", dataContract=None)
    eventually(lambda: "/v1/models/income:predict" in document_of(guard)["paths"])
    assert inputs_of(document_of(guard)) == []


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("it has no such path", sends(response(b"", "404 Not Found"))),
        ("it fails", sends(response(b"oops", "500 Internal Server Error"))),
        ("it speaks no JSON", sends(response(b"<html>"))),
        ("it speaks no HTTP", sends(b"hello\r\n\r\n", keep_alive=False)),
        ("it hangs up", sends(keep_alive=False)),
        ("it says too much", sends(response(b" " * (2 << 20)), keep_alive=False)),
        ("it says nothing of inputs", sends(response(b'{"name":"income","inputs":[]}'))),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_whatever_the_predictor_answers_there_is_a_document(
    start_guard: StartGuard, predictor: Predictor, reason: str, answer: Behaviour
) -> None:
    predictor.probed = Describes(answer)
    guard = start_guard()
    assert inputs_of(document_of(guard)) == [], reason
    assert ask(guard.port, "GET", "/docs").status == 200


def test_a_predictor_that_hangs_does_not_hold_the_document_up(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    predictor.probed = Describes(predictor.holds(sends(response(METADATA))))
    guard = start_guard()
    assert inputs_of(document_of(guard)) == []


def test_a_predictor_that_comes_up_late_is_asked_again(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    predictor.probed = Describes(sends(response(METADATA)))
    guard = start_guard()
    predictor.stop()
    assert inputs_of(document_of(guard)) == []
    predictor.start()
    eventually(lambda: inputs_of(document_of(guard)) == ["x"])


def test_the_page_is_safe_to_open(guard: GuardProcess) -> None:
    reply = ask(guard.port, "GET", "/docs")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_they_are_only_read(guard: GuardProcess, path: str) -> None:
    assert ask(guard.port, "POST", path, b"{}").status == 405


def test_who_asks_without_a_token_gets_what_the_document_says_is_free(
    start_guard: StartGuard,
) -> None:
    guard = start_guard()
    guard.write_settings(access={"mode": "Authorized", "authorizer": ""})
    guard.wait_for_line("is in force")
    refused = ask(guard.port, "GET", "/openapi.json")
    document = build_document(Subject("income", "default", "income-7", "V2"))
    assert refused.status == 401
    assert refused.json() == example_of(document, 401)
    for path, part in document["paths"].items():
        for method, operation in ((m, part[m]) for m in ("get", "post") if m in part):
            reply = ask(guard.port, method.upper(), path, b"")
            assert (reply.status == 401) is ("security" in operation), path


def send(guard: GuardProcess, data: bytes) -> Reply:
    with Client(guard.port) as client:
        client.send(data)
        return client.receive()


COMPRESSED = request_bytes("POST", PREDICT, b"{}", {"content-encoding": "gzip"})
HUGE = f"POST {PREDICT} HTTP/1.1\r\nhost: a\r\ncontent-length: 33554433\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, request_bytes("POST", PREDICT, b'{"a": [1,]}')),
        (404, request_bytes("GET", "/v3")),
        (405, request_bytes("POST", "/metrics", b"{}")),
        (413, HUGE),
        (415, COMPRESSED),
        (431, b"GET /v2 HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\n\r\n"),
    ],
)
def test_the_documented_errors_are_what_is_said(
    start_guard: StartGuard, status: int, sent: bytes
) -> None:
    guard = start_guard()
    reply = send(guard, sent)
    assert reply.status == status
    assert reply.json() == documented(guard, status)


@pytest.mark.parametrize(
    ("status", "misbehaves"),
    [
        (502, sends(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", keep_alive=False)),
        (503, None),
        (504, "holds"),
    ],
)
def test_the_documented_failures_are_what_is_said(
    start_guard: StartGuard, predictor: Predictor, status: int, misbehaves: Behaviour | str | None
) -> None:
    guard = start_guard(HUNE_PREDICTOR_TIMEOUT_SECONDS="0.3")
    if misbehaves is None:
        predictor.stop()
    else:
        predictor.behaviour = predictor.holds() if isinstance(misbehaves, str) else misbehaves
    reply = ask(guard.port, "POST", PREDICT, b"{}")
    if misbehaves is None:
        predictor.start()
    said = reply.body.decode().replace(f"port {predictor.port}", "port 8080")
    assert reply.status == status
    assert said.replace("within 0.3 s", "within 60 s") == (
        '{"error":"' + documented(guard, status)["error"] + '"}'
    )


def documented(guard: GuardProcess, status: int) -> dict[str, str]:
    return example_of(document_of(guard), status)


def example_of(document: dict[str, Any], status: int) -> dict[str, str]:
    reference = document["paths"][PREDICT]["post"]["responses"][str(status)]["$ref"]
    response = document["components"]["responses"][reference.rpartition("/")[2]]
    example: dict[str, str] = response["content"]["application/json"]["example"]
    return example
