"""Models and shap's own values of them: `python tests/support/shap_values.py NAME MODEL OUT.npz`.

It runs in an environment like that of the image `explainer`.
"""

import sys
from collections.abc import Callable
from typing import Any

import joblib
import lightgbm
import numpy as np
import shap
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)

Rows = Any


def with_gaps(rows: Rows) -> Rows:
    gaps = np.random.default_rng(0).random(rows.shape) < 0.1
    return np.where(gaps, np.nan, rows)


CANCER = load_breast_cancer(return_X_y=True)
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
GAPS = (with_gaps(CANCER[0]), CANCER[1])


def forest(model: Any, data: Any) -> Callable[[str], Any]:
    def make(file: str) -> Any:
        joblib.dump(model.fit(*data), file)
        return model, data[0]

    return make


def boosted_by_xgboost(data: Any, **parameters: Any) -> Callable[[str], Any]:
    def make(file: str) -> Any:
        matrix = xgboost.DMatrix(data[0], label=data[1])
        model = xgboost.train(parameters | {"nthread": 1}, matrix, num_boost_round=50)
        model.save_model(file)
        return model, data[0]

    return make


def boosted_by_lightgbm(data: Any, **parameters: Any) -> Callable[[str], Any]:
    def make(file: str) -> Any:
        quiet = {"verbose": -1, "num_threads": 1}
        model = lightgbm.train(parameters | quiet, lightgbm.Dataset(*data), num_boost_round=50)
        model.save_model(file)
        return model, data[0]

    return make


MODELS: dict[str, Callable[[str], Any]] = {
    "forest": forest(RandomForestClassifier(50, random_state=0), CANCER),
    "forest-of-three": forest(RandomForestClassifier(20, random_state=0), IRIS),
    "forest-of-numbers": forest(RandomForestRegressor(20, random_state=0), DIABETES),
    "boosting": forest(GradientBoostingClassifier(n_estimators=30, random_state=0), CANCER),
    "xgboost": boosted_by_xgboost(CANCER, objective="binary:logistic"),
    "xgboost-with-gaps": boosted_by_xgboost(GAPS, objective="binary:logistic"),
    "xgboost-of-three": boosted_by_xgboost(IRIS, objective="multi:softprob", num_class=3),
    "lightgbm": boosted_by_lightgbm(CANCER, objective="binary"),
    "lightgbm-with-gaps": boosted_by_lightgbm(GAPS, objective="binary"),
    "lightgbm-of-three": boosted_by_lightgbm(IRIS, objective="multiclass", num_class=3),
}


def explain(model: Any, rows: Rows) -> Rows:
    """Return the values, shape (rows, outputs, features)."""
    if isinstance(model, xgboost.Booster):
        found = model.predict(xgboost.DMatrix(rows), pred_contribs=True)
        return (found if found.ndim == 3 else found[:, np.newaxis])[:, :, :-1]
    if isinstance(model, lightgbm.Booster):
        found = model.predict(rows, pred_contrib=True)
        return found.reshape(len(rows), -1, rows.shape[1] + 1)[:, :, :-1]
    values = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(rows)
    if not isinstance(values, list):
        return values[:, np.newaxis]
    # Of two classes Hune explains the second; the other's values are the same with another sign.
    return np.stack(values[-1:] if len(values) == 2 else values, axis=1)


if __name__ == "__main__":
    name, file, out = sys.argv[1:]
    made, known = MODELS[name](file)
    np.savez(out, rows=known[:60], values=explain(made, known[:60]))
