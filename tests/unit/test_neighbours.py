import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.dataplane.detectors.artefact import ArtefactError
from hune.dataplane.detectors.detector import load_detector
from hune.dataplane.detectors.neighbours import Neighbours
from hune.dataplane.detectors.network import pack_network
from tests.support.detectors import crowd, write_detector

# The model looks at the first column only: a step along it is what an attack would do.


def test_a_row_that_was_moved_as_an_attack_would_has_the_highest_score() -> None:
    # Its neighbour lies left of 0, it lies right of it, and nothing else is different.
    moved = np.array([[0.5, -8.0]])
    assert Neighbours(crowd(), 2).score(moved)[0] == pytest.approx(1.0)


def test_a_row_that_was_moved_otherwise_has_none() -> None:
    # Next to (2, 0): across, where the model does not look, and away from the other class.
    scores = Neighbours(crowd(), 2).score(np.array([[2.0, 0.4], [1.5, 0.0], [2.0, 0.0]]))
    assert scores == pytest.approx([0.0, -1.0, 0.0])


def test_half_of_a_move_counts_half() -> None:
    # 3 along and 4 across from (-1, -8).
    assert Neighbours(crowd(), 2).score(np.array([[2.0, -12.0]]))[0] == pytest.approx(0.6)


@pytest.mark.parametrize("way", [(3.0, 1.0), (1.0, 1.0)], ids=["shortest", "least in any column"])
def test_both_steepest_ways_of_an_attack_have_the_highest_score(way: tuple[float, float]) -> None:
    # Here the second column counts too, a third of the first.
    weights = np.array([[-3.0, 3.0], [-1.0, 1.0]])
    model = pack_network("model", [(weights, np.zeros(2))], ["softmax"])
    place = np.array([[-0.1, 0.0]])
    detector = Neighbours(crowd() | model | {"references": place}, 2)
    assert detector.score(place + 0.1 * np.array(way))[0] == pytest.approx(1.0)


def test_columns_are_compared_in_their_scale() -> None:
    # In the scale of the second column, 4 across are 1.5.
    scaled = crowd() | {"scale": np.array([1.0, 8 / 3])}
    row = np.array([[2.0, -12.0]])
    assert Neighbours(scaled, 2).score(row)[0] == pytest.approx(3 / np.hypot(3, 1.5))


def test_a_large_batch_is_scored_as_its_rows_are() -> None:
    rows = np.random.default_rng(1).normal(scale=3, size=(600, 2))
    detector = Neighbours(crowd(), 2)
    alone = np.array([detector.score(row[np.newaxis])[0] for row in rows])
    np.testing.assert_allclose(detector.score(rows), alone, rtol=1e-9, atol=1e-12)


def test_a_row_upon_a_reference_has_a_score() -> None:
    assert np.isfinite(Neighbours(crowd(), 2).score(crowd()["references"])).all()


def test_no_rows_have_no_scores() -> None:
    assert Neighbours(crowd(), 2).score(np.zeros((0, 2))).tolist() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"references": np.zeros((3, 3))}, "not of 2 columns"),
        ({"scale": np.ones(3)}, "not of 2 columns"),
        ({"scale": np.array([1.0, 0.0])}, "not of 2 columns"),
        ({"references": np.full((3, 2), np.nan)}, "holds NaN or infinity"),
        ({"scale": np.array([1.0, np.inf])}, "holds NaN or infinity"),
        ({"neighbours": np.array([0], "<i4")}, "one number, 1 to that of the references"),
        ({"neighbours": np.array([7], "<i4")}, "one number, 1 to that of the references"),
        ({"neighbours": np.array([1, 1], "<i4")}, "one number, 1 to that of the references"),
        ({"references": np.zeros((0, 2))}, "one number, 1 to that of the references"),
        (
            {"model_sizes": np.array([2, 1], "<i4"), "model_weights": np.zeros(3)},
            "two classes or more",
        ),
    ],
)
def test_what_is_no_such_detector_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ArtefactError, match=re.escape(said)):
        Neighbours(crowd() | changes, 2)


def test_its_artefact_is_read_back(tmp_path: Path) -> None:
    detector = load_detector(write_detector(tmp_path / "a", crowd(), "Neighbours"))
    rows = np.array([[0.6, -9.0], [np.nan, 0.0]])
    scores = detector.score(rows)
    assert scores[0] == Neighbours(crowd(), 2).score(rows[:1])[0]
    assert np.isnan(scores[1])
