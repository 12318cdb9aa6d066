"""XGBoost's models, read from its JSON; other formats are turned into that by XGBoost itself."""

import importlib
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError, MissingPackageError
from hune.dataplane.jobs.packing import Tree
from hune.dataplane.jobs.tree_model import TreeModel, output_names

Numbers = npt.NDArray[np.float64]

_LOGISTIC: Final = ("binary:logistic", "binary:logitraw", "reg:logistic")
_LOGARITHMIC: Final = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox")
_NUMERICAL: Final = 0


def read_xgboost(path: Path) -> TreeModel:
    """Return the model in an XGBoost file.

    Raises:
        FitError: It is none, or one that cannot be explained exactly.
        MissingPackageError: It is not in JSON, and XGBoost is not installed.
    """
    learner = _read_learner(path)
    objective = learner["objective"]["name"]
    booster = learner["gradient_booster"]
    weights = [1.0] * len(booster.get("model", {}).get("trees", []))
    if booster["name"] == "dart":
        weights = [float(weight) for weight in booster["weight_drop"]]
        booster = booster["gbtree"]
    if booster["name"] != "gbtree":
        raise FitError(f"--model {path}: a {booster['name']} booster has no trees; use KernelShap")
    model, parameters = booster["model"], learner["learner_model_param"]
    outputs = max(1, int(parameters.get("num_class", 0)), int(parameters.get("num_target", 1)))
    columns = int(parameters["num_feature"])
    trees = [
        _tree(path, tree, int(output), weight)
        for tree, output, weight in zip(model["trees"], model["tree_info"], weights, strict=True)
    ]
    logistic = objective in (*_LOGISTIC, *_LOGARITHMIC) or objective.startswith("multi:")
    margin = logistic or objective == "binary:hinge"
    return TreeModel(
        trees=trees,
        offset=_offset(parameters["base_score"], objective, outputs),
        outputs=output_names(outputs, margin=margin),
        scale="Margin" if margin else "Value",
        columns=columns,
        features=learner.get("feature_names", []),
        dtype="float32",
        library="xgboost",
        predict=_predictor(path, outputs),
    )


def _read_learner(path: Path) -> Any:
    content = path.read_bytes()
    try:
        if path.suffix.lower() != ".json":
            booster = _load_booster(path)
            if booster is None:
                raise MissingPackageError(
                    f"--model {path}: only XGBoost's JSON is read without XGBoost, which is not "
                    "installed here; save it by save_model('model.json')"
                )
            content = bytes(booster.save_raw("json"))
        return json.loads(content)["learner"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FitError(f"--model {path}: not an XGBoost model ({error})") from None


def _load_booster(path: Path) -> Any:
    try:
        xgboost = importlib.import_module("xgboost")
    except ImportError:
        return None
    try:
        return xgboost.Booster(model_file=str(path))
    except xgboost.core.XGBoostError as error:
        said = str(error).strip().splitlines()[0]
        raise FitError(f"--model {path}: not an XGBoost model ({said})") from None


def _predictor(path: Path, outputs: int) -> Any:
    try:
        booster = _load_booster(path)
    except FitError:
        # A later release wrote it than the one that is installed here; it was read all the same.
        booster = None
    if booster is None:
        return None
    xgboost = importlib.import_module("xgboost")

    def predict(rows: Numbers) -> Numbers:
        data = xgboost.DMatrix(rows, feature_names=booster.feature_names)
        margins: Numbers = booster.predict(data, output_margin=True).reshape(len(rows), outputs)
        return margins.astype(np.float64)

    return predict


def _tree(path: Path, tree: Any, output: int, weight: float) -> Tree:
    if any(kind != _NUMERICAL for kind in tree.get("split_type", [])):
        raise FitError(f"--model {path}: it splits on categories; use KernelShap")
    if int(tree["tree_param"].get("size_leaf_vector", "0")) > 1:
        raise FitError(f"--model {path}: its leaves hold vectors; use one_output_per_tree")
    left = np.array(tree["left_children"])
    # XGBoost goes right when a value is at or above the threshold, in single precision.
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    below = np.nextafter(conditions, np.float32(-np.inf), dtype=np.float32)
    return Tree(
        left=left,
        right=np.array(tree["right_children"]),
        feature=np.array(tree["split_indices"]),
        threshold=below.astype(np.float64),
        missing_left=np.array(tree["default_left"]).astype(np.bool_),
        cover=np.array(tree["sum_hessian"], dtype=np.float64),
        value=conditions.astype(np.float64) * weight,
        output=output,
    )


def _offset(text: str, objective: str, outputs: int) -> list[float]:
    """Return what is added to each output, on the scale of the margin."""
    scores = [float(score) for score in text.strip("[]").split(",")]
    if objective in _LOGISTIC:
        scores = [math.log(score / (1 - score)) for score in scores]
    elif objective in _LOGARITHMIC:
        scores = [math.log(score) for score in scores]
    return scores if len(scores) == outputs else scores * outputs
