import numpy as np
import pytest

from hune.dataplane.detectors.artefact import ArtefactError
from hune.dataplane.detectors.mahalanobis import Mahalanobis
from tests.support.detectors import plane


def test_a_score_is_the_squared_distance_in_deviations() -> None:
    rows = np.array([[1.0, 2.0], [2.0, 2.0], [1.0, 4.0], [4.0, -2.0]])
    assert Mahalanobis(plane(), 2).score(rows).tolist() == [0.0, 1.0, 1.0, 13.0]


def test_a_component_that_is_left_out_does_not_count() -> None:
    arrays = plane() | {"directions": np.array([[1.0], [0.0]])}
    assert Mahalanobis(arrays, 2).score(np.array([[3.0, 1e9]])).tolist() == [4.0]


def test_all_components_give_the_textbook_distance() -> None:
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(400, 5)) @ generator.normal(size=(5, 5))
    covariance = np.cov(rows.T)
    values, vectors = np.linalg.eigh(covariance)
    arrays = {"mean": rows.mean(axis=0), "directions": vectors / np.sqrt(values)}
    centred = rows - rows.mean(axis=0)
    wanted = (centred @ np.linalg.inv(covariance) * centred).sum(axis=1)
    assert Mahalanobis(arrays, 5).score(rows) == pytest.approx(wanted, rel=1e-9)


def test_a_row_without_a_distance_has_no_finite_score_and_spoils_no_other() -> None:
    rows = np.array([[1.0, 4.0], [np.nan, 0.0], [np.inf, 0.0], [1e300, 0.0]])
    scores = Mahalanobis(plane(), 2).score(rows)
    assert np.isfinite(scores).tolist() == [True, False, False, False]
    assert scores[0] == 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean": np.zeros(3)}, "not of 2 columns"),
        ({"directions": np.zeros((3, 2))}, "not of 2 columns"),
        ({"directions": np.zeros((2, 0))}, "not of 2 columns"),
        ({"directions": np.zeros((2, 3))}, "not of 2 columns"),
        ({"mean": np.array([0, np.nan])}, "mean.npy holds NaN"),
        ({"directions": np.array([[0, np.inf], [0, 0]])}, "directions.npy holds NaN"),
    ],
)
def test_what_is_no_such_detector_is_refused(
    changes: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]], said: str
) -> None:
    with pytest.raises(ArtefactError, match=said):
        Mahalanobis(plane() | changes, 2)
