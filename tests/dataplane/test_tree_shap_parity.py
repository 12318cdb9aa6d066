"""Trees of three libraries explained as shap, XGBoost and LightGBM explain them themselves."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hune.dataplane.explainer.loading import load_explainer
from hune.dataplane.explainer.tree_shap import TreeShap
from tests.support.environments import ROOT, explainer_environment

VALUES = ROOT / "tests" / "support" / "shap_values.py"
# XGBoost adds up in single precision.
CASES = [
    ("forest", "joblib", 1e-10),
    ("forest-of-three", "joblib", 1e-10),
    ("forest-of-numbers", "joblib", 1e-8),
    ("boosting", "joblib", 1e-8),
    ("xgboost", "json", 1e-5),
    ("xgboost-with-gaps", "ubj", 1e-5),
    ("xgboost-of-three", "json", 1e-5),
    ("lightgbm", "txt", 1e-10),
    ("lightgbm-with-gaps", "txt", 1e-10),
    ("lightgbm-of-three", "txt", 1e-10),
]


def run(python: Path, *words: str | Path) -> None:
    variables = os.environ | {"PYTHONPATH": str(ROOT / "operator")}
    ended = subprocess.run(
        [python, *words], env=variables, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(("name", "suffix", "near"), CASES, ids=[case[0] for case in CASES])
def test_the_values_are_the_librarys_own(
    tmp_path: Path, name: str, suffix: str, near: float
) -> None:
    python = explainer_environment()
    model, out = tmp_path / f"model.{suffix}", tmp_path / "out.npz"
    # -P: its folder has modules that are called as the standard library's.
    run(python, "-P", VALUES, name, model, out)
    words = ("-m", "hune.cli.main", "fit", "explainer", "--method=TreeShap", "--trust-pickle")
    run(python, *words, "--model", model, "--to", tmp_path / "explainer")
    explainer = load_explainer(tmp_path / "explainer").method
    assert isinstance(explainer, TreeShap)
    theirs = np.load(out)
    found = explainer.explain(theirs["rows"])
    np.testing.assert_allclose(found.values, theirs["values"], rtol=0, atol=near)
