import re
from typing import Any

import numpy as np
import pytest

from hune.dataplane.detectors.artefact import Array, ArtefactError
from hune.dataplane.detectors.network import Network, diverge, pack_network, score_finite
from tests.support.detectors import two_classes


def packed(**changes: Array) -> dict[str, Any]:
    return two_classes() | {f"model_{part}": value for part, value in changes.items()}


def test_layers_are_walked_one_after_the_other() -> None:
    layers = [
        (np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([0.5, 0.5])),
        (np.array([[1.0], [1.0]]), np.array([-1.0])),
    ]
    network = Network(pack_network("net", layers, ["relu", "identity"]), "net", 2)
    # (1, 1) → (3.5, -0.5) → relu (3.5, 0) → 2.5; (-2, 0) → (-1.5, 2.5) → (0, 2.5) → 1.5.
    assert network.ask(np.array([[1.0, 1.0], [-2.0, 0.0]])).tolist() == [[2.5], [1.5]]


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [
        ("identity", [-1.0, 2.0]),
        ("relu", [0.0, 2.0]),
        ("tanh", np.tanh([-1.0, 2.0])),
        ("logistic", 1 / (1 + np.exp([1.0, -2.0]))),
        ("softmax", np.exp([-1.0, 2.0]) / np.exp([-1.0, 2.0]).sum()),
    ],
)
def test_every_activation_is_what_it_is_called(activation: str, wanted: list[float]) -> None:
    network = Network(pack_network("net", [(np.eye(2), np.zeros(2))], [activation]), "net", 2)
    assert network.ask(np.array([[-1.0, 2.0]]))[0] == pytest.approx(wanted, rel=1e-12)


def test_values_too_large_for_an_exponential_have_a_share_all_the_same() -> None:
    network = Network(two_classes(), "model", 2)
    assert network.ask(np.array([[1e9, 0.0]])).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_the_slope_is_that_of_two_small_steps(activation: str) -> None:
    generator = np.random.default_rng(2)
    shapes = [(3, 5), (5, 4), (4, 3)]
    layers = [(generator.normal(size=shape), generator.normal(size=shape[1])) for shape in shapes]
    packed = pack_network("net", layers, [activation, activation, "softmax"])
    network = Network(packed, "net", 3)
    row, up, down = generator.normal(size=(1, 3)), np.array([2]), np.array([0])

    def times_likelier(place: Any) -> float:
        answers = network.ask(place)[0]
        return float(np.log(answers[2] / answers[0]))

    steps = 1e-6 * np.eye(3)
    wanted = [(times_likelier(row + s) - times_likelier(row - s)) / 2e-6 for s in steps]
    assert network.slope(row, up, down)[0] == pytest.approx(wanted, rel=1e-5, abs=1e-7)


def test_equal_answers_do_not_diverge_and_opposite_ones_do() -> None:
    said = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert diverge(said, said).tolist() == [0.0, 0.0]
    assert diverge(said, np.array([[0.25, 0.75], [0.0, 1.0]])) == pytest.approx(
        [0.5 * np.log(2) + 0.5 * np.log(2 / 3), np.log(1e7)], rel=1e-5
    )


def test_a_row_that_is_not_finite_has_no_score_and_spoils_no_other() -> None:
    rows = np.array([[1.0, 2.0], [np.nan, 0.0], [0.0, -np.inf]])
    scores = score_finite(lambda some: some.sum(axis=1), rows)
    assert scores[0] == 3.0
    assert np.isnan(scores[1:]).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sizes": np.array([3, 2], "<i4")}, "has 3 inputs, 2 are wanted"),
        ({"sizes": np.array([2], "<i4")}, "are no network"),
        ({"sizes": np.array([2, 0], "<i4")}, "are no network"),
        ({"activations": np.array([], "<i4"), "sizes": np.array([2], "<i4")}, "are no network"),
        (
            {
                "activations": np.array([4, 4], "<i4"),
                "sizes": np.array([2, 2, 2], "<i4"),
                "weights": np.zeros(12),
            },
            "a softmax before the last layer",
        ),
        ({"activations": np.array([9], "<i4")}, "holds an unknown activation"),
        ({"activations": np.array([-1], "<i4")}, "holds an unknown activation"),
        ({"weights": np.zeros(5)}, "another number of weights"),
        ({"weights": np.full(6, np.inf)}, "holds NaN or infinity"),
    ],
)
def test_what_is_no_network_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ArtefactError, match=re.escape(said)):
        Network(packed(**changes), "model", 2)
