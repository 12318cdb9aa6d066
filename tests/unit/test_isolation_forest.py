from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hune.dataplane.detectors.artefact import ArtefactError
from hune.dataplane.detectors.isolation_forest import IsolationForest, average_path_length
from tests.support.detectors import small_forest

EULER = 0.5772156649015329
C3 = 2 * (log(2) + EULER) - 2 * 2 / 3
C4 = 2 * (log(3) + EULER) - 2 * 3 / 4


def score(*lengths: float, longest: float = C4) -> float:
    return float(2 ** (-sum(lengths) / (len(lengths) * longest)) - 0.5)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ((0.0, 0.0), score(1 + C3, 2 + 0)),
        ((1.0, 0.0), score(1 + C3, 2 + 1)),
        ((1.5, 0.0), score(1, 2 + 1)),
        ((1.5, 9.0), score(1, 1)),
        ((np.inf, np.inf), score(1, 1)),
        ((-np.inf, -np.inf), score(1 + C3, 2)),
        ((1e300, -1e300), score(1, 2 + 1)),
    ],
)
def test_a_score_is_that_of_the_paper(row: tuple[float, float], wanted: float) -> None:
    scores = IsolationForest(small_forest(), 2).score(np.array([row]))
    assert scores == pytest.approx([wanted], rel=1e-14)


def test_a_value_is_compared_in_single_precision_as_the_fit_did() -> None:
    forest = IsolationForest(small_forest(), 2)
    just_above = np.array([[1.0 + 1e-12, 0.0]])
    assert forest.score(just_above) == forest.score(np.array([[1.0, 0.0]]))


def test_a_row_with_nan_has_no_score_and_spoils_no_other() -> None:
    forest = IsolationForest(small_forest(), 2)
    rows = np.array([[0.0, 0.0], [np.nan, 0.0], [0.0, np.nan], [1.5, 9.0]])
    scores = forest.score(rows)
    assert np.isnan(scores).tolist() == [False, True, True, False]
    assert scores[[0, 3]].tolist() == forest.score(rows[[0, 3]]).tolist()
    assert np.isnan(forest.score(rows[1:2])).all()


def test_no_rows_have_no_scores() -> None:
    assert IsolationForest(small_forest(), 2).score(np.empty((0, 2))).shape == (0,)


def test_the_path_among_n_rows_is_that_of_the_paper() -> None:
    assert average_path_length(np.array([1, 2, 3, 4])) == pytest.approx([0, 1, C3, C4])


Forest = tuple[dict[str, Any], int]


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Grow trees whose nodes are split at random, all on the same number of rows."""
    columns, size = draw(st.integers(1, 4)), draw(st.integers(2, 40))
    numbers = st.floats(-3, 3, width=32)
    nodes: list[list[float]] = []
    roots = []
    for _ in range(draw(st.integers(1, 5))):
        roots.append(len(nodes))
        nodes.append([0, 0, len(nodes), size])
        at = roots[-1]
        while at < len(nodes):
            rows = int(nodes[at][3])
            if rows > 1 and draw(st.booleans()):
                left = draw(st.integers(1, rows - 1))
                child = len(nodes)
                nodes[at] = [draw(st.integers(0, columns - 1)), draw(numbers), child, rows]
                nodes += [[0, 0, child, left], [0, 0, child + 1, rows - left]]
            at += 1
    feature, threshold, left_child, samples = zip(*nodes, strict=True)
    arrays = {
        "roots": np.array(roots, "<i4"),
        "feature": np.array(feature, "<i4"),
        "threshold": np.array(threshold, "<f4"),
        "left": np.array(left_child, "<i4"),
        "samples": np.array(samples, "<i4"),
    }
    return arrays, columns


def walk(arrays: dict[str, Any], row: npt.NDArray[np.float32]) -> float:
    total = 0.0
    for root in arrays["roots"]:
        at, depth = int(root), 0
        while arrays["left"][at] != at:
            right = row[arrays["feature"][at]] > arrays["threshold"][at]
            at, depth = int(arrays["left"][at]) + int(right), depth + 1
        total += depth + float(average_path_length(arrays["samples"][at : at + 1])[0])
    longest = float(average_path_length(arrays["samples"][:1])[0])
    return float(2 ** (-total / len(arrays["roots"]) / longest) - 0.5)


@settings(max_examples=60, deadline=None)
@given(forests(), st.integers(1, 600), st.integers(0, 2**32 - 1))
def test_all_trees_at_once_are_each_tree_in_turn(forest: Forest, rows: int, seed: int) -> None:
    arrays, columns = forest
    values = np.random.default_rng(seed).normal(size=(rows, columns)) * 2
    scores = IsolationForest(arrays, columns).score(values)
    assert scores.shape == (rows,)
    for place in {0, rows // 2, rows - 1}:
        assert scores[place] == pytest.approx(walk(arrays, values[place].astype(np.float32)))


HOSTILE = [
    ("a cycle", {"left": [1, 1, 2, 4, 3, 5, 6, 7]}, "no trees"),
    ("a node that is its own grandparent", {"left": [1, 0, 2, 4, 6, 5, 6, 7]}, "no trees"),
    ("two trees that share a branch", {"left": [4, 1, 2, 4, 6, 5, 6, 7]}, "no trees"),
    ("a child beyond the end", {"left": [1, 1, 2, 4, 7, 5, 6, 7]}, "no trees"),
    ("a child far beyond the end", {"left": [2**31 - 1, 1, 2, 4, 6, 5, 6, 7]}, "no trees"),
    ("a negative child", {"left": [-1, 1, 2, 4, 6, 5, 6, 7]}, "no trees"),
    ("a root beyond the end", {"roots": [0, 8]}, "no trees"),
    ("a negative root", {"roots": [0, -5]}, "no trees"),
    ("the same tree twice", {"roots": [0, 0]}, "no trees"),
    ("a node that no tree has", {"roots": [0]}, "no trees"),
    ("no tree", {"roots": []}, "1 to 10000 trees"),
    ("more trees than nodes", {"roots": range(9)}, "1 to 10000 trees"),
    ("a column that is none", {"feature": [0, 0, 0, 2, 0, 0, 0, 0]}, "none of the 2"),
    ("a negative column", {"feature": [-1, 0, 0, 1, 0, 0, 0, 0]}, "none of the 2"),
    ("NaN for a threshold", {"threshold": [np.nan, 0, 0, 2, 0.5, 0, 0, 0]}, "NaN or infinity"),
    ("an infinite threshold", {"threshold": [np.inf, 0, 0, 2, 0.5, 0, 0, 0]}, "NaN or infinity"),
    ("fewer thresholds than nodes", {"threshold": [1, 0]}, "2 nodes, left.npy has 8"),
    ("more columns than nodes", {"feature": [0] * 9}, "9 nodes, left.npy has 8"),
    ("no rows in a leaf", {"samples": [4, 4, 0, 4, 3, 1, 1, 2]}, "less than one row"),
    ("a negative number of rows", {"samples": [4, 5, -1, 4, 3, 1, 1, 2]}, "less than one row"),
    ("children with other rows", {"samples": [4, 3, 2, 4, 3, 1, 1, 2]}, "not those of their"),
    ("trees fitted on other rows", {"samples": [5, 4, 1, 4, 3, 1, 1, 2]}, "the same rows"),
]


@pytest.mark.parametrize(
    ("changes", "said"),
    [pytest.param(changes, said, id=reason) for reason, changes, said in HOSTILE],
)
def test_what_is_no_forest_is_refused(changes: dict[str, Any], said: str) -> None:
    arrays = small_forest()
    for name, values in changes.items():
        arrays[name] = np.array(values, arrays[name].dtype)
    with pytest.raises(ArtefactError, match=said):
        IsolationForest(arrays, 2)


def test_a_forest_of_single_rows_is_refused() -> None:
    stump = {"roots": [0], "feature": [0], "threshold": [0], "left": [0], "samples": [1]}
    with pytest.raises(ArtefactError, match="two or more"):
        IsolationForest({name: np.array(values, "<i4") for name, values in stump.items()}, 1)


def test_a_tree_too_deep_to_be_one_is_refused() -> None:
    inner = 70
    # Node 0 and every second one after it are inner; each has a leaf to its left.
    left = [
        place + 1 if place % 2 == 0 and place < 2 * inner else place
        for place in range(2 * inner + 1)
    ]
    rows = [inner + 1 - place // 2 if place % 2 == 0 else 1 for place in range(2 * inner + 1)]
    nodes = len(left)
    arrays = {
        "roots": np.array([0], "<i4"),
        "feature": np.zeros(nodes, "<i4"),
        "threshold": np.zeros(nodes, "<f4"),
        "left": np.array(left, "<i4"),
        "samples": np.array(rows, "<i4"),
    }
    with pytest.raises(ArtefactError, match="deeper than 64"):
        IsolationForest(arrays, 1)
