"""What a guard with a detector and a contract says of a request, and what when it cannot."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.contract.digest import digest_of
from tests.dataplane.conftest import StartGuard
from tests.support.detectors import crowd, small_forest, write_detector
from tests.support.guard import ROOT, GuardProcess
from tests.support.http import Reply, ask
from tests.support.predictor import Predictor

INFER = "/v2/models/income/infer"
# The small forest isolates a row with a large first value at once.
ORDINARY, ODD = [0.9, 1.0], [5.0, 9.0]
# No request makes a detector fail that was loaded: a fault of Hune's own stands in, for one row.
FATAL = [6.66, 0.0]
FAULT = f"""
from hune.dataplane.detectors.isolation_forest import IsolationForest

score = IsolationForest.score


def score_or_fail(self, rows):
    if (rows == {FATAL}).all(axis=1).any():
        raise ZeroDivisionError
    return score(self, rows)


IsolationForest.score = score_or_fail
"""
FEATURES = [{"name": "a", "type": "Float", "maximum": "2"}, {"name": "b", "type": "Float"}]


def body(*rows: list[float]) -> bytes:
    data = [value for row in rows for value in row]
    tensor = {"name": "x", "shape": [len(rows), 2], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def binary(rows: np.ndarray[Any, np.dtype[Any]]) -> tuple[bytes, dict[str, str]]:
    """Return a body and its headers."""
    datatype = {"f8": "FP64", "u1": "UINT8"}[rows.dtype.str[1:]]
    tensor = {"name": "x", "shape": rows.shape, "datatype": datatype}
    size = {"parameters": {"binary_data_size": rows.nbytes}}
    head = json.dumps({"inputs": [tensor | size]}).encode()
    return head + rows.tobytes(), {"inference-header-content-length": str(len(head))}


def settings_of(place: Path, **changes: Any) -> dict[str, Any]:
    detector = {"uri": "s3://models/outliers", "path": str(place), "digest": digest_of(place)}
    return detector | {"threshold": "0.0"} | changes


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    return write_detector(tmp_path / "artefact", small_forest())


@pytest.fixture
def watched(start_guard: StartGuard, artefact: Path) -> GuardProcess:
    guard = start_guard()
    tell(guard, outliers=settings_of(artefact))
    return guard


def tell(guard: GuardProcess, **changes: Any) -> None:
    """Change the settings and wait until they are in force."""
    seen = len(guard.log)
    guard.write_settings(**changes)
    guard.wait_for_line_after("is in force", seen)


def infer(guard: GuardProcess, *rows: list[float]) -> Reply:
    return ask(guard.port, "POST", INFER, body(*rows))


def state(guard: GuardProcess) -> dict[str, Any]:
    found: dict[str, Any] = ask(guard.port, "GET", "/hune/state").json()
    return found


def metric(guard: GuardProcess, line: str) -> float:
    text = ask(guard.port, "GET", "/metrics").body.decode()
    (value,) = (row.rpartition(" ")[2] for row in text.splitlines() if row.startswith(line))
    return float(value)


def test_an_outlier_is_flagged_row_by_row_and_answered(
    watched: GuardProcess, predictor: Predictor
) -> None:
    reply = infer(watched, ORDINARY, ODD, ORDINARY)
    note = reply.json()["parameters"]
    scores = [float(score) for score in note["hune_outlier_scores"].split(",")]
    assert reply.status == 200
    assert (note["hune_outlier"], note["hune_outlier_rows"]) == (True, "1")
    assert [score > note["hune_outlier_threshold"] for score in scores] == [False, True, False]
    assert reply.headers["x-hune-outlier"] == "true"
    assert [seen.body for seen in predictor.seen] == [body(ORDINARY, ODD, ORDINARY)]
    assert metric(watched, 'hune_guard_detector_rows_total{detector="outliers"}') == 3
    assert metric(watched, 'hune_guard_detector_flagged_total{detector="outliers"}') == 1


def test_an_ordinary_row_is_said_to_be_one(watched: GuardProcess) -> None:
    reply = infer(watched, ORDINARY)
    assert reply.json()["parameters"]["hune_outlier"] is False
    assert reply.json()["parameters"]["hune_outlier_rows"] == ""
    assert reply.headers["x-hune-outlier"] == "false"
    assert state(watched) == {}


def test_v1_has_lists(watched: GuardProcess) -> None:
    request = json.dumps({"instances": [ORDINARY, ODD]}).encode()
    note = ask(watched.port, "POST", "/v1/models/income:predict", request).json()["hune"]
    assert (note["outlier"], note["outlier_rows"], len(note["outlier_scores"])) == (True, [1], 2)


def test_binary_tensors_are_judged_too(watched: GuardProcess) -> None:
    note = ask(watched.port, "POST", INFER, *binary(np.array([ORDINARY, ODD]))).json()["parameters"]
    assert note["hune_outlier_rows"] == "1"


def test_a_large_batch_is_judged_beside_the_others(watched: GuardProcess) -> None:
    note = infer(watched, *[ORDINARY] * 500, ODD).json()["parameters"]
    assert note["hune_outlier_rows"] == "500"


def test_rejecting_keeps_the_predictor_out_of_it(
    watched: GuardProcess, artefact: Path, predictor: Predictor
) -> None:
    tell(watched, outliers=settings_of(artefact, onDetect="Reject"))
    reply = infer(watched, ORDINARY, ODD)
    assert reply.status == 422
    assert "row 1" in reply.json()["error"]
    assert predictor.seen == []
    assert infer(watched, ORDINARY).status == 200


def test_a_threshold_changes_in_place(watched: GuardProcess, artefact: Path) -> None:
    tell(watched, outliers=settings_of(artefact, threshold="1.0"))
    assert infer(watched, ODD).json()["parameters"]["hune_outlier"] is False


@pytest.mark.parametrize(
    ("damage", "reason", "kind"),
    [
        (lambda place: (place / "detector.json").write_text("{}"), "DigestMismatch", "Unusable"),
        (shutil.rmtree, "SourceNotFound", "Missing"),
        (
            lambda place: (place / ".hune-refused.json").write_text(
                '{"hune": "refusal", "reason": "AccessDenied", "uri": "u", "message": "no right"}'
            ),
            "AccessDenied",
            "Unusable",
        ),
    ],
)
def test_without_its_artefact_the_failure_policy_decides(
    start_guard: StartGuard,
    artefact: Path,
    predictor: Predictor,
    damage: Any,
    reason: str,
    kind: str,
) -> None:
    wanted = settings_of(artefact)
    damage(artefact)
    guard = start_guard()
    tell(guard, outliers=wanted)
    reply = infer(guard, ODD)
    assert reply.status == 200
    assert reply.json()["parameters"]["hune_outlier_unjudged"].startswith(reason)
    assert "x-hune-outlier" not in reply.headers
    (fault,) = state(guard)["faults"]
    assert (fault["detector"], fault["reason"]) == ("outliers", reason)
    failures = f'hune_guard_detector_failures_total{{detector="outliers",reason="{kind}"}}'
    assert metric(guard, failures) == 1
    assert ask(guard.port, "GET", "/hune/ready").status == 200

    predictor.seen.clear()
    tell(guard, outliers=wanted, failurePolicy="Closed")
    assert infer(guard, ORDINARY).status == 503
    assert predictor.seen == []
    assert reason in infer(guard, ORDINARY).json()["error"]
    assert ask(guard.port, "GET", "/hune/ready").status == 503


@pytest.mark.parametrize("rows", [1, 500], ids=["in place", "in a thread"])
def test_a_detector_that_fails_on_one_request_judges_the_next(
    start_guard: StartGuard, artefact: Path, tmp_path: Path, predictor: Predictor, rows: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FAULT)
    guard = start_guard(PYTHONPATH=f"{tmp_path}:{ROOT / 'operator'}")
    tell(guard, outliers=settings_of(artefact))
    fatal = [FATAL] * rows
    failed = infer(guard, *fatal)
    assert failed.status == 200
    assert failed.json()["parameters"]["hune_outlier_unjudged"].startswith("DetectorFailed")
    assert "x-hune-outlier" not in failed.headers
    (fault,) = state(guard)["faults"]
    assert (fault["detector"], fault["reason"]) == ("outliers", "DetectorFailed")
    assert "ZeroDivisionError" in fault["message"]
    failures = 'hune_guard_detector_failures_total{detector="outliers",reason="Crash"}'
    assert metric(guard, failures) == 1
    assert infer(guard, ODD).json()["parameters"]["hune_outlier_rows"] == "0"
    assert "faults" not in state(guard)

    tell(guard, outliers=settings_of(artefact), failurePolicy="Closed")
    predictor.seen.clear()
    refused = infer(guard, *fatal)
    assert (refused.status, predictor.seen) == (503, [])
    assert "the outlier detector cannot judge: DetectorFailed" in refused.json()["error"]
    # It is no reason to take the pod out of service: other requests are answered.
    assert ask(guard.port, "GET", "/hune/ready").status == 200
    assert infer(guard, ORDINARY).status == 200


def test_other_columns_are_told_and_are_no_fault_of_the_detector(
    watched: GuardProcess, artefact: Path
) -> None:
    wide = json.dumps(
        {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]}
    ).encode()
    reply = ask(watched.port, "POST", INFER, wide)
    assert reply.status == 200
    assert "2 columns are wanted" in reply.json()["parameters"]["hune_outlier_unjudged"]
    assert state(watched) == {}
    tell(watched, outliers=settings_of(artefact), failurePolicy="Closed")
    assert ask(watched.port, "POST", INFER, wide).status == 422


def test_more_rows_than_an_answer_has_scores_for_are_not_judged(
    watched: GuardProcess, artefact: Path
) -> None:
    many = np.zeros((65_537, 2), np.uint8)
    reply = ask(watched.port, "POST", INFER, *binary(many))
    assert reply.status == 200
    said = reply.json()["parameters"]["hune_outlier_unjudged"]
    assert said.startswith("TooManyRows: the request has 65537 rows, 65536 are judged at once")
    assert state(watched) == {}
    judged = ask(watched.port, "POST", INFER, *binary(many[1:])).json()["parameters"]
    assert judged["hune_outlier_scores"].count(",") == 65_535
    tell(watched, outliers=settings_of(artefact), failurePolicy="Closed")
    assert ask(watched.port, "POST", INFER, *binary(many)).status == 422


def test_a_detector_that_is_too_slow_is_told_until_it_judges_again(
    start_guard: StartGuard, artefact: Path, predictor: Predictor
) -> None:
    guard = start_guard(HUNE_DETECTOR_SECONDS="0")
    tell(guard, outliers=settings_of(artefact))
    many = np.zeros((1025, 2))
    reply = ask(guard.port, "POST", INFER, *binary(many))
    assert reply.status == 200
    said = reply.json()["parameters"]["hune_outlier_unjudged"]
    assert said.startswith("DetectorTooSlow: 1024 of 1025 rows took more than 0 s; send smaller")
    (fault,) = state(guard)["faults"]
    assert (fault["detector"], fault["reason"]) == ("outliers", "DetectorTooSlow")
    failures = 'hune_guard_detector_failures_total{detector="outliers",reason="Slow"}'
    assert metric(guard, failures) == 1
    assert infer(guard, ODD).json()["parameters"]["hune_outlier_rows"] == "0"
    assert "faults" not in state(guard)

    tell(guard, outliers=settings_of(artefact), failurePolicy="Closed")
    predictor.seen.clear()
    refused = ask(guard.port, "POST", INFER, *binary(many))
    assert (refused.status, predictor.seen) == (422, [])
    assert "send smaller batches" in refused.json()["error"]
    assert infer(guard, ORDINARY).status == 200


def test_more_values_than_there_is_memory_for_are_refused(watched: GuardProcess) -> None:
    wide = np.zeros((1, (1 << 22) + 1), np.uint8)
    reply = ask(watched.port, "POST", INFER, *binary(wide))
    assert reply.status == 413
    assert "more than 4194304 values" in reply.json()["error"]
    half = b"[" + b"1," * (1 << 21) + b"1]"
    columns = b'{"inputs": {"a": %b, "b": %b}}' % (half, half)
    assert ask(watched.port, "POST", "/v1/models/income:predict", columns).status == 413


def test_a_contract_is_kept_or_told(
    watched: GuardProcess, artefact: Path, predictor: Predictor
) -> None:
    tell(watched, outliers=settings_of(artefact), dataContract={"features": FEATURES})
    reply = infer(watched, ORDINARY, ODD)
    note = reply.json()["parameters"]
    assert (reply.status, note["hune_contract_breaches"]) == (200, 1)
    assert "row 1, 'a': 5" in note["hune_contract_report"]
    assert note["hune_outlier_rows"] == "1"
    assert reply.headers["x-hune-contract-breaches"] == "1"
    predictor.seen.clear()
    tell(watched, dataContract={"features": FEATURES, "onBreach": "Reject"})
    refused = infer(watched, ODD)
    assert refused.status == 422
    assert "'a': 5" in refused.json()["error"]
    assert predictor.seen == []


def test_what_cannot_be_read_is_the_senders_fault(watched: GuardProcess) -> None:
    reply = ask(watched.port, "POST", INFER, b'{"inputs": [{"name": "x", "shape": [9]}]}')
    assert reply.status == 400
    assert "inputs[0]" in reply.json()["error"]


# It lies right of one whose class is left, and is nothing else than moved; the other is far across.
ATTACK, ACROSS = [0.5, -8.0], [1.01, 90.0]


@pytest.fixture
def defence(tmp_path: Path) -> Path:
    return write_detector(tmp_path / "defence", crowd(), "Neighbours", threshold="0.5")


def test_an_attack_is_flagged_beside_outliers_and_counted(
    watched: GuardProcess, artefact: Path, defence: Path, predictor: Predictor
) -> None:
    detector = settings_of(defence, threshold="")
    tell(watched, outliers=settings_of(artefact), adversarial=detector)
    reply = infer(watched, ORDINARY, ATTACK, ACROSS)
    note = reply.json()["parameters"]
    assert (reply.status, len(predictor.seen)) == (200, 1)
    assert (note["hune_adversarial"], note["hune_adversarial_rows"]) == (True, "1")
    assert note["hune_adversarial_threshold"] == 0.5
    scores = [float(score) for score in note["hune_adversarial_scores"].split(",")]
    assert [score > 0.5 for score in scores] == [False, True, False]
    assert note["hune_outlier_rows"] == "2"
    assert reply.headers["x-hune-adversarial"] == "true"
    assert metric(watched, 'hune_guard_detector_flagged_total{detector="adversarial"}') == 1
    assert state(watched) == {
        "detections": [
            {"detector": "outliers", "rows": 1},
            {"detector": "adversarial", "rows": 1},
        ]
    }
    assert infer(watched, ORDINARY).headers["x-hune-adversarial"] == "false"


def test_an_attack_is_refused_where_that_is_wanted(
    watched: GuardProcess, defence: Path, predictor: Predictor
) -> None:
    tell(watched, outliers=None, adversarial=settings_of(defence, onDetect="Reject"))
    refused = infer(watched, ATTACK)
    assert refused.status == 422
    assert "adversarial score above 0" in refused.json()["error"]
    assert "x-hune-outlier" not in refused.headers
    assert predictor.seen == []


def test_without_its_artefact_an_attack_is_unjudged_or_unanswered(
    watched: GuardProcess, artefact: Path, defence: Path
) -> None:
    gone = settings_of(defence, path=f"{defence}-gone")
    tell(watched, outliers=settings_of(artefact), adversarial=gone)
    note = infer(watched, ATTACK).json()["parameters"]
    assert note["hune_adversarial_unjudged"].startswith("SourceNotFound")
    assert "hune_outlier_scores" in note
    (fault,) = state(watched)["faults"]
    assert fault["detector"] == "adversarial"
    tell(watched, outliers=settings_of(artefact), adversarial=gone, failurePolicy="Closed")
    assert infer(watched, ATTACK).status == 503
    assert "adversarial" in ask(watched.port, "GET", "/hune/ready").json()["error"]
