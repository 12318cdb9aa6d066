"""`hune fit explainer`: models read from their own files, and what cannot be explained told."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from hune.cli.main import main
from hune.contract.digest import digest_of
from hune.dataplane.explainer.artefact import read_header
from hune.dataplane.explainer.explanation import Attributions
from hune.dataplane.explainer.loading import load_explainer
from hune.dataplane.explainer.tree_shap import TreeShap

CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
IRIS = load_iris(return_X_y=True)

LIGHTGBM = """\
tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=age income
feature_infos=[0:1] [0:1]
tree_sizes=1 1

Tree=0
num_leaves=3
num_cat=0
split_feature=1 0
split_gain=1 1
threshold=0.5 -1.5
decision_type=2 10
left_child=1 -1
right_child=-2 -3
leaf_value=0.25 -1 3
leaf_weight=1 1 1
leaf_count=4 10 6
internal_value=0 0
internal_weight=0 0
internal_count=20 10
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
leaf_value=0.125
is_linear=0
shrinkage=1


end of trees

feature_importances:
age=1
"""


def xgboost(**changes: Any) -> dict[str, Any]:
    """Return a model of one tree: a < 0.5 → 1 (also without a value) | 2."""
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [0, 0, 0],
        "split_conditions": [0.5, 1.0, 2.0],
        "split_type": [0, 0, 0],
        "default_left": [1, 0, 0],
        "sum_hessian": [8.0, 6.0, 2.0],
        "tree_param": {"num_nodes": "3", "size_leaf_vector": "1"},
    } | changes
    model = {"trees": [tree], "tree_info": [0]}
    return {
        "learner": {
            "feature_names": ["a", "b"],
            "gradient_booster": {"name": "gbtree", "model": model},
            "learner_model_param": {"base_score": "[2E-1]", "num_class": "0", "num_feature": "2"},
            "objective": {"name": "binary:logistic"},
        }
    }


def fit(model: Path, to: Path, *more: str, method: str = "TreeShap") -> int:
    words = ["fit", "explainer", "--method", method, "--output", "json", "--to", str(to), *more]
    return main([*words, "--model", str(model)])


def explain(directory: Path, rows: Any) -> Attributions:
    method = load_explainer(directory).method
    assert isinstance(method, TreeShap)
    return method.explain(np.asarray(rows, dtype=np.float64))


SKLEARN = [
    ("a forest of two classes", RandomForestClassifier(10, random_state=0), CANCER, "Probability"),
    ("a forest of three classes", RandomForestClassifier(9, random_state=0), IRIS, "Probability"),
    ("a single tree", DecisionTreeClassifier(random_state=0), CANCER, "Probability"),
    ("a forest of numbers", RandomForestRegressor(8, random_state=0), DIABETES, "Value"),
    ("extremely random trees", ExtraTreesRegressor(8, random_state=0), DIABETES, "Value"),
    ("boosting of two classes", GradientBoostingClassifier(n_estimators=9), CANCER, "Margin"),
    ("boosting of three classes", GradientBoostingClassifier(n_estimators=5), IRIS, "Margin"),
    ("boosting of numbers", GradientBoostingRegressor(n_estimators=9), DIABETES, "Value"),
    ("a pipeline of it alone", make_pipeline(DecisionTreeClassifier()), IRIS, "Probability"),
]


@pytest.mark.parametrize(
    ("model", "data", "scale"), [pytest.param(m, d, s, id=name) for name, m, d, s in SKLEARN]
)
def test_scikit_learns_trees_predict_as_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: Any, data: Any, scale: str
) -> None:
    rows, labels = data
    joblib.dump(model.fit(rows, labels), tmp_path / "model.joblib")
    assert fit(tmp_path / "model.joblib", tmp_path / "e", "--trust-pickle") == 0
    report = json.loads(capsys.readouterr().out)
    found = explain(tmp_path / "e", rows[:50])
    wanted = {
        "Probability": lambda: model.predict_proba(rows[:50])[:, -len(report["outputs"]) :],
        "Margin": lambda: model.decision_function(rows[:50]),
        "Value": lambda: model.predict(rows[:50]),
    }[scale]()
    np.testing.assert_allclose(found.predictions, np.reshape(wanted, (50, -1)), atol=1e-10)
    summed = found.values.sum(axis=2) + found.base_values
    np.testing.assert_allclose(summed, found.predictions, atol=1e-9)
    assert (report["scale"], report["checkedRows"]) == (scale, 256)
    assert report["digest"] == digest_of(tmp_path / "e")
    assert report["modelDigest"] == digest_of(tmp_path / "model.joblib")


def test_lightgbms_text_is_read_without_lightgbm(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text(LIGHTGBM)
    assert fit(tmp_path / "model.txt", tmp_path / "e") == 0
    header = read_header(tmp_path / "e")
    assert (header.features, header.outputs, header.scale) == (
        ("age", "income"),
        ("margin",),
        "Margin",
    )
    # A missing age goes left as it says; a missing income counts as zero, which is below 0.5.
    rows = [[-2, 0], [-1, 0.5], [-2, 0.6], [np.nan, 0], [-1, np.nan]]
    found = explain(tmp_path / "e", rows)
    assert found.predictions[:, 0].tolist() == [0.375, 3.125, -0.875, 0.375, 3.125]
    assert found.base_values.tolist() == [0.125 + (0.25 * 4 + 3 * 6) / 20 - 0.5]


def test_xgboosts_json_is_read_without_xgboost(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(xgboost()))
    assert fit(tmp_path / "model.json", tmp_path / "e") == 0
    assert read_header(tmp_path / "e").features == ("a", "b")
    base = np.log(0.2 / 0.8)
    just_below = np.nextafter(np.float32(0.5), np.float32(0))
    found = explain(tmp_path / "e", [[0.5, 0], [just_below, 0], [np.nan, 0]])
    np.testing.assert_allclose(found.predictions[:, 0], base + np.array([2, 1, 1]))
    np.testing.assert_allclose(found.base_values, base + (6 * 1 + 2 * 2) / 8)
    assert (found.values[:, 0, 1] == 0).all()


def test_a_directory_holds_one_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(xgboost()))
    (folder / "model-settings.json").write_text("{}")
    assert fit(folder, tmp_path / "e") == 0
    assert read_header(tmp_path / "e").model_digest == digest_of(folder)
    (folder / "other.txt").write_text(LIGHTGBM)
    assert fit(folder, tmp_path / "f") == 2
    assert "there is model.json, other.txt" in capsys.readouterr().err


def pickled(path: Path, model: Any) -> Path:
    joblib.dump(model.fit(*IRIS), path)
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def edited(old: str, new: str) -> str:
    assert old in LIGHTGBM
    return LIGHTGBM.replace(old, new)


TRUST = ("--trust-pickle",)
REFUSED: list[tuple[str, Any, tuple[str, ...], str]] = [
    ("no file", lambda d: d / "none.json", (), "no such file"),
    ("a pickle", lambda d: pickled(d / "m.pkl", DecisionTreeClassifier()), (), "--trust-pickle"),
    (
        "a model without trees",
        lambda d: pickled(d / "m.joblib", LogisticRegression(max_iter=1000)),
        TRUST,
        "it holds a LogisticRegression",
    ),
    (
        "a pipeline that changes the rows",
        lambda d: pickled(d / "m.pkl", make_pipeline(StandardScaler(), DecisionTreeClassifier())),
        TRUST,
        "it holds a Pipeline",
    ),
    (
        "boosting that begins with a model",
        lambda d: pickled(
            d / "m.pkl",
            GradientBoostingClassifier(n_estimators=2, init=DecisionTreeClassifier(max_depth=1)),
        ),
        TRUST,
        "begins with another model",
    ),
    ("no pickle", lambda d: written(d / "m.pkl", "hello"), TRUST, "not as joblib saves a model"),
    ("no JSON", lambda d: written(d / "m.json", "{"), (), "not an XGBoost model"),
    ("other JSON", lambda d: written(d / "m.json", "{}"), (), "not an XGBoost model"),
    (
        "splits on categories, XGBoost",
        lambda d: written(d / "m.json", json.dumps(xgboost(split_type=[1, 0, 0]))),
        (),
        "splits on categories",
    ),
    (
        "splits on categories, LightGBM",
        lambda d: written(d / "m.txt", edited("decision_type=2 10", "decision_type=1 10")),
        (),
        "splits on categories",
    ),
    (
        "zero for missing",
        lambda d: written(d / "m.txt", edited("decision_type=2 10", "decision_type=2 6")),
        (),
        "takes zero for missing",
    ),
    (
        "linear leaves",
        lambda d: written(d / "m.txt", edited("is_linear=0", "is_linear=1")),
        (),
        "leaves are linear",
    ),
    ("half a file", lambda d: written(d / "m.txt", LIGHTGBM[:300]), (), "not a LightGBM model"),
    (
        "a parameter",
        lambda d: written(d / "m.txt", LIGHTGBM),
        ("--parameter=samples=3",),
        "TreeShap has none",
    ),
]


@pytest.mark.parametrize(
    ("make", "more", "said"), [pytest.param(m, w, s, id=name) for name, m, w, s in REFUSED]
)
def test_what_cannot_be_explained_exactly_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Any,
    more: tuple[str, ...],
    said: str,
) -> None:
    assert fit(make(tmp_path), tmp_path / "e", *more) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "e").exists()


def ask(to: Path, *words: str) -> int:
    return main(["fit", "explainer", "--to", str(to), "--output", "json", *words])


def test_a_black_box_keeps_rows_that_a_seed_draws(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(500, 4))
    np.save(tmp_path / "rows.npy", rows)
    words = ("--method=KernelShap", f"--data={tmp_path / 'rows.npy'}")
    assert ask(tmp_path / "one", *words) == ask(tmp_path / "two", *words) == 0
    assert ask(tmp_path / "other", *words, "--seed=1", "--background=7") == 0
    kept, other = (np.load(tmp_path / name / "background.npy") for name in ("one", "other"))
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    assert (kept.shape, other.shape) == ((20, 4), (7, 4))
    assert all((rows == row).all(axis=1).any() for row in kept)
    assert read_header(tmp_path / "one").data_digest == digest_of(tmp_path / "rows.npy")


def test_an_image_has_a_shape(tmp_path: Path) -> None:
    words = ("--method=AnchorImage", "--shape=28,28,1", "--predictor-output=scores")
    assert ask(tmp_path / "e", *words, "--parameter=segments=9") == 0
    header = read_header(tmp_path / "e")
    assert (header.shape, header.feature_count, header.scale) == ((28, 28, 1), 784, "Label")
    assert header.predictor_output == "scores"
    assert [(p.name, p.value) for p in header.parameters] == [("segments", "9")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method=TreeShap"], "--model is missing"),
        (["--method=KernelShap"], "--data is missing"),
        (["--method=AnchorImage"], "--shape is missing"),
        (["--method=AnchorImage", "--shape=28,28"], "--shape is missing"),
        (["--method=AnchorImage", "--shape=a,b"], "--shape a,b: whole numbers"),
        (["--method=AnchorTabular", "--parameter=precision=2"], "--data is missing"),
        (["--method=AnchorTabular", "--data=rows.npy", "--parameter=x=2"], "precision, batch"),
        (["--method=KernelShap", "--data=rows.npy", "--parameter=samples=many"], "0 to 1e+06"),
        (["--method=KernelShap", "--data=rows.npy", "--background=-1"], "--background -1"),
        (["--method=KernelShap", "--data=none.npy"], "none.npy"),
    ],
)
def test_an_order_that_cannot_be_met_names_the_option(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", np.zeros((5, 2)))
    assert ask(tmp_path / "e", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_what_is_there_already_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "mine").write_text("")
    assert ask(tmp_path / "e", "--method=AnchorImage", "--shape=2,2,1") == 2
    assert "is there already" in capsys.readouterr().err


def test_data_of_other_columns_than_the_model_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.txt").write_text(LIGHTGBM)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert fit(tmp_path / "model.txt", tmp_path / "e", f"--data={tmp_path / 'rows.csv'}") == 2
    assert "there is no column 'age'" in capsys.readouterr().err
