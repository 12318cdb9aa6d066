"""Models of the real libraries as ONNX: the same answers, and a report that says so.

All runs in an environment of the image's own lock. What the converted model answers is compared
here with what the trained object answered, apart from the report.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hune.contract.digest import digest_of
from tests.support.environments import ROOT, convert_environment

TRAIN = ROOT / "tests" / "support" / "convertible_models.py"
CLASSIFIERS = [
    "sklearn-logistic",
    "sklearn-forest",
    "sklearn-extra",
    "sklearn-boosting",
    "xgboost-binary",
    "xgboost-classes",
    "lightgbm-binary",
    "lightgbm-classes",
]
# It adds products of unscaled columns, 310 in all, in single precision: one rounding is 1.8e-5 of
# the logit, or 4.6e-6 of a probability. Which bits are lost depends on the processor.
TOLERANCES = {"sklearn-logistic": 1e-5}
REGRESSORS = [
    "sklearn-ridge",
    "sklearn-tree",
    "sklearn-histogram",
    "xgboost-numbers",
    "lightgbm-numbers",
]


@pytest.fixture(scope="module")
def python() -> Path:
    return convert_environment()


@pytest.fixture(scope="module")
def models(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    # -P: its folder has modules that are called as the standard library's.
    ended = start(python, "-P", TRAIN, folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def start(python: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )


def convert(python: Path, model: Path, to: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["-m", "hune.cli.main", "convert", str(model), "--to", str(to), *more]
    return start(python, *words, "--output", "json")


def report_of(models: Path, name: str) -> dict[str, Any]:
    """Return what the command printed, which is what it wrote."""
    directory = models / f"{name}-onnx"
    report: dict[str, Any] = json.loads((models / f"{name}.json").read_text())
    kept = json.loads((directory / "parity.json").read_text())
    assert report == {"digest": digest_of(directory), **kept}
    assert report["holds"]
    return report


def answers_of(models: Path, name: str) -> dict[str, npt.NDArray[Any]]:
    return dict(np.load(models / f"{name}.npz"))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_answers_as_its_library(models: Path, name: str) -> None:
    report, answers = report_of(models, name), answers_of(models, name)
    outputs = [(output["name"], output["kind"]) for output in report["outputs"]]
    assert outputs == [("label", "Label"), ("probabilities", "Numbers")]
    assert np.array_equal(answers["onnx_label"], answers["library_predict"])
    ours, theirs = answers["onnx_probabilities"], answers["library_probabilities"]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES.get(name, 1e-6))


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_answers_as_its_library(models: Path, name: str) -> None:
    report, answers = report_of(models, name), answers_of(models, name)
    assert [output["name"] for output in report["outputs"]] == ["variable"]
    ours, theirs = answers["onnx_variable"].ravel(), answers["library_predict"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_classifier_without_probabilities_is_compared_by_its_scores(models: Path) -> None:
    report, answers = report_of(models, "sklearn-svc"), answers_of(models, "sklearn-svc")
    assert np.array_equal(answers["onnx_label"], answers["library_predict"])
    assert [output["kind"] for output in report["outputs"]] == ["Label", "Numbers"]
    assert report["drawn"].startswith("normal deviates, since the model has no split thresholds")


@pytest.mark.parametrize("name", ["lightgbm-binary", "sklearn-histogram", "sklearn-tree"])
def test_the_hard_rows_are_at_thresholds_that_single_precision_cannot_hold(
    models: Path, name: str
) -> None:
    report = report_of(models, name)
    assert report["drawn"].startswith("drawn at the split thresholds")
    assert 0 < report["roundedThresholds"] <= report["thresholds"]
    assert (report["rows"], report["disagreements"]) == (2000, 0)


@pytest.mark.parametrize(
    ("name", "rows", "agree"),
    [
        ("lightgbm-binary", 2000, True),
        ("xgboost-binary", 2000, True),
        ("sklearn-histogram", 2000, True),
        ("sklearn-forest", 2000, False),
        ("sklearn-logistic", 0, True),
    ],
)
def test_what_comes_of_missing_values_is_told(
    models: Path,
    name: str,
    rows: int,
    agree: bool,  # noqa: FBT001
) -> None:
    missing = report_of(models, name)["missing"]
    assert missing["rows"] == rows
    assert (missing["disagreements"] == 0) is agree


def test_what_is_not_near_enough_is_not_written(python: Path, models: Path, tmp_path: Path) -> None:
    ended = convert(python, models / "xgboost-binary", tmp_path / "onnx", "--tolerance", "0")
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["holds"], report["digest"]) == (False, None)
    assert [file.name for file in (tmp_path / "onnx").iterdir()] == ["parity.json"]


def first_number(model: Path, key: str) -> float:
    """Return the first of the numbers that LightGBM's text has for a key."""
    lines = (model / "model.txt").read_text().split("\n")
    line = next(line for line in lines if line.startswith(f"{key}="))
    return float(line.removeprefix(f"{key}=").split()[0])


def test_rows_that_single_precision_moves_over_a_threshold_are_told(
    python: Path, models: Path, tmp_path: Path
) -> None:
    """LightGBM compares in double precision, where such a row is on the other side."""
    model = models / "lightgbm-numbers"
    rows = answers_of(models, "lightgbm-numbers")["rows"].astype(np.float64)[:50]
    threshold = first_number(model, "threshold")
    up = float(np.float32(threshold)) <= threshold
    rows[:, int(first_number(model, "split_feature"))] = (
        np.nextafter(threshold, np.inf) if up else threshold
    )
    np.save(tmp_path / "rows.npy", rows)
    given = ("--data", str(tmp_path / "rows.npy"))
    ended = convert(python, model, tmp_path / "onnx", *given)
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    assert report["causes"]["roundedInputs"] == report["disagreements"] > 0
    assert report["firstRows"]
    assert convert(python, model, tmp_path / "more", *given, "--allow", "50").returncode == 0
