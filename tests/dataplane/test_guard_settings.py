"""The mounted files: wanted at the start, followed later, kept when they break."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from hune.contract.prediction import Origin, is_genuine
from tests.dataplane.conftest import NOBODY_ASKED, StartGuard
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Reply, ask
from tests.support.predictor import V1_BODY, Predictor

INFER = "/v2/models/income/infer"


def predict(guard: GuardProcess) -> Reply:
    return ask(guard.port, "POST", INFER, b"{}")


def prediction_of(reply: Reply) -> UUID:
    return UUID(reply.headers["x-hune-prediction-id"])


def test_another_version_and_arm_are_in_force_without_a_restart(start_guard: StartGuard) -> None:
    guard = start_guard()
    assert is_genuine(prediction_of(predict(guard)), guard.key, Origin("income", "income-7"))
    guard.write_settings(modelVersion="income-8", arm="candidate")
    guard.wait_for_line("is in force")
    reply = predict(guard)
    assert reply.json()["parameters"]["hune_model_version"] == "income-8"
    assert is_genuine(prediction_of(reply), guard.key, Origin("income", "income-8", "candidate"))
    information = ask(guard.port, "GET", "/metrics").body.decode()
    assert 'model_version="income-8"' in information
    assert "income-7" not in information


def test_another_key_is_in_force_without_a_restart(start_guard: StartGuard) -> None:
    guard = start_guard()
    guard.write_key(b"k" * 32)
    guard.wait_for_line("is in force")
    assert is_genuine(prediction_of(predict(guard)), b"k" * 32, Origin("income", "income-7"))


def test_another_port_is_in_force_without_a_restart(start_guard: StartGuard) -> None:
    guard = start_guard()
    other = Predictor()
    try:
        assert predict(guard).status == 200
        guard.write_settings(predictorPort=other.port, protocol="V1")
        guard.wait_for_line("is in force")
        reply = ask(guard.port, "POST", "/v1/models/income:predict", b"{}")
        assert reply.body.startswith(V1_BODY[:-1])
        assert len(other.seen) == 1
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "Expecting property name"),
        (b"", "Expecting value"),
        (b"\xff", "can't decode"),
        (b"[]", "must be a JSON object"),
        (b'{"deployment":"a"}', "namespace, modelVersion, revision, protocol, predictorPort is mi"),
    ],
)
def test_a_broken_file_keeps_the_last_good_one_and_is_reported(
    start_guard: StartGuard, content: bytes, said: str
) -> None:
    guard = start_guard()
    guard.write_settings_bytes(content)
    line = guard.wait_for_line("guard.json")
    assert said in line
    assert "the last good content stays in force" in line
    assert predict(guard).json()["parameters"]["hune_model_version"] == "income-7"
    failures = 'hune_guard_file_failures_total{file="guard.json"} 1.0'
    eventually(lambda: failures in ask(guard.port, "GET", "/metrics").body.decode())
    guard.write_settings(modelVersion="income-9")
    guard.wait_for_line("is in force")
    assert predict(guard).json()["parameters"]["hune_model_version"] == "income-9"


def test_a_short_key_is_refused_and_the_last_good_one_stays(start_guard: StartGuard) -> None:
    guard = start_guard()
    guard.write_key(b"short")
    assert "32 raw bytes, but the file has 5" in guard.wait_for_line("key:")
    assert is_genuine(prediction_of(predict(guard)), guard.key, Origin("income", "income-7"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predictorPort": "8080"}, "predictorPort must be int"),
        ({"predictorPort": 0}, "predictorPort must be 1 to 65535"),
        ({"protocol": "V3"}, "protocol must be one of V1, V2"),
        ({"modelVersion": "a\r\nb"}, "modelVersion 'a\\r\\nb' is no Kubernetes name"),
        ({"deployment": ""}, "deployment '' is no Kubernetes name"),
        ({"draining": 1}, "draining must be bool"),
    ],
)
def test_at_the_start_a_bad_field_ends_it_with_one_clear_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    guard = GuardProcess(tmp_path, 1)
    guard.write_settings(**change)
    status, error = guard.run_to_end()
    assert status == 2
    assert re.fullmatch(r"guard: .*/guard\.json: .*; the operator writes it .*\n", error)
    assert said in error


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HUNE_GUARD_FILE": "/nowhere/guard.json"}, "/nowhere/guard.json: No such file"),
        ({"HUNE_PREDICTION_KEY_FILE": "/nowhere/key"}, "Secret hune-prediction-key: mount that"),
        ({"HUNE_GUARD_FILE": "/"}, "/: Is a directory"),
        ({"HUNE_DRAIN_SECONDS": "ten"}, "HUNE_DRAIN_SECONDS is 'ten'"),
        ({"HUNE_MAXIMUM_BODY_BYTES": "-1"}, "HUNE_MAXIMUM_BODY_BYTES is '-1'"),
        ({"HUNE_PREDICTOR_TIMEOUT_SECONDS": "nan"}, "HUNE_PREDICTOR_TIMEOUT_SECONDS is 'nan'"),
    ],
)
def test_at_the_start_a_missing_file_or_bad_variable_ends_it_with_one_clear_line(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    status, error = GuardProcess(tmp_path, 1, access=NOBODY_ASKED, **variables).run_to_end()
    assert status == 2
    assert error.count("\n") == 1
    assert said in error
