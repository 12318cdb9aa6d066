"""A path names the model and the version that are served, or it is told which ones are."""

import json

import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.echo import echo
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, ask
from tests.support.predictor import Predictor, response, sends

INPUT = b'{"inputs": [{"name":"x","shape":[1,1],"datatype":"FP32","data":[1.10]}]}'
NOT_FOUND = response(b'{"detail":"Not Found"}', "404 Not Found")


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        ("POST", "/v2/models/income", "/infer"),
        ("GET", "/v2/models/income", "/ready"),
        ("GET", "/v2/models/income", ""),
        ("POST", "/v1/models/income", ":predict"),
        ("GET", "/v1/models/income", ""),
    ],
)
def test_the_served_version_may_be_named_and_the_predictor_never_hears_of_it(
    guard: GuardProcess, predictor: Predictor, method: str, before: str, after: str
) -> None:
    body = INPUT if method == "POST" else b""
    plain = ask(guard.port, method, f"{before}{after}?trace=1", body)
    versioned = ask(guard.port, method, f"{before}/versions/income-7{after}?trace=1", body)
    assert (versioned.status, plain.status) == (200, 200)
    assert [seen.target for seen in predictor.seen] == [f"{before}{after}?trace=1"] * 2
    assert predictor.seen[1].body == body


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/v2/models/income/versions/7/infer", "'income' has no version '7' here"),
        ("GET", "/v2/models/income/versions/income-8", "no version 'income-8'"),
        ("GET", "/v2/models/income/versions/income-70/ready", "no version 'income-70'"),
        ("GET", "/v2/models/income/versions/INCOME-7", "no version 'INCOME-7'"),
        ("POST", "/v1/models/income/versions/1:predict", "no version '1'"),
        ("GET", "/v1/models/income/versions/1", "no version '1'"),
        ("POST", "/v2/models/outcome/infer", "no model 'outcome' here; 'income' is served"),
        ("POST", "/v2/models/outcome/versions/income-7/infer", "no model 'outcome'"),
        ("GET", "/v2/models/Income", "no model 'Income'"),
        ("GET", "/v2/models/income-1a2b3c4d/ready", "no model 'income-1a2b3c4d'"),
        ("POST", "/v1/models/outcome:predict", "no model 'outcome'"),
        ("GET", "/v1/models/" + "a" * 500, "no model 'aaaa"),
    ],
)
def test_another_model_or_version_is_not_there_and_what_is_is_named(
    guard: GuardProcess, predictor: Predictor, method: str, path: str, said: str
) -> None:
    reply = ask(guard.port, method, path, INPUT if method == "POST" else b"")
    assert reply.status == 404
    assert list(reply.json()) == ["error"]
    assert said in reply.json()["error"]
    assert reply.json()["error"].endswith(("'income' is served", "'income-7' is served"))
    assert len(reply.body) < 300
    assert predictor.seen == []


def test_a_new_version_is_known_as_soon_as_its_settings_are_in_force(
    start_guard: StartGuard,
) -> None:
    guard = start_guard()
    path = "/v2/models/income/versions/income-8/ready"
    assert ask(guard.port, "GET", path).status == 404
    guard.write_settings(modelVersion="income-8")
    eventually(lambda: ask(guard.port, "GET", path).status == 200)
    assert ask(guard.port, "GET", path.replace("8", "7")).status == 404


def test_metadata_is_the_predictor_s_with_the_version_that_hune_knows(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = sends(
        response(b'{"name":"income","versions":["1"], "inputs":[{"shape":[-1, 3]}]}')
    )
    for path in ("/v2/models/income", "/v2/models/income/versions/income-7"):
        reply = ask(guard.port, "GET", path)
        assert reply.json() == {
            "name": "income",
            "versions": ["income-7"],
            "inputs": [{"shape": [-1, 3]}],
        }


@pytest.mark.parametrize("body", [b"[1]", b"", b"{broken"])
def test_metadata_that_is_no_object_passes(
    guard: GuardProcess, predictor: Predictor, body: bytes
) -> None:
    predictor.behaviour = sends(response(body))
    assert ask(guard.port, "GET", "/v2/models/income").body == body


def test_a_v2_predictor_without_metadata_says_so_itself(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = sends(NOT_FOUND)
    for path in ("/v2", "/v2/models/income", "/v1/models", "/v1/models/income"):
        reply = ask(guard.port, "GET", path)
        assert (reply.status, reply.json()) == (404, {"detail": "Not Found"})


def test_a_hand_written_v1_server_need_not_know_the_paths_of_its_model(
    start_guard: StartGuard, predictor: Predictor
) -> None:
    predictor.behaviour = predictor.probed = sends(NOT_FOUND)
    guard = start_guard()
    guard.write_settings(protocol="V1")
    guard.wait_for_line("is in force")
    eventually(lambda: ask(guard.port, "GET", "/v1/models").status == 200)
    assert ask(guard.port, "GET", "/v1/models").json() == {"models": ["income"]}
    assert ask(guard.port, "GET", "/v1/models/income").status == 503
    predictor.probed = lambda seen, connection: sends(
        response(b"hello") if seen.target == "/" else NOT_FOUND
    )(seen, connection)
    eventually(lambda: ask(guard.port, "GET", "/v1/models/income").status == 200)
    assert ask(guard.port, "GET", "/v1/models/income").json() == {"name": "income", "ready": True}


def test_what_is_wanted_of_outputs_reaches_the_predictor_and_binary_answers_pass(
    guard: GuardProcess, predictor: Predictor
) -> None:
    predictor.behaviour = echo
    request = json.loads(INPUT) | {
        "id": "7",
        "parameters": {"binary_data_output": True},
        "outputs": [{"name": "x", "parameters": {"classification": 2}}],
    }
    body = json.dumps(request).encode()
    with Client(guard.port) as client:
        reply = client.request("POST", "/v2/models/income/infer", body)
    assert predictor.seen[0].body == body
    length = int(reply.headers["inference-header-content-length"])
    answer = json.loads(reply.body[:length])
    assert answer["outputs"][0]["parameters"] == {"binary_data_size": 4}
    assert answer["id"] == "7"
    assert answer["parameters"]["hune_model_version"] == "income-7"
    assert reply.body[length:] == b"\xcd\xcc\x8c\x3f"
