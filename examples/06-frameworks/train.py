"""Train one of the models: `train.py sklearn|xgboost|lightgbm|mlflow|kserve|seldon FOLDER`.

All data come with scikit-learn. The folder gets the model; beside it, FOLDER.json has some rows
that the model has not seen and what its own library predicts for them.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.model_selection import train_test_split

ROWS = 5


def split(load: Callable[..., Any]) -> list[np.ndarray]:
    """Return rows to learn from and rows to try, then what is true of both."""
    features, truth = load(return_X_y=True)
    return train_test_split(features, truth, test_size=0.3, random_state=7)


def train_sklearn(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Boosted trees behind a scaler; MLServer loads scikit-learn's models from a pickle only."""
    import joblib
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, tried, truth, _ = split(load_wine)
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0))
    model.fit(rows, truth)
    joblib.dump(model, folder / "model.joblib")
    return tried, model.predict_proba(tried)


def train_xgboost(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Boosted trees in XGBoost's binary JSON."""
    import xgboost

    rows, tried, truth, _ = split(load_wine)
    model = xgboost.XGBClassifier(n_estimators=60, max_depth=3, random_state=0, n_jobs=1)
    model.fit(rows, truth)
    model.save_model(folder / "model.ubj")
    return tried, model.predict_proba(tried)


def train_lightgbm(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Boosted trees in LightGBM's text."""
    import lightgbm

    rows, tried, truth, _ = split(load_wine)
    model = lightgbm.LGBMClassifier(n_estimators=40, random_state=0, n_jobs=1, verbose=-1)
    model.fit(rows, truth)
    # MLServer looks for this name, whatever the content.
    model.booster_.save_model(folder / "model.bst")
    return tried, model.booster_.predict(tried)


def train_mlflow(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """A regression of XGBoost's, in MLflow's form, with the names of its columns."""
    import mlflow
    import pandas as pd
    import xgboost

    rows, tried, truth, _ = split(load_diabetes)
    named = [pd.DataFrame(part, columns=load_diabetes().feature_names) for part in (rows, tried)]
    model = xgboost.XGBRegressor(n_estimators=60, max_depth=3, random_state=0, n_jobs=1)
    model.fit(named[0], truth)
    signature = mlflow.models.infer_signature(named[0], model.predict(named[0]))
    requirements = [f"xgboost=={xgboost.__version__}"]
    mlflow.xgboost.save_model(
        model, folder, signature=signature, model_format="ubj", pip_requirements=requirements
    )
    return tried, model.predict(named[1])


def train_kserve(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Nearest neighbours; the class in image/server.py finds them in these arrays."""
    from sklearn.neighbors import KNeighborsRegressor

    rows, tried, truth, _ = split(load_diabetes)
    model = KNeighborsRegressor(n_neighbors=12, weights="distance").fit(rows, truth)
    np.savez(folder / "neighbours.npz", rows=rows, targets=truth, count=model.n_neighbors)
    return tried, model.predict(tried)


def train_seldon(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """A neural network; the class in models/seldon/Digits.py computes with these arrays."""
    from sklearn.neural_network import MLPClassifier

    rows, tried, truth, _ = split(load_digits)
    model = MLPClassifier((48, 24), max_iter=400, random_state=0).fit(rows, truth)
    layers = {}
    for number, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        layers |= {f"weights{number}": weights, f"bias{number}": bias}
    np.savez(folder / "network.npz", **layers)
    return tried, model.predict_proba(tried)


def main(name: str, folder: Path) -> None:
    """Train, save, and note what the library says."""
    folder.mkdir(parents=True, exist_ok=True)
    tried, predicted = globals()[f"train_{name}"](folder)
    note = {"rows": tried[:ROWS].tolist(), "predictions": predicted[:ROWS].tolist()}
    folder.with_suffix(".json").write_text(json.dumps(note) + "\n")
    print(f"{name}: {len(predicted)} rows tried")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
