"""Train one model of each kind that `hune convert` takes, convert it, and keep all answers.

`python convertible_models.py FOLDER`, in the environment of the image `convert`. For each model
FOLDER gets `NAME/`, what its library stored; `NAME-onnx/` and `NAME.json`, what `hune convert`
wrote and printed; `NAME.npz`, what the trained object and what onnxruntime answer to its rows.
"""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import onnxruntime
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from hune.cli.main import main as hune

BINARY = load_breast_cancer(return_X_y=True)
CLASSES = load_wine(return_X_y=True)
NUMBERS = load_diabetes(return_X_y=True)
SMALL = {"n_estimators": 20, "random_state": 0}
BOOSTED = {"n_estimators": 20, "n_jobs": 1}
Trained = tuple[Any, Any]


def in_words(data: Trained) -> Trained:
    rows, labels = data
    return rows, np.array(["barolo", "grignolino", "barbera"])[labels]


def sklearn(model: Any, data: Trained) -> Callable[[Path], tuple[Any, Any]]:
    def train(folder: Path) -> tuple[Any, Any]:
        model.fit(*data)
        joblib.dump(model, folder / "model.joblib")
        return model, data[0]

    return train


def boosted(model: Any, data: Trained, name: str) -> Callable[[Path], tuple[Any, Any]]:
    def train(folder: Path) -> tuple[Any, Any]:
        model.fit(*data)
        if name.endswith(".txt"):
            model.booster_.save_model(folder / name)
        else:
            model.save_model(folder / name)
        return model, data[0]

    return train


MODELS = {
    "sklearn-logistic": sklearn(LogisticRegression(max_iter=5000), BINARY),
    "sklearn-ridge": sklearn(Ridge(), NUMBERS),
    "sklearn-svc": sklearn(make_pipeline(StandardScaler(), LinearSVC()), BINARY),
    "sklearn-tree": sklearn(DecisionTreeRegressor(random_state=0), NUMBERS),
    "sklearn-forest": sklearn(RandomForestClassifier(**SMALL), in_words(CLASSES)),
    "sklearn-extra": sklearn(ExtraTreesClassifier(**SMALL), BINARY),
    "sklearn-boosting": sklearn(GradientBoostingClassifier(**SMALL), CLASSES),
    "sklearn-histogram": sklearn(
        HistGradientBoostingRegressor(max_iter=20, random_state=0), NUMBERS
    ),
    "xgboost-binary": boosted(xgboost.XGBClassifier(**BOOSTED), BINARY, "model.json"),
    "xgboost-classes": boosted(xgboost.XGBClassifier(**BOOSTED), CLASSES, "model.ubj"),
    "xgboost-numbers": boosted(xgboost.XGBRegressor(**BOOSTED), NUMBERS, "model.json"),
    "lightgbm-binary": boosted(lightgbm.LGBMClassifier(**BOOSTED, verbose=-1), BINARY, "model.txt"),
    "lightgbm-classes": boosted(
        lightgbm.LGBMClassifier(**BOOSTED, verbose=-1), CLASSES, "model.txt"
    ),
    "lightgbm-numbers": boosted(
        lightgbm.LGBMRegressor(**BOOSTED, verbose=-1), NUMBERS, "model.txt"
    ),
}


def ask_library(model: Any, rows: Any) -> dict[str, Any]:
    answers = {"rows": rows, "library_predict": model.predict(rows)}
    if hasattr(model, "predict_proba"):
        answers["library_probabilities"] = model.predict_proba(rows)
    return answers


def ask_onnx(file: Path, rows: Any) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(file)
    (given,) = session.get_inputs()
    assert (given.name, given.type) == ("input", "tensor(float)")
    outputs = session.get_outputs()
    assert not any(isinstance(output.shape[0], int) for output in outputs)
    names = [output.name for output in outputs]
    found = [np.asarray(each) for each in session.run(None, {"input": rows})]
    plain = [each.astype(str) if each.dtype.kind == "O" else each for each in found]
    return {f"onnx_{name}": each for name, each in zip(names, plain, strict=True)}


def convert(folder: Path, name: str) -> None:
    words = ["convert", str(folder / name), "--to", str(folder / f"{name}-onnx")]
    with (folder / f"{name}.json").open("w") as stream, contextlib.redirect_stdout(stream):
        status = hune([*words, "--trust-pickle", "--output", "json"])
    assert status == 0, (folder / f"{name}.json").read_text()


def main(folder: Path) -> None:
    for name, train in MODELS.items():
        (folder / name).mkdir()
        model, data = train(folder / name)
        convert(folder, name)
        # As a client of single precision sends them.
        rows = data.astype(np.float32)
        onnx = ask_onnx(folder / f"{name}-onnx" / "model.onnx", rows)
        np.savez(folder / f"{name}.npz", **ask_library(model, rows), **onnx)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
