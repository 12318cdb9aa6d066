"""What a client gets through the guard, and what the predictor gets to see."""

import json
from uuid import UUID

import pytest

from hune.contract.prediction import Origin, is_genuine, is_sampled
from tests.support.guard import GuardProcess
from tests.support.http import Client, ask
from tests.support.predictor import V1_BODY, V2_BODY, Predictor, response, sends

ORIGIN = Origin("income", "income-7")
INFER = "/v2/models/income/infer"
INPUT = b'{"inputs": [{"name":"x","shape":[1,1],"datatype":"FP32","data":[1.10]}]}'


def test_a_v2_prediction_keeps_its_bytes_and_says_which_one_it_is(guard: GuardProcess) -> None:
    reply = ask(guard.port, "POST", INFER, INPUT)
    note = reply.json()["parameters"]
    assert reply.status == 200
    assert reply.body.startswith(V2_BODY[:-1])
    assert note == {
        "hune_prediction_id": reply.headers["x-hune-prediction-id"],
        "hune_model_version": "income-7",
    }
    assert reply.headers["x-hune-model-version"] == "income-7"
    assert {k: v for k, v in reply.json().items() if k != "parameters"} == json.loads(V2_BODY)


def test_a_v1_prediction_keeps_its_bytes_and_says_which_one_it_is(guard: GuardProcess) -> None:
    reply = ask(guard.port, "POST", "/v1/models/income:predict", b'{"instances":[[1]]}')
    assert reply.body.startswith(V1_BODY[:-1])
    assert reply.json()["hune"] == {
        "prediction_id": reply.headers["x-hune-prediction-id"],
        "model_version": "income-7",
    }


def test_ids_are_genuine_unsampled_and_never_the_same(guard: GuardProcess) -> None:
    with Client(guard.port) as client:
        ids = [
            UUID(client.request("POST", INFER, INPUT).headers["x-hune-prediction-id"])
            for _ in range(50)
        ]
    assert len(set(ids)) == 50
    assert all(is_genuine(one, guard.key, ORIGIN) for one in ids)
    assert not any(is_genuine(one, b"0" * 32, ORIGIN) for one in ids)
    assert not any(is_sampled(one) for one in ids)


def test_the_predictor_gets_the_raw_body_and_only_end_to_end_headers(
    guard: GuardProcess, predictor: Predictor
) -> None:
    ask(
        guard.port,
        "POST",
        INFER + "?trace=1",
        INPUT,
        {
            "X-Request-Id": "abc",
            "X-Hune-Prediction-Id": "forged",
            "x_hune_arm": "forged",
            "Connection": "keep-alive, X-Secret",
            "X-Secret": "for the guard only",
            "TE": "trailers",
            "Accept-Encoding": "gzip",
        },
    )
    [seen] = predictor.seen
    assert (seen.method, seen.target, seen.body) == ("POST", INFER + "?trace=1", INPUT)
    assert dict(seen.headers) == {
        "host": f"localhost:{predictor.port}",
        "content-length": str(len(INPUT)),
        "content-type": "application/json",
        "x-request-id": "abc",
    }


def test_a_chunked_request_arrives_whole(guard: GuardProcess, predictor: Predictor) -> None:
    head = f"POST {INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    with Client(guard.port) as client:
        client.send(head + b"1\r\n{\r\n")
        client.send(b"1;note=x\r\n}\r\n0\r\nTrailer: x\r\n\r\n")
        assert client.receive().status == 200
    assert predictor.seen[0].body == b"{}"


def test_two_requests_sent_at_once_are_answered_in_order(
    guard: GuardProcess, predictor: Predictor
) -> None:
    one = f"POST {INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{{}}".encode()
    two = b"GET /v2/models/income HTTP/1.1\r\nhost: a\r\n\r\n"
    with Client(guard.port) as client:
        client.send(one + two)
        first, second = client.receive(), client.receive()
    assert "x-hune-prediction-id" in first.headers
    assert second.json() == {"name": "income", "versions": ["income-7"]}
    assert [seen.target for seen in predictor.seen] == [INFER, "/v2/models/income"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/income/ready",
        "/v1/models",
        "/v1/models/income",
    ],
)
def test_what_is_no_prediction_passes_unchanged(
    guard: GuardProcess, predictor: Predictor, path: str
) -> None:
    reply = ask(guard.port, "GET", path, headers={"x-from": "test"})
    assert reply.status == 200
    assert predictor.seen[0].target == path
    assert not [name for name in reply.headers if name.startswith("x-hune")]
    assert "parameters" not in reply.json()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("400 Bad Request", b'{"error": "shape [1,1] expected"}'),
        ("404 Not Found", b'{"error": "no model"}'),
        ("500 Internal Server Error", b"oops"),
        ("503 Service Unavailable", b""),
        ("204 No Content", b""),
    ],
)
def test_what_the_predictor_refuses_passes_unchanged(
    guard: GuardProcess, predictor: Predictor, status: str, body: bytes
) -> None:
    predictor.behaviour = sends(response(body, status, "content-type: a/b\r\nx-why: so\r\n"))
    reply = ask(guard.port, "POST", INFER, INPUT)
    assert (reply.status, reply.body) == (int(status[:3]), body)
    assert (reply.headers["content-type"], reply.headers["x-why"]) == ("a/b", "so")
    assert "x-hune-prediction-id" not in reply.headers


@pytest.mark.parametrize(
    "body", [b"[1, 2]", b"", b'"text"', b"{broken", b'{"a": NaN}', b"\x89PNG", b'{"parameters":3}']
)
def test_an_answer_that_is_no_object_passes_with_headers_only(
    guard: GuardProcess, predictor: Predictor, body: bytes
) -> None:
    predictor.behaviour = sends(response(body))
    reply = ask(guard.port, "POST", INFER, INPUT)
    assert (reply.status, reply.body) == (200, body)
    assert is_genuine(UUID(reply.headers["x-hune-prediction-id"]), guard.key, ORIGIN)


def test_parameters_of_the_predictor_stay_and_cannot_pose_as_ours(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = sends(
        response(
            b'{"outputs":[1.0],"parameters":{"n":1.50,"hune_prediction_id":"x"}}',
            headers="x-hune-model-version: fake\r\ncontent-type: application/json\r\n",
        )
    )
    reply = ask(guard.port, "POST", INFER, INPUT)
    assert reply.json()["parameters"] == {
        "n": 1.5,
        "hune_prediction_id": reply.headers["x-hune-prediction-id"],
        "hune_model_version": "income-7",
    }
    assert b'"n":1.50' in reply.body
    assert reply.headers["x-hune-model-version"] == "income-7"


def test_binary_tensors_pass_and_the_length_of_the_json_part_is_right(
    guard: GuardProcess, predictor: Predictor
) -> None:
    part = b'{"outputs":[{"name":"y","parameters":{"binary_data_size":8}}]}'
    tensor = bytes(range(8))
    predictor.behaviour = sends(
        response(
            part + tensor,
            headers=(
                f"content-type: application/octet-stream\r\n"
                f"Inference-Header-Content-Length: {len(part)}\r\n"
            ),
        )
    )
    body = b'{"inputs":[]}' + tensor
    reply = ask(
        guard.port, "POST", INFER, body, {"Inference-Header-Content-Length": str(len(body) - 8)}
    )
    length = int(reply.headers["inference-header-content-length"])
    document = json.loads(reply.body[:length])
    assert reply.body[length:] == tensor
    assert document.pop("parameters")["hune_model_version"] == "income-7"
    assert document == json.loads(part)
    assert predictor.seen[0].body == body
    assert predictor.seen[0].headers["inference-header-content-length"] == str(len(body) - 8)


def test_connections_to_the_predictor_are_kept_alive(
    guard: GuardProcess, predictor: Predictor
) -> None:
    ask(guard.port, "POST", INFER, INPUT)
    before = predictor.connections
    for _ in range(20):
        assert ask(guard.port, "POST", INFER, INPUT).status == 200
    assert predictor.connections == before


def test_curl_with_a_large_body_is_told_to_continue(guard: GuardProcess) -> None:
    body = b'{"inputs": [' + b" " * 100_000 + b"]}"
    with Client(guard.port) as client:
        client.send(
            f"POST {INFER} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
        )
        assert client.socket.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(body)
        assert client.receive().status == 200


def test_an_offer_to_upgrade_is_answered_in_http_1(guard: GuardProcess) -> None:
    headers = {"connection": "upgrade", "upgrade": "h2c"}
    assert ask(guard.port, "GET", "/v2/models/income", headers=headers).status == 200


def test_an_http_1_0_client_is_answered_and_closed(guard: GuardProcess) -> None:
    with Client(guard.port) as client:
        client.send(b"GET /v2/models/income HTTP/1.0\r\n\r\n")
        assert client.receive().status == 200
        assert client.is_closed_by_server()
