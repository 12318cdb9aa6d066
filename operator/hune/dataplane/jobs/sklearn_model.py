"""scikit-learn's tree models, from a pickle that a person says to trust."""

import importlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.packing import Tree
from hune.dataplane.jobs.pickled import load_pickled
from hune.dataplane.jobs.tree_model import TreeModel

Numbers = npt.NDArray[np.float64]

_FORESTS: Final = (
    *("RandomForestClassifier", "RandomForestRegressor"),
    *("ExtraTreesClassifier", "ExtraTreesRegressor"),
)
_TREES: Final = (
    *("DecisionTreeClassifier", "DecisionTreeRegressor"),
    *("ExtraTreeClassifier", "ExtraTreeRegressor"),
)
_BOOSTED: Final = ("GradientBoostingClassifier", "GradientBoostingRegressor")
_KNOWN: Final = (*_FORESTS, *_TREES, *_BOOSTED)
_CONSTANT: Final = ("DummyClassifier", "DummyRegressor", "str")


def read_sklearn(path: Path) -> TreeModel:
    """Return the model in a pickle or joblib file. Reading it runs what it holds.

    Raises:
        FitError: It is none, or one that cannot be explained exactly.
        MissingPackageError: scikit-learn is not installed.
    """
    model = _last_step(load_pickled(path))
    kind = type(model).__name__
    if kind not in _KNOWN:
        raise FitError(
            f"--model {path}: it holds a {kind}; TreeShap explains {', '.join(_KNOWN)} and a "
            "Pipeline of one of these alone; use KernelShap"
        )
    if getattr(model, "n_outputs_", 1) != 1:
        raise FitError(f"--model {path}: it predicts several targets; use KernelShap")
    read = _read_boosted if kind in _BOOSTED else _read_forest
    trees, offset, outputs, scale = read(model)
    names = [str(name) for name in getattr(model, "feature_names_in_", ())]
    columns = int(model.n_features_in_)
    version = importlib.import_module("sklearn").__version__
    library = f"scikit-learn {version}"
    predict = _predictor(model, scale, len(outputs))
    return TreeModel(trees, offset, outputs, scale, columns, names, "float32", library, predict)


def _last_step(model: Any) -> Any:
    steps = getattr(model, "steps", None)
    if steps is None or type(model).__name__ != "Pipeline":
        return model
    others = [step for _, step in steps[:-1] if step not in (None, "passthrough")]
    return model if others else steps[-1][1]


def _read_forest(model: Any) -> tuple[list[Tree], list[float], list[str], str]:
    members = getattr(model, "estimators_", [model])
    weight = 1 / len(members)
    classes = getattr(model, "classes_", None)
    if classes is None:
        trees = [_tree(member.tree_, member.tree_.value[:, 0, 0] * weight) for member in members]
        return trees, [0.0], ["value"], "Value"
    trees = []
    # Of two classes one says all: what is added to the one is taken from the other.
    places = [1] if len(classes) == 2 else range(len(classes))  # noqa: PLR2004
    for member in members:
        counts = member.tree_.value[:, 0, :]
        shares = counts / counts.sum(axis=1, keepdims=True)
        trees += [
            _tree(member.tree_, shares[:, place] * weight, output)
            for output, place in enumerate(places)
        ]
    names = [str(classes[place]) for place in places]
    return trees, [0.0] * len(names), names, "Probability"


def _read_boosted(model: Any) -> tuple[list[Tree], list[float], list[str], str]:
    rate = float(model.learning_rate)
    trees = [
        _tree(member.tree_, member.tree_.value[:, 0, 0] * rate, output)
        for stage in model.estimators_
        for output, member in enumerate(stage)
    ]
    if type(model.init_).__name__ not in _CONSTANT:
        raise FitError("--model: it begins with another model (init=…); use KernelShap")
    nothing = np.zeros((1, model.n_features_in_), dtype=np.float32)
    start = model._raw_predict_init(nothing)  # noqa: SLF001 there is no other word for it
    classes = getattr(model, "classes_", None)
    if classes is None:
        return trees, start[0].tolist(), ["value"], "Value"
    names = [str(c) for c in (classes if start.shape[1] > 1 else classes[1:])]
    return trees, start[0].tolist(), names, "Margin"


def _tree(tree: Any, value: Numbers, output: int = 0) -> Tree:
    nodes = len(tree.feature)
    missing = getattr(tree, "missing_go_to_left", np.zeros(nodes, dtype=np.uint8))
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=missing,
        cover=tree.weighted_n_node_samples,
        value=value,
        output=output,
    )


def _predictor(model: Any, scale: str, outputs: int) -> Any:
    def predict(rows: Numbers) -> Numbers:
        if scale == "Probability":
            found = model.predict_proba(rows)[:, -outputs:]
        elif scale == "Margin":
            found = model.decision_function(rows)
        else:
            found = model.predict(rows)
        shaped: Numbers = np.asarray(found, dtype=np.float64).reshape(len(rows), outputs)
        return shaped

    return predict
