"""Whatever a client sends, it gets JSON that says what was wrong, and the guard serves on."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from hune.dataplane.guard.memory import LARGEST_AT_ONCE
from tests.dataplane.conftest import StartGuard
from tests.support.guard import GuardProcess
from tests.support.http import Client, ask, request_bytes
from tests.support.predictor import Predictor

INFER = "/v2/models/income/infer"
PREDICT = "/v1/models/income:predict"


@dataclass(frozen=True)
class Case:
    reason: str
    sent: bytes
    status: int
    said: str


def head(path: str = INFER, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: a", *lines, "", ""]).encode("latin-1")


def infer(body: bytes, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_bytes("POST", INFER, body, named)


PATHS = [
    Case("an unknown path", head("/v3", method="GET"), 404, "'/v3'"),
    Case("the root", head("/", method="GET"), 404, "'/'"),
    Case("no explainer", head("/v1/models/income:explain"), 404, "has no explainer"),
    Case("a model repository", head("/v2/repository/index"), 404, "/v2/repository/index"),
    Case("a trailing slash", head("/v2/models/income/"), 404, "'/v2/models/income/'"),
    Case("no model", head("/v2/models//infer"), 400, "/v2/models//infer"),
    Case("an unknown verb", head("/v1/models/income:evil"), 404, ":evil"),
    Case("V1 without a verb", head("/v1/models/income/infer"), 404, "income/infer"),
    Case("a colon in a V2 name", head("/v2/models/in:come/infer"), 404, "in:come"),
    Case("case matters", head("/V2/models/income/infer"), 404, "'/V2/"),
    Case("an encoded slash", head("/v2/models/in%2Fcome/infer"), 400, "in%2Fcome"),
    Case("an encoded letter", head("/v2/models/%69ncome/infer"), 400, "%69ncome"),
    Case("dot segments", head("/v2/models/../models/income"), 400, "/../"),
    Case("encoded dot segments", head("/v2/%2e%2e/metrics"), 400, "%2e%2e"),
    Case("a dot segment", head("/v2/./models"), 400, "/./"),
    Case("dots at the end", head("/v2/models/.."), 400, "/v2/models/.."),
    Case("an encoded NUL", head("/v2/models/a%00/infer"), 400, "a%00"),
    Case("a NUL", head("/v2/models/a\x00/infer"), 400, "a\\\\x00"),
    Case("a tab", head("/v2/models/a\tb/infer"), 400, "Invalid"),
    Case("a space", head("/v2/models/a b/infer"), 400, "HTTP/1.1 request"),
    Case("a letter beyond ASCII", head("/v2/models/ä/infer"), 400, "\\\\xe4"),
    Case("UTF-8", head("/v2/models/\xc3\xa4"), 400, "\\\\xc3\\\\xa4"),
    Case("a letter beyond ASCII in the query", head(INFER + "?\xe4"), 400, "HTTP/1.1 request"),
    Case("a backslash", head("/v2\\models"), 400, "/v2\\\\models"),
    Case("a quotation mark", head('/v2/"models"'), 400, '\\"models\\"'),
    Case("markup", head("/<script>"), 400, "<script>"),
    Case("a semicolon", head("/v2/models/income;x/infer"), 400, ";x"),
    Case("a path of 3 KiB", head("/" + "a" * 3000), 400, "longer than 2048"),
    Case("a path of 70 KiB", head("/" + "a" * 70_000), 431, "larger than"),
    Case("a foreign authority", head("//evil/v2", method="GET"), 400, "//evil/v2"),
    Case("no slash", head("v2", method="GET"), 400, "HTTP/1.1 request"),
]
METHODS = [
    Case("GET where POST is", head(method="GET"), 405, "POST is"),
    Case("POST where GET is", head("/v2/models/income"), 405, "GET is"),
    Case("PUT", head(method="PUT"), 405, "PUT is not allowed"),
    Case("DELETE", head("/v1/models/income", method="DELETE"), 405, "DELETE is not allowed"),
    Case("POST to metrics", head("/metrics"), 405, "'/metrics'"),
    Case("OPTIONS for all", head("*", method="OPTIONS"), 400, "'*'"),
    Case("CONNECT", head("evil:80", method="CONNECT"), 400, "HTTP/1.1 request"),
    Case("a made-up method", head(method="STEAL"), 400, "method"),
    Case("a method in small letters", head(method="post"), 400, "method"),
]
FRAMING = [
    Case(
        "a length and chunks",
        head(INFER, "Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
        "Content-Length",
    ),
    Case(
        "chunks and a length",
        head(INFER, "Transfer-Encoding: chunked", "Content-Length: 2") + b"0\r\n\r\n",
        400,
        "Transfer-Encoding",
    ),
    Case(
        "two lengths",
        head(INFER, "Content-Length: 2", "Content-Length: 3") + b"{}",
        400,
        "Duplicate Content-Length",
    ),
    Case(
        "the same length twice",
        head(INFER, "Content-Length: 2", "Content-Length: 2") + b"{}",
        400,
        "Duplicate Content-Length",
    ),
    Case("a list of lengths", head(INFER, "Content-Length: 2, 2") + b"{}", 400, "Content-Length"),
    Case("a negative length", head(INFER, "Content-Length: -2") + b"{}", 400, "Content-Length"),
    Case("a signed length", head(INFER, "Content-Length: +2") + b"{}", 400, "Content-Length"),
    Case("a hexadecimal length", head(INFER, "Content-Length: 0x2") + b"{}", 400, "Content-Length"),
    Case("an empty length", head(INFER, "Content-Length: ") + b"{}", 400, "Content-Length"),
    Case("a length beyond 64 bits", head(INFER, "Content-Length: " + "9" * 30), 400, "overflow"),
    Case("a length beyond the limit", head(INFER, "Content-Length: 200001"), 413, "200000 bytes"),
    Case("a huge length", head(INFER, "Content-Length: 10000000000000"), 413, "200000 bytes"),
    Case("a body beyond the limit", infer(b'"' + b"a" * 300_000 + b'"'), 413, "200000 bytes"),
    Case(
        "chunks beyond the limit",
        head(INFER, "Transfer-Encoding: chunked")
        + b"30000\r\n"
        + b"a" * 0x30000
        + b"\r\n"
        + b"9000\r\n"
        + b"a" * 0x9000
        + b"\r\n",
        413,
        "200000 bytes",
    ),
    Case(
        "a chunk of no size",
        head(INFER, "Transfer-Encoding: chunked") + b"zz\r\n",
        400,
        "chunk size",
    ),
    Case(
        "a chunk of negative size",
        head(INFER, "Transfer-Encoding: chunked") + b"-1\r\n",
        400,
        "chunk size",
    ),
    Case(
        "a chunk beyond 64 bits",
        head(INFER, "Transfer-Encoding: chunked") + b"f" * 18 + b"\r\n",
        400,
        "overflow",
    ),
    Case(
        "another transfer coding",
        head(INFER, "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
        501,
        "chunked",
    ),
    Case(
        "a coding that only looks right",
        head(INFER, "Transfer-Encoding: xchunked"),
        400,
        "Transfer-Encoding",
    ),
    Case("a space before the colon", head(INFER, "Transfer-Encoding : chunked"), 400, "header"),
    Case("a compressed body", infer(b"{}", content_encoding="gzip"), 415, "Content-Encoding"),
    Case("Upgrade with a body", infer(b"{}", connection="upgrade", upgrade="h2c"), 400, "Upgrade"),
]
HEADERS = [
    Case("a folded header", head(INFER, "a: b", " c"), 400, "header"),
    Case("a control character", head(INFER, "a: b\x01"), 400, "header"),
    Case("a bare line feed", b"GET /v2 HTTP/1.1\nhost: a\n\n", 400, "CRLF"),
    Case("a nameless header", head(INFER, ": b"), 400, "header"),
    Case("a name with a space", head(INFER, "a b: c"), 400, "header"),
    Case("one header of 70 KiB", head(INFER, "a: " + "b" * 70_000), 431, "65536 bytes"),
    Case("ten thousand headers", head(INFER, *["a: bcdefg"] * 10_000), 431, "65536 bytes"),
    Case("an endless header", b"GET /v2 HTTP/1.1\r\na: " + b"b" * 200_000, 431, "65536 bytes"),
    Case(
        "the type twice",
        head(INFER, "Content-Type: a/b", "Content-Type: application/json", "Content-Length: 2")
        + b"{}",
        400,
        "content-type is given twice",
    ),
    Case("HTTP/0.9", b"GET /v2\r\n\r\n", 505, "HTTP/0.9"),
    Case("HTTP/2 in plain text", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/1.1 request"),
    Case("HTTP/2.0 as a number", b"GET /v2 HTTP/2.0\r\nhost: a\r\n\r\n", 505, "HTTP/2.0"),
    Case("HTTP/9.9", b"GET /v2 HTTP/9.9\r\n\r\n", 400, "version"),
    Case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50, 400, "\\\\x16"),
    Case("noise", bytes(range(255, 0, -1)), 400, "HTTP/1.1 request"),
]
BODIES = [
    Case("no body", head(INFER, "Content-Length: 0"), 400, "it is empty"),
    Case("no length", head(INFER), 400, "it is empty"),
    Case("half an object", infer(b'{"inputs": ['), 400, "truncated"),
    Case("a trailing comma", infer(b'{"a": [1,]}'), 400, "byte 9"),
    Case("single quotes", infer(b"{'a': 1}"), 400, "byte 1"),
    Case("NaN", infer(b'{"a": NaN}'), 400, "null is"),
    Case("Infinity", infer(b'{"a": -Infinity}'), 400, "null is"),
    Case("a leading zero", infer(b'{"a": 01}'), 400, "invalid number"),
    Case("an array", infer(b"[1]"), 400, "Expected `object`"),
    Case("a number", infer(b"1"), 400, "Expected `object`"),
    Case("null", infer(b"null"), 400, "Expected `object`"),
    Case("two objects", infer(b"{}{}"), 400, "trailing"),
    Case("a byte order mark", infer(b"\xef\xbb\xbf{}"), 400, "byte 0"),
    Case("UTF-16", infer('{"a": 1}'.encode("utf-16")), 400, "UTF-8"),
    Case("Latin-1", infer(b'{"a": "\xe4"}'), 400, "UTF-8 (byte 7)"),
    Case("Latin-1 in a key", infer(b'{"\xe4": 1}'), 400, "UTF-8 (byte 2)"),
    Case("a raw line feed in a text", infer(b'{"a": "\n"}'), 400, "byte 7"),
    Case("a bad escape", infer(b'{"a": "\\x"}'), 400, "escape"),
    Case(
        "nested 90 000 deep",
        infer(b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}"),
        400,
        "nested too deeply",
    ),
    Case("a comment", infer(b"{/* hi */}"), 400, "byte 1"),
    Case("V1, too", request_bytes("POST", PREDICT, b'{"instances": [}'), 400, "byte 15"),
    Case(
        "a form by curl",
        infer(b"a=b", content_type="application/x-www-form-urlencoded"),
        400,
        "byte 0",
    ),
    Case(
        "a JSON part beyond the body",
        infer(b"{}", inference_header_content_length="9"),
        400,
        "the body has 2 bytes",
    ),
    Case(
        "a JSON part of no length",
        infer(b"{}", inference_header_content_length="x"),
        400,
        "not a number",
    ),
    Case(
        "a JSON part of negative length",
        infer(b"{}", inference_header_content_length="-1"),
        400,
        "not a number",
    ),
    Case(
        "a broken JSON part",
        infer(b"{a}\x00\x01", inference_header_content_length="3"),
        400,
        "byte 1",
    ),
]
CASES = [*PATHS, *METHODS, *FRAMING, *HEADERS, *BODIES]


@pytest.fixture(scope="module", autouse=True)
def quiet_log(module_guard: GuardProcess) -> Iterator[None]:
    """A client's fault is not the guard's: it leaves nothing in the log."""
    yield
    assert [line for line in module_guard.log if "listening on" not in line] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_a_bad_request_is_told_why(guard: GuardProcess, predictor: Predictor, case: Case) -> None:
    with Client(guard.port) as client:
        client.send(case.sent)
        reply = client.receive()
    assert reply.status == case.status
    assert reply.headers["content-type"] == "application/json"
    assert case.said in reply.body.decode()
    assert list(reply.json()) == ["error"]
    assert predictor.seen == []
    assert ask(guard.port, "GET", "/hune/live").status == 200


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


def test_a_wrong_method_names_the_right_one(guard: GuardProcess) -> None:
    assert ask(guard.port, "GET", INFER).headers["allow"] == "POST"
    assert ask(guard.port, "POST", "/v2", b"{}").headers["allow"] == "GET"


def test_after_a_bad_body_the_connection_still_serves(guard: GuardProcess) -> None:
    with Client(guard.port) as client:
        assert client.request("POST", INFER, b"{broken").status == 400
        assert client.request("POST", INFER, b"{}").status == 200


def test_a_garbled_second_request_does_not_cost_the_first_its_answer(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = predictor.holds()
    with Client(guard.port) as client:
        client.send(request_bytes("POST", INFER, b"{}") + b"\x00garbage\r\n\r\n")
        predictor.released.set()
        reply = client.receive()
        assert reply.status == 200
        assert client.is_closed_by_server()


def test_a_refused_body_is_not_read_into_memory(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_MAXIMUM_BODY_BYTES="1000")
    before = guard.resident_bytes()
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(guard.port)) for _ in range(20)]
        for client in clients:
            client.send(head(INFER, "Content-Length: 1000000000"))
            client.send(b"a" * 500_000)
        assert [client.receive().status for client in clients] == [413] * 20
        assert guard.resident_bytes() - before < 8 << 20


def test_many_large_bodies_at_once_are_bounded_together(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_MAXIMUM_BODY_BYTES="100000")
    body = b'{"a":"' + b"a" * 99_000 + b'"}'
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(guard.port)) for _ in range(LARGEST_AT_ONCE)]
        for client in clients:
            client.send(request_bytes("POST", INFER, body)[:-1])
            # Once it has answered another, the guard has read what came before.
            assert ask(guard.port, "GET", "/hune/live").status == 200
        reply = ask(guard.port, "POST", INFER, body)
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        for client in clients:
            client.send(body[-1:])
            assert client.receive().status == 200
    assert ask(guard.port, "POST", INFER, body).status == 200


@pytest.mark.parametrize(
    "part",
    [
        b"POST /v2/mod",
        head(INFER, "a: b")[:-2],
        head(INFER, "Content-Length: 10") + b"{",
        head(INFER, "Transfer-Encoding: chunked") + b"5\r\n{",
    ],
    ids=["line", "headers", "body", "chunk"],
)
def test_a_request_that_never_ends_is_ended(start_guard: StartGuard, part: bytes) -> None:
    guard = start_guard(HUNE_READ_TIMEOUT_SECONDS="0.3")
    with Client(guard.port) as client:
        client.send(part)
        reply = client.receive()
        assert reply.status == 408
        assert reply.json() == {"error": "the request did not arrive within 0.3 s"}
        assert client.is_closed_by_server()


def test_a_connection_without_a_request_is_closed(start_guard: StartGuard) -> None:
    guard = start_guard(HUNE_READ_TIMEOUT_SECONDS="0.3")
    with Client(guard.port) as client:
        assert client.is_closed_by_server()


def test_a_client_that_leaves_harms_nobody(guard: GuardProcess, predictor: Predictor) -> None:
    with Client(guard.port) as client:
        client.send(head(INFER, "Content-Length: 10") + b"{")
    predictor.behaviour = predictor.holds()
    with Client(guard.port) as client:
        client.send(request_bytes("POST", INFER, b"{}"))
    predictor.released.set()
    assert ask(guard.port, "POST", INFER, b"{}").status == 200
