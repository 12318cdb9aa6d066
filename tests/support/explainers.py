"""Explainers for tests: trees small enough to walk by hand, and artefacts to damage."""

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hune.dataplane.explainer.artefact import SCHEMA, Header, write_explainer

Numbers = npt.NDArray[np.float64]


def small_trees() -> dict[str, Any]:
    """Return two trees over two columns and one output, with 0.5 added.

    Tree one: x0 <= 1 → 2 | 6; three rows and one. Tree two: x1 <= 2 → (x0 <= 0.5 → 1 | 3) | -1;
    one row, two and one.
    """
    return {
        "roots": np.array([0, 3], "<i4"),
        "output": np.array([0, 0], "<i4"),
        "feature": np.array([0, 0, 0, 1, 0, 0, 0, 0], "<i4"),
        "threshold": np.array([1, 0, 0, 2, 0.5, 0, 0, 0], "<f8"),
        "left": np.array([1, 1, 2, 4, 6, 5, 6, 7], "<i4"),
        "missing_left": np.array([1, 0, 0, 0, 1, 0, 0, 0], "|u1"),
        "cover": np.array([4, 3, 1, 4, 3, 1, 1, 2], "<f8"),
        "value": np.array([0, 2, 6, 0, 0, -1, 1, 3], "<f8"),
        "offset": np.array([0.5], "<f8"),
    }


def write_trees(directory: Path, arrays: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Write an artefact of TreeShap; changes replace fields of its header."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "method": "TreeShap",
        "features": ("a", "b"),
        "feature_count": 2,
        "outputs": ("value",),
        "scale": "Value",
        "dtype": "float64",
        "fitted_with": "hand",
    }
    directory.mkdir(parents=True)
    write_explainer(
        directory, Header(**fields | changes), small_trees() if arrays is None else arrays
    )
    return directory


def write_background(directory: Path, method: str, rows: Numbers, **changes: Any) -> Path:
    """Write an artefact of a method that asks the predictor."""
    count = rows.shape[1]
    given = {"method": method, "features": (), "feature_count": count, "outputs": ()} | changes
    return write_trees(directory, {"background": np.asarray(rows, "<f8")}, **given)


def edit_header(directory: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change `explainer.json` of an artefact as somebody with an editor would."""
    file = directory / "explainer.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def shapley(arrays: dict[str, Any], row: Numbers, output: int = 0) -> Numbers:
    """Return the Shapley values by their definition: every coalition of every feature."""
    count = len(row)
    values = np.zeros(count)
    for feature in range(count):
        others = [other for other in range(count) if other != feature]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for chosen in combinations(others, size):
                with_it = worth(arrays, row, {*chosen, feature}, output)
                values[feature] += weight * (with_it - worth(arrays, row, set(chosen), output))
    return values


def worth(arrays: dict[str, Any], row: Numbers, known: set[int], output: int = 0) -> float:
    """Return what the trees predict when only some features are known (Lundberg et al. 2020)."""
    total = float(arrays["offset"][output])
    for root, adds_to in zip(arrays["roots"], arrays["output"], strict=True):
        if adds_to == output:
            total += sum(_leaves(arrays, int(root), row, known))
    return total


def _leaves(arrays: dict[str, Any], at: int, row: Numbers, known: set[int]) -> Iterator[float]:
    left = int(arrays["left"][at])
    if left == at:
        yield float(arrays["value"][at])
        return
    shares = [arrays["cover"][child] / arrays["cover"][at] for child in (left, left + 1)]
    feature = int(arrays["feature"][at])
    if feature in known:
        value = row[feature]
        goes_left = value <= arrays["threshold"][at]
        if np.isnan(value):
            goes_left = bool(arrays["missing_left"][at])
        shares = [1.0, 0.0] if goes_left else [0.0, 1.0]
    for child, share in zip((left, left + 1), shares, strict=True):
        yield float(share) * sum(_leaves(arrays, child, row, known))
