"""Write the rows that the model was trained with, without their labels: `data.py FILE.csv`."""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


def main(file: Path) -> None:
    """Write a line of names, then a line per patient."""
    data = load_breast_cancer()
    # As ../01-quickstart/train.py splits it: the detector must not know the patients of the test.
    train, *_ = train_test_split(
        data.data, data.target, test_size=0.3, random_state=7, stratify=data.target
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(data.feature_names)
        writer.writerows(train.tolist())
    print(f"{len(train)} patients, {train.shape[1]} columns")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
