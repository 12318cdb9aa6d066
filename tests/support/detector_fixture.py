"""Write the detectors that tests and the story use: `python -m tests.support.detector_fixture`.

They are fitted on the rows that examples/01-quickstart trains with.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from tests.support import examples
from tests.support.detectors import BREAST_CANCER, BREAST_CANCER_ATTACKS
from tests.support.environments import ROOT, fit_environment

Rows = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def write_csv(file: Path, names: list[str], rows: Rows) -> None:
    """Write rows as a person has them: a line of names, a line per row, every digit."""
    lines = [",".join(names), *(",".join(map(repr, row)) for row in rows.tolist())]
    file.write_text("\n".join(lines) + "\n")


def train_rows() -> tuple[list[str], Rows]:
    """Return the names of the columns and the rows, shape (398, 30)."""
    return _rows("train")


def _rows(part: str) -> tuple[list[str], Rows]:
    data = load_breast_cancer()
    train, test, *_ = train_test_split(
        data.data, data.target, test_size=0.3, random_state=7, stratify=data.target
    )
    return [str(name) for name in data.feature_names], {"train": train, "test": test}[part]


def main() -> None:
    """Fit them anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("train", "test"):
            write_csv(folder / f"{part}.csv", *_rows(part))
        words = ["--data", str(folder / "train.csv"), "--name", "breast-cancer"]
        _fit(
            fit_environment(), "outlier", "--method", "IForest", "--to", str(BREAST_CANCER), *words
        )
        train = examples.FOLDER / "01-quickstart/train.py"
        subprocess.run([sys.executable, train, "logistic", folder / "model"], check=True)
        words += ["--model", str(folder / "model"), "--calibrate-with", str(folder / "test.csv")]
        words += ["--method", "Neighbours", "--parameter", "standardise=1"]
        # With the scikit-learn that wrote the model; alibi-detect, which needs an older one, has no
        # part in this.
        _fit(sys.executable, "adversarial", *words, "--to", str(BREAST_CANCER_ATTACKS))


def _fit(python: str | Path, kind: str, *words: str) -> None:
    shutil.rmtree(words[words.index("--to") + 1], ignore_errors=True)
    subprocess.run(
        [python, "-m", "hune.cli.main", "fit", kind, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
        check=True,
    )


if __name__ == "__main__":
    main()
