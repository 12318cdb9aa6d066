"""Shapley values of trees, compared with their definition."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hune.dataplane.detectors.artefact import ArtefactError
from hune.dataplane.explainer.tree_shap import TreeShap
from tests.support.explainers import shapley, small_trees, worth

Forest = tuple[dict[str, Any], int, int]


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Grow trees whose nodes are split at random; a column may be looked at again and again."""
    columns, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    numbers = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    nodes: list[list[float]] = []
    roots, adds_to = [], []
    for _ in range(draw(st.integers(1, 4))):
        roots.append(len(nodes))
        adds_to.append(draw(st.integers(0, outputs - 1)))
        nodes.append([0, 0, len(nodes), 0, draw(st.integers(1, 20)), draw(numbers)])
        at = roots[-1]
        while at < len(nodes) < roots[-1] + 25:
            cover = nodes[at][4]
            if draw(st.booleans()):
                child, part = len(nodes), draw(st.integers(0, int(cover)))
                feature, missing = draw(st.integers(0, columns - 1)), draw(st.integers(0, 1))
                nodes[at] = [feature, draw(numbers), child, missing, cover, 0]
                nodes += [
                    [0, 0, child, 0, part, draw(numbers)],
                    [0, 0, child + 1, 0, cover - part, draw(numbers)],
                ]
            at += 1
    names = ("feature", "threshold", "left", "missing_left", "cover", "value")
    types = ("<i4", "<f8", "<i4", "|u1", "<f8", "<f8")
    listed = zip(*nodes, strict=True)
    arrays = {n: np.array(v, t) for n, v, t in zip(names, listed, types, strict=True)}
    arrays |= {"roots": np.array(roots, "<i4"), "output": np.array(adds_to, "<i4")}
    offset = draw(st.lists(numbers, min_size=outputs, max_size=outputs))
    return arrays | {"offset": np.array(offset, "<f8")}, columns, outputs


def with_certain_cover(arrays: dict[str, Any]) -> dict[str, Any]:
    """Give every node rows, where the definition would otherwise divide by none."""
    cover = arrays["cover"].copy()
    for node, left in reversed(list(enumerate(arrays["left"]))):
        cover[node] = max(cover[node], 1.0) if left == node else cover[left] + cover[left + 1]
    return arrays | {"cover": cover}


@settings(max_examples=150, deadline=None)
@given(forests(), st.data())
def test_the_values_are_those_of_the_definition(forest: Forest, data: st.DataObject) -> None:
    arrays, columns, outputs = forest
    arrays = with_certain_cover(arrays)
    value = st.sampled_from([-3.0, -1.0, -0.75, 0.0, 0.25, 1.0, 3.0, np.nan])
    row = np.array(data.draw(st.lists(value, min_size=columns, max_size=columns)))
    found = TreeShap(arrays, columns, outputs, "float64").explain(row[np.newaxis])
    for output in range(outputs):
        wanted = shapley(arrays, row, output)
        np.testing.assert_allclose(found.values[0, output], wanted, rtol=1e-12, atol=1e-12)
        assert found.predictions[0, output] == pytest.approx(
            worth(arrays, row, set(range(columns)), output), abs=1e-12
        )
        assert found.base_values[output] == pytest.approx(
            worth(arrays, row, set(), output), abs=1e-12
        )


@settings(max_examples=100, deadline=None)
@given(forests(), st.integers(0, 2**32 - 1))
def test_they_add_up_to_the_prediction(forest: Forest, seed: int) -> None:
    arrays, columns, outputs = forest
    rows = np.random.default_rng(seed).normal(size=(5, columns))
    found = TreeShap(arrays, columns, outputs, "float64").explain(rows)
    assert np.isfinite(found.values).all()
    summed = found.values.sum(axis=2) + found.base_values
    np.testing.assert_allclose(summed, found.predictions, rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(forests(), st.integers(0, 2**32 - 1))
def test_a_column_that_no_tree_looks_at_adds_nothing(forest: Forest, seed: int) -> None:
    arrays, columns, outputs = forest
    rows = np.random.default_rng(seed).normal(size=(3, columns + 1))
    found = TreeShap(arrays, columns + 1, outputs, "float64").explain(rows)
    assert (found.values[:, :, columns] == 0).all()


@settings(max_examples=60, deadline=None)
@given(forests(), st.integers(0, 2**32 - 1))
def test_columns_that_play_the_same_part_add_the_same(forest: Forest, seed: int) -> None:
    """Beside each tree stands its twin, in which the first column is called the second."""
    arrays, columns, outputs = forest
    size = len(arrays["left"])
    once = arrays | {"feature": np.where(arrays["feature"] == 0, columns, arrays["feature"])}
    twins = {
        name: np.concatenate([arrays[name], once[name]])
        for name in arrays
        if name not in ("roots", "left", "offset")
    }
    twins |= {n: np.concatenate([arrays[n], arrays[n] + size]) for n in ("roots", "left")}
    row = np.random.default_rng(seed).normal(size=(1, columns + 1))
    row[0, columns] = row[0, 0]
    given_arrays = twins | {"offset": arrays["offset"]}
    found = TreeShap(given_arrays, columns + 1, outputs, "float64").explain(row).values[0]
    np.testing.assert_allclose(found[:, 0], found[:, columns], rtol=0, atol=1e-12)


def test_the_small_trees_by_hand() -> None:
    """Only x0 moves tree one: 2 against a mean of 3. Tree two is the definition's."""
    found = TreeShap(small_trees(), 2, 1, "float64").explain(np.array([[0.0, 0.0]]))
    assert found.base_values.tolist() == [0.5 + 3.0 + 1.5]
    assert found.predictions.tolist() == [[0.5 + 2.0 + 1.0]]
    wanted = shapley(small_trees(), np.array([0.0, 0.0]))
    assert found.values[0, 0] == pytest.approx(wanted)
    assert found.values[0, 0, 0] < -1.0 < 0 < found.values[0, 0, 1]


def test_rows_are_explained_each_by_itself() -> None:
    explainer = TreeShap(small_trees(), 2, 1, "float64")
    rows = np.array([[0.0, 0.0], [2.0, 9.0], [np.nan, np.nan], [np.inf, -np.inf]])
    together = explainer.explain(rows)
    for position in range(len(rows)):
        alone = explainer.explain(rows[position : position + 1])
        assert alone.values.tolist() == together.values[position : position + 1].tolist()
        assert alone.predictions.tolist() == together.predictions[position : position + 1].tolist()
    assert explainer.explain(np.empty((0, 2))).values.shape == (0, 1, 2)


@pytest.mark.parametrize(
    ("row", "prediction"),
    [
        ([1.0, 2.0], 0.5 + 2 + 3),
        ([1.0 + 1e-12, 2.0], 0.5 + 6 + 3),
        ([np.inf, np.inf], 0.5 + 6 - 1),
        ([-np.inf, -np.inf], 0.5 + 2 + 1),
        ([np.nan, 0.0], 0.5 + 2 + 1),
        ([0.0, np.nan], 0.5 + 2 - 1),
    ],
)
def test_a_row_goes_where_the_model_sends_it(row: list[float], prediction: float) -> None:
    found = TreeShap(small_trees(), 2, 1, "float64").explain(np.array([row]))
    assert found.predictions.tolist() == [[prediction]]
    assert found.values.sum() + found.base_values[0] == pytest.approx(prediction)


def test_a_model_of_single_precision_sees_no_more() -> None:
    single = TreeShap(small_trees(), 2, 1, "float32")
    found = single.explain(np.array([[1.0 + 1e-12, 2.0], [1e300, -1e300]]))
    assert found.predictions.tolist() == [[0.5 + 2 + 3], [0.5 + 6 + 3]]


def chain(depth: int) -> dict[str, npt.NDArray[Any]]:
    """Return one tree that looks at another column on each level."""
    inner = np.arange(depth)
    left = np.empty(2 * depth + 1, dtype="<i4")
    left[0] = 1
    left[1::2] = 1 + 2 * inner
    left[2::2] = np.append(3 + 2 * inner[:-1], 2 * depth)
    feature = np.zeros(2 * depth + 1, dtype="<i4")
    feature[0], feature[2::2] = 0, np.append(inner[1:], 0)
    cover = np.empty(2 * depth + 1)
    cover[0], cover[1::2], cover[2::2] = depth + 1, 1, depth - inner
    return {
        "roots": np.zeros(1, "<i4"),
        "output": np.zeros(1, "<i4"),
        "feature": feature,
        "threshold": np.zeros(2 * depth + 1),
        "left": left,
        "missing_left": np.zeros(2 * depth + 1, "|u1"),
        "cover": cover,
        "value": np.arange(2 * depth + 1, dtype="<f8"),
        "offset": np.zeros(1),
    }


@pytest.mark.parametrize("depth", [1, 2, 3, 8, 11])
def test_as_many_features_on_a_path_as_there_are(depth: int) -> None:
    row = np.where(np.arange(depth) % 3 == 0, 1.0, -1.0)
    found = TreeShap(chain(depth), depth, 1, "float64").explain(row[np.newaxis])
    np.testing.assert_allclose(found.values[0, 0], shapley(chain(depth), row), atol=1e-12)


def test_a_long_path_loses_nothing() -> None:
    found = TreeShap(chain(120), 120, 1, "float64").explain(np.ones((1, 120)))
    summed = found.values.sum() + found.base_values[0]
    assert summed == pytest.approx(found.predictions[0, 0], rel=1e-13)


def test_a_tree_too_deep_is_refused() -> None:
    with pytest.raises(ArtefactError, match="deeper than 256 levels"):
        TreeShap(chain(300), 300, 1, "float64")


HOSTILE = [
    ("a cycle", {"left": [1, 1, 2, 4, 3, 5, 6, 7]}, "no trees"),
    ("a child outside", {"left": [99, 1, 2, 4, 6, 5, 6, 7]}, "no trees"),
    ("a root that is not there", {"roots": [0, 99]}, "no trees"),
    ("no trees", {"roots": [], "output": []}, "1 to"),
    ("fewer values than nodes", {"value": [1.0]}, "value.npy has 1 nodes"),
    ("an output too many", {"output": [0, 1]}, "none of the 1"),
    ("an output below", {"output": [0, -1]}, "none of the 1"),
    ("another number of outputs", {"offset": [0.0, 0.0]}, "has 2 outputs, not 1"),
    ("fewer outputs than trees", {"output": [0]}, "output.npy has 1 trees"),
    ("a column that is not there", {"feature": [0, 0, 0, 2, 0, 0, 0, 0]}, "none of the 2"),
    ("a column below", {"feature": [-1, 0, 0, 1, 0, 0, 0, 0]}, "none of the 2"),
    ("NaN", {"value": [0, np.nan, 6, 0, 0, -1, 1, 3]}, "value.npy holds NaN"),
    ("infinity", {"threshold": [np.inf, 0, 0, 2, 0, 0, 0, 0]}, "threshold.npy holds NaN"),
    ("less than no rows", {"cover": [4, -3, 1, 4, 3, 1, 1, 2]}, "less than nothing"),
    ("a tree of no rows", {"cover": [0, 0, 0, 4, 3, 1, 1, 2]}, "grown on no rows"),
    ("no yes and no no", {"missing_left": [7, 0, 0, 0, 0, 0, 0, 0]}, "neither 0 nor 1"),
]


@pytest.mark.parametrize(
    ("change", "said"), [pytest.param(change, said, id=name) for name, change, said in HOSTILE]
)
def test_what_is_no_forest_is_refused(change: dict[str, Any], said: str) -> None:
    arrays = small_trees()
    arrays |= {name: np.array(values, arrays[name].dtype) for name, values in change.items()}
    with pytest.raises(ArtefactError, match=said):
        TreeShap(arrays, 2, 1, "float64")
