"""LightGBM's models, read from its text format."""

import importlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.packing import Tree
from hune.dataplane.jobs.tree_model import TreeModel, output_names

Numbers = npt.NDArray[np.float64]

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_ZERO, _NAN = 1, 2
_LARGEST: Final = float(np.finfo(np.float64).max)
_MARGINS: Final = (
    *("binary", "multiclass", "multiclassova", "cross_entropy", "cross_entropy_lambda"),
    *("poisson", "gamma", "tweedie"),
)


def read_lightgbm(path: Path) -> TreeModel:
    """Return the model in a LightGBM text file.

    Raises:
        FitError: It is none, or one that cannot be explained exactly.
    """
    try:
        head, *blocks = path.read_text(encoding="utf-8").split("\nTree=")
        general = _fields(head)
        per_iteration = int(general["num_tree_per_iteration"])
        last = blocks[-1].partition("\nend of trees")[0]
        scale = 1.0
        if "average_output" in head.splitlines():
            scale = per_iteration / len(blocks)
        trees = [
            _tree(path, _fields(f"Tree={block}"), i % per_iteration, scale)
            for i, block in enumerate([*blocks[:-1], last])
        ]
        columns = int(general["max_feature_idx"]) + 1
        features = general["feature_names"].split()
    except (ValueError, KeyError, IndexError) as error:
        raise FitError(f"--model {path}: not a LightGBM model ({error})") from None
    objective = general.get("objective", "").split(" ")[0]
    margin = objective in _MARGINS
    generated = features == [f"Column_{i}" for i in range(columns)]
    return TreeModel(
        trees=trees,
        offset=[0.0] * per_iteration,
        outputs=output_names(per_iteration, margin=margin),
        scale="Margin" if margin else "Value",
        columns=columns,
        features=[] if generated else features,
        dtype="float64",
        library="lightgbm",
        predict=_predictor(path, per_iteration, scale),
    )


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def _tree(path: Path, fields: dict[str, str], output: int, scale: float) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise FitError(f"--model {path}: its leaves are linear models; use KernelShap")
    leaves = int(fields["num_leaves"])
    values = _numbers(fields, "leaf_value") * scale
    if leaves == 1:
        return _stump(float(values[0]), output)
    decisions = _numbers(fields, "decision_type").astype(np.int64)
    kinds = (decisions >> 2) & 3
    if (decisions & _CATEGORICAL).any():
        raise FitError(f"--model {path}: it splits on categories; use KernelShap")
    if (kinds == _ZERO).any():
        raise FitError(f"--model {path}: it takes zero for missing; use KernelShap")
    # Infinite where only missing values go right.
    thresholds = np.clip(_numbers(fields, "threshold"), -_LARGEST, _LARGEST)
    # Where nothing was missing in training, a missing value counts as zero.
    to_left = np.where(kinds == _NAN, (decisions & _DEFAULT_LEFT) > 0, thresholds >= 0)
    nothing = np.zeros(leaves)
    return Tree(
        left=_children(fields, "left_child", leaves),
        right=_children(fields, "right_child", leaves),
        feature=np.append(_numbers(fields, "split_feature").astype(np.int64), nothing),
        threshold=np.append(thresholds, nothing),
        missing_left=np.append(to_left, nothing),
        cover=np.append(_numbers(fields, "internal_count"), _numbers(fields, "leaf_count")),
        value=np.append(np.zeros(leaves - 1), values),
        output=output,
    )


def _stump(value: float, output: int) -> Tree:
    none, one = np.array([-1]), np.array([1.0])
    return Tree(none, none, none, one, one, one, np.array([value]), output)


def _children(fields: dict[str, str], name: str, leaves: int) -> npt.NDArray[np.int64]:
    """Return children with the leaves after the inner nodes; LightGBM counts them from -1 down."""
    children = _numbers(fields, name).astype(np.int64)
    placed = np.where(children < 0, leaves - 1 + ~children, children)
    return np.append(placed, np.full(leaves, -1))


def _numbers(fields: dict[str, str], name: str) -> Numbers:
    return np.array(fields[name].split(), dtype=np.float64)


def _predictor(path: Path, outputs: int, scale: float) -> Any:
    try:
        lightgbm = importlib.import_module("lightgbm")
    except ImportError:
        return None
    booster = lightgbm.Booster(model_file=str(path))

    def predict(rows: Numbers) -> Numbers:
        # The raw score of a random forest is its trees' sum; what it predicts is their mean.
        margins: Numbers = booster.predict(rows, raw_score=True).reshape(len(rows), outputs)
        return margins * scale

    return predict
