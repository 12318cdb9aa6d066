"""Detectors for tests: a forest small enough to walk by hand, and artefacts to damage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hune.dataplane.detectors.artefact import SCHEMA, Arrays, Header, write_artefact
from hune.dataplane.detectors.detector import METHODS
from hune.dataplane.detectors.network import pack_network

# Fitted on the breast-cancer rows that examples/01-quickstart trains with; made by
# `python -m tests.support.detector_fixture`.
BREAST_CANCER = Path(__file__).parent / "breast_cancer" / "outlier"
# Of the attacks on examples/01-quickstart's logistic regression.
BREAST_CANCER_ATTACKS = BREAST_CANCER.with_name("adversarial")


def small_forest() -> dict[str, Any]:
    """Return two trees over two columns, fitted on four rows.

    Tree one: x0 <= 1 → 3 rows | 1 row. Tree two: x1 <= 2 → (x0 <= 0.5 → 1 row | 2 rows) | 1 row.
    """
    return {
        "roots": np.array([0, 3], "<i4"),
        "feature": np.array([0, 0, 0, 1, 0, 0, 0, 0], "<i4"),
        "threshold": np.array([1, 0, 0, 2, 0.5, 0, 0, 0], "<f4"),
        "left": np.array([1, 1, 2, 4, 6, 5, 6, 7], "<i4"),
        "samples": np.array([4, 3, 1, 4, 3, 1, 1, 2], "<i4"),
    }


def plane() -> dict[str, Any]:
    """Return a Mahalanobis detector over two columns: mean (1, 2), deviations 1 and 2."""
    return {"mean": np.array([1.0, 2.0]), "directions": np.diag([1.0, 0.5])}


def two_classes() -> dict[str, Any]:
    """Return a model over two columns: the second class right of 0 in the first column."""
    return pack_network("model", [(np.array([[-30.0, 30.0], [0, 0]]), np.zeros(2))], ["softmax"])


def crowd() -> dict[str, Any]:
    """Return a detector by neighbours: three rows of the first class below, three above."""
    references = [[-2.0, -1.0], [-1.0, -8.0], [-3.0, 0.0], [2.0, 0.0], [1.0, 8.0], [3.0, 1.0]]
    return {
        "references": np.array(references),
        "scale": np.ones(2),
        "neighbours": np.array([1], "<i4"),
        **two_classes(),
    }


def forgetful() -> dict[str, Any]:
    """Return a detector whose autoencoder gives back -1 for the first column."""
    layers = [(np.diag([0.0, 1.0]), np.array([-1.0, 0.0]))]
    autoencoder = pack_network("autoencoder", layers, ["identity"])
    return {"temperature": np.ones(1), **autoencoder, **two_classes()}


def write_detector(
    directory: Path, arrays: Arrays, method: str = "IForest", **changes: Any
) -> Path:
    """Write an artefact; changes replace fields of its header before its files are listed."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "method": method,
        "name": "small",
        "features": ("a", "b"),
        "feature_count": 2,
        "dtype": METHODS[method].dtype,
        "threshold": "0.0",
        "false_alarm_rate": "0.05",
        "fitted_with": "hand",
        "data_digest": "sha256:" + "0" * 64,
    }
    directory.mkdir(parents=True)
    write_artefact(directory, Header(**fields | changes), arrays)
    return directory


def edit_header(directory: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change `detector.json` of an artefact as somebody with an editor would."""
    file = directory / "detector.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
