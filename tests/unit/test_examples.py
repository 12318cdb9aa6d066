import io
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import yaml

from hune.contract.digest import digest_of
from hune.controlplane.api.modeldeployment import ModelDeploymentSpec
from hune.dataplane.detectors.detector import load_detector
from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.v2_request import read_v2
from tests.support import examples
from tests.support.detector_fixture import train_rows
from tests.support.detectors import BREAST_CANCER, BREAST_CANCER_ATTACKS

NAMES = examples.names()


def manifests(name: str) -> list[dict[str, Any]]:
    folder = examples.FOLDER / name
    files = sorted(path for path in folder.glob("[0-9]-*.yaml"))
    return [document for path in files for document in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_types_what_the_tests_run(name: str) -> None:
    readme = (examples.FOLDER / name / "README.md").read_text()
    untold = [
        line
        for step in examples.steps(name)
        for line in step.run.splitlines()
        if line not in readme
    ]
    assert untold == []


@pytest.mark.parametrize("name", NAMES)
def test_every_deployment_is_one_that_hune_accepts(name: str) -> None:
    found = [m for m in manifests(name) if m["kind"] == "ModelDeployment"]
    assert found
    for manifest in found:
        ModelDeploymentSpec.model_validate(manifest["spec"])


@pytest.mark.parametrize("name", NAMES)
def test_every_namespace_is_restricted(name: str) -> None:
    labels = [m["metadata"]["labels"] for m in manifests(name) if m["kind"] == "Namespace"]
    assert labels == [{"pod-security.kubernetes.io/enforce": "restricted"}]


def test_the_storys_detectors_are_those_beside_its_models() -> None:
    deployments = [m for m in manifests("00-story") if m["kind"] == "ModelDeployment"]
    digests = [m["spec"]["guard"]["outliers"]["digest"] for m in deployments]
    assert digests == [digest_of(BREAST_CANCER)] * 2
    digest = deployments[0]["spec"]["guard"]["adversarial"]["digest"]
    assert digest == digest_of(BREAST_CANCER_ATTACKS)


@pytest.mark.parametrize(
    ("detector_of", "name", "file", "flagged"),
    [
        (BREAST_CANCER, "00-story", "outlier", [True]),
        (BREAST_CANCER, "00-story", "attacked", [False]),
        (BREAST_CANCER_ATTACKS, "00-story", "attacked", [True]),
        (BREAST_CANCER_ATTACKS, "00-story", "patient", [False]),
        (BREAST_CANCER, "05-outliers", "ordinary", [False]),
        (BREAST_CANCER, "05-outliers", "outlier", [True]),
        (BREAST_CANCER, "05-outliers", "batch", [False, True, False]),
    ],
)
def test_a_detector_judges_the_rows_as_told(
    detector_of: Path, name: str, file: str, flagged: list[bool]
) -> None:
    request = (examples.FOLDER / name / f"{file}.json").read_bytes()
    detector = load_detector(detector_of)
    rows = table_of(read_v2(request)).numbers(detector.names, detector.count)
    assert list(detector.score(rows) > detector.threshold) == flagged


def test_the_detectors_data_are_the_rows_of_the_training(tmp_path: Path) -> None:
    data = runpy.run_path(str(examples.FOLDER / "05-outliers" / "data.py"))
    data["main"](tmp_path / "build" / "train.csv")
    header, *lines = (tmp_path / "build" / "train.csv").read_text().splitlines()
    names, rows = train_rows()
    assert header.split(",") == names
    assert [[float(word) for word in line.split(",")] for line in lines] == rows.tolist()


@pytest.fixture(scope="module")
def quickstart() -> dict[str, Any]:
    return runpy.run_path(str(examples.FOLDER / "01-quickstart" / "train.py"))


@pytest.mark.parametrize("kind", ["logistic", "forest"])
def test_training_twice_gives_the_same_model(
    quickstart: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    for folder in ("1", "2"):
        quickstart["main"](kind, tmp_path / folder)
    first, second = ((tmp_path / folder / "model.joblib").read_bytes() for folder in ("1", "2"))
    assert first == second
    request = json.loads((examples.FOLDER / "01-quickstart" / "request.json").read_text())
    patients = np.array(request["inputs"][0]["data"])
    assert list(joblib.load(io.BytesIO(first)).predict(patients)) == [0, 1]


def test_the_second_model_is_the_better_one(quickstart: dict[str, Any], tmp_path: Path) -> None:
    for kind in ("logistic", "forest"):
        quickstart["main"](kind, tmp_path / kind)
    accuracy = {
        kind: float((tmp_path / f"{kind}.accuracy").read_text()) for kind in ("logistic", "forest")
    }
    assert accuracy["forest"] > accuracy["logistic"] > 0.95


def test_the_custom_server_tells_a_client_what_is_wrong() -> None:
    server = runpy.run_path(
        str(examples.FOLDER / "03-custom-container" / "image" / "server.py"), run_name="server"
    )
    request = json.loads((examples.FOLDER / "03-custom-container" / "request.json").read_text())
    assert server["infer"](request, "loans")["outputs"][0]["data"] == [1, 0]
    request["inputs"][0]["shape"] = [2, 3]
    with pytest.raises(ValueError, match="income and debt"):
        server["infer"](request, "loans")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], str]:
    def make(document: dict[str, Any]) -> str:
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "expected.yaml").write_text(yaml.safe_dump(document))
        return "made"

    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    monkeypatch.setattr(examples, "_PAUSE", 0.01)
    return make


def test_playing_waits_for_what_is_promised_and_cleans_up(
    example: Callable[[dict[str, Any]], str], tmp_path: Path
) -> None:
    document = {
        "steps": [
            {"run": "echo up; sleep 60", "background": True, "prints": "^up"},
            {"run": "echo . >> tries; wc -l < tries", "prints": "^3$"},
        ],
        "cleanup": ["echo . >> cleaned"],
    }
    with examples.played(example(document), {}):
        # An interrupted run may have left something.
        assert (tmp_path / "made" / "cleaned").read_text() == ".\n"
    assert (tmp_path / "made" / "cleaned").read_text() == ".\n.\n"


def test_a_broken_promise_shows_the_command_and_its_output(
    example: Callable[[dict[str, Any]], str], tmp_path: Path
) -> None:
    document = {
        "steps": [{"run": "echo something else", "prints": "promised", "within": 0}],
        "cleanup": ["touch cleaned"],
    }
    with (
        pytest.raises(examples.ExampleError, match=r"something else(\n.*)+not printed: promised"),
        examples.played(example(document), {}),
    ):
        pass
    assert (tmp_path / "made" / "cleaned").exists()
