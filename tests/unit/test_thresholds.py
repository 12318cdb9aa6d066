import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from hune.dataplane.jobs import thresholds
from hune.dataplane.jobs.thresholds import Thresholds, draw_rows

TENTH = 0.1  # which single precision cannot hold
FOUND = Thresholds({0: np.array([TENTH, 0.5]), 2: np.array([-3.0])})


def test_they_are_counted_and_those_that_are_rounded() -> None:
    assert (FOUND.count, FOUND.rounded) == (3, 1)


def test_rows_lie_at_a_threshold_or_one_step_beside_it() -> None:
    rows = draw_rows(FOUND, 3, 500, seed=0)
    assert rows.shape == (500, 3)
    assert rows.dtype == np.float32
    for feature, values in FOUND.by_feature.items():
        single = values.astype(np.float32)
        around = {
            float(value)
            for t in single
            for value in (t, np.nextafter(t, np.float32(9)), np.nextafter(t, np.float32(-9)))
        }
        assert set(rows[:, feature].astype(float)) == around
    assert len(set(rows[:, 1])) > 400, "no tree looks at it: anything will do"


def test_the_seed_decides() -> None:
    one, again, other = (draw_rows(FOUND, 3, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("row", "feature"),
    [
        ([TENTH, 0, 0], 0),
        ([0.5, 0, 0], 0),
        ([np.nextafter(np.float32(0.5), np.float32(1)), 0, 0], 0),
        ([0.51, 0, -3.0], 2),
        ([0.51, TENTH, 7], None),
    ],
)
def test_a_row_at_a_threshold_is_known(row: list[float], feature: int | None) -> None:
    assert FOUND.near(np.array(row)) == feature


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(3, random_state=0),
        GradientBoostingClassifier(n_estimators=3, random_state=0),
        HistGradientBoostingClassifier(max_iter=3, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_those_of_scikit_learn_part_its_rows(estimator: DecisionTreeClassifier) -> None:
    rows, labels = load_breast_cancer(return_X_y=True)
    estimator.fit(rows, labels)
    found = thresholds.of_sklearn(estimator)
    assert found.count > 3
    for feature, values in found.by_feature.items():
        assert (values > rows[:, feature].min()).all()
        assert (values < rows[:, feature].max()).all()


def test_a_linear_model_has_none() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    assert thresholds.of_sklearn(model).count == 0


def test_those_of_xgboost_are_by_name_and_in_single_precision() -> None:
    leaf = {"nodeid": 3, "leaf": 0.5}
    inner = {"split": "f1", "split_condition": 0.100000001, "children": [leaf, leaf]}
    tree = {"split": "f0", "split_condition": 7, "children": [inner, leaf]}
    found = thresholds.of_xgboost([tree, leaf], {"f0": 0, "f1": 1})
    assert {feature: values.tolist() for feature, values in found.by_feature.items()} == {
        0: [7.0],
        1: [float(np.float32(0.1))],
    }


def test_those_of_lightgbm_may_be_categories() -> None:
    leaf = {"leaf_value": 1.0}
    sides = {"left_child": leaf, "right_child": leaf}
    inner = {"split_feature": 1, "threshold": "1||4", "decision_type": "==", **sides}
    tree = {"split_feature": 0, "threshold": TENTH, "left_child": inner, "right_child": leaf}
    found = thresholds.of_lightgbm([{"tree_structure": tree}, {"tree_structure": leaf}])
    assert {feature: values.tolist() for feature, values in found.by_feature.items()} == {
        0: [TENTH],
        1: [1.0, 4.0],
    }


def test_rounded_down_a_single_is_on_the_side_where_it_was() -> None:
    text = f"tree\ntree_sizes=10 20\nthreshold={TENTH!r} 0.5 -{TENTH!r} 7\nleaf_value={TENTH!r} 1"
    sizes, thresholds_line, leaves = thresholds.round_down(text).split("\n")[0:3]
    assert sizes == "tree", "lengths that no longer hold are left out"
    rounded = [float(value) for value in thresholds_line.removeprefix("threshold=").split()]
    assert leaves == f"leaf_value={TENTH!r} 1"
    for value, single in zip([TENTH, 0.5, -TENTH, 7.0], rounded, strict=True):
        assert single == np.float32(single) <= value
        above = float(np.nextafter(np.float32(single), np.float32(np.inf)))
        assert above > value


def test_histograms_rounded_down_predict_the_same_for_singles() -> None:
    rows, labels = load_breast_cancer(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(rows, labels)
    hard = draw_rows(thresholds.of_sklearn(model), rows.shape[1], 500, 0).astype(np.float64)
    before = model.predict_proba(hard)
    assert thresholds.of_sklearn(model).rounded > 0
    thresholds.round_histograms_down(model)
    assert thresholds.of_sklearn(model).rounded == 0
    assert np.array_equal(model.predict_proba(hard), before)
