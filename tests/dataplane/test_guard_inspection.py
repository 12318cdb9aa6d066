"""What a guard with a detector and a contract says of a request, and what when it cannot."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.contract.digest import digest_of
from tests.dataplane.conftest import StartGuard
from tests.support.detectors import small_forest, write_detector
from tests.support.guard import GuardProcess
from tests.support.http import Reply, ask
from tests.support.predictor import Predictor

INFER = "/v2/models/income/infer"
# The small forest isolates a row with a large first value at once.
ORDINARY, ODD = [0.9, 1.0], [5.0, 9.0]
FEATURES = [{"name": "a", "type": "Float", "maximum": "2"}, {"name": "b", "type": "Float"}]


def body(*rows: list[float]) -> bytes:
    data = [value for row in rows for value in row]
    tensor = {"name": "x", "shape": [len(rows), 2], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


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
    values = np.array([ORDINARY, ODD]).tobytes()
    tensor = {"name": "x", "shape": [2, 2], "datatype": "FP64"}
    head = json.dumps(
        {"inputs": [tensor | {"parameters": {"binary_data_size": len(values)}}]}
    ).encode()
    length = {"inference-header-content-length": str(len(head))}
    note = ask(watched.port, "POST", INFER, head + values, length).json()["parameters"]
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
