"""AdversarialAE fitted by the real alibi-detect, scored by the guard's numpy: the same answers."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hune.dataplane.detectors.detector import load_detector
from tests.support.environments import ROOT, fit_environment

SCRIPT = ROOT / "tests" / "support" / "alibi_adversarial.py"
PARAMETERS = ("hidden=16", "code=8", "epochs=4", "batch=128", "temperature=50")


def run(python: Path, *words: str | Path) -> str:
    ended = subprocess.run(
        [python, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def python() -> Path:
    return fit_environment()


@pytest.fixture(scope="module")
def asked(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alibi")
    # -P: its folder has modules that are called as the standard library's.
    run(python, "-P", SCRIPT, folder)
    return folder


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("standardise", "spread"), [("0", "same"), ("1", "each")])
def test_the_guard_scores_as_alibi_detect(
    python: Path, asked: Path, tmp_path: Path, standardise: str, spread: str
) -> None:
    words = ["-m", "hune.cli.main", "fit", "adversarial", "--method", "AdversarialAE"]
    words += ["--data", str(asked / "train.npy"), "--model", str(asked / "model.joblib")]
    words += ["--calibrate-with", str(asked / "fresh.npy"), "--false-alarm-rate", "0.05"]
    words += [f"--parameter={word}" for word in (*PARAMETERS, f"standardise={standardise}")]
    report = json.loads(run(python, *words, "--to", str(tmp_path / "a"), "--output", "json"))
    detector = load_detector(tmp_path / "a")
    alibi = np.load(asked / "scores.npz")
    ours = detector.score(alibi["rows"])
    np.testing.assert_allclose(ours, alibi[spread], rtol=1e-7, atol=1e-9)
    flagged = int((ours[:300] > detector.threshold).sum())
    assert report["falseAlarmRate"]["flagged"] == flagged
    assert 0 < flagged <= 15
    assert report["agreement"] == "1"
    assert "alibi-detect 0.11.4" in report["fittedWith"]
    assert "tensorflow 2.14.1" in report["fittedWith"]
