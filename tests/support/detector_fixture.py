"""Write the detector that the tests of the guard use: `python -m tests.support.detector_fixture`.

It is fitted on the rows that examples/01-quickstart trains with.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from tests.support.detectors import BREAST_CANCER
from tests.support.environments import ROOT, fit_environment


def write_csv(
    file: Path, names: list[str], rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> None:
    """Write rows as a person has them: a line of names, a line per row, every digit."""
    lines = [",".join(names), *(",".join(map(repr, row)) for row in rows.tolist())]
    file.write_text("\n".join(lines) + "\n")


def train_rows() -> tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Return the names of the columns and the rows, shape (398, 30)."""
    data = load_breast_cancer()
    train, *_ = train_test_split(
        data.data, data.target, test_size=0.3, random_state=7, stratify=data.target
    )
    return [str(name) for name in data.feature_names], train


def main() -> None:
    """Fit it anew."""
    shutil.rmtree(BREAST_CANCER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.csv"
        write_csv(file, *train_rows())
        words = ["fit", "outlier", "--data", str(file), "--method", "IForest"]
        words += ["--to", str(BREAST_CANCER)]
        subprocess.run(
            [fit_environment(), "-m", "hune.cli.main", *words, "--name", "breast-cancer"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
            check=True,
        )


if __name__ == "__main__":
    main()
