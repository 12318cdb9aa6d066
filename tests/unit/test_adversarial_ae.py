import re
from typing import Any

import numpy as np
import pytest

from hune.dataplane.detectors.adversarial_ae import AdversarialAE
from hune.dataplane.detectors.artefact import ArtefactError
from hune.dataplane.detectors.network import pack_network
from tests.support.detectors import forgetful


def test_a_row_that_is_given_back_as_it_is_has_no_score() -> None:
    same = forgetful() | pack_network("autoencoder", [(np.eye(2), np.zeros(2))], ["identity"])
    scores = AdversarialAE(same, 2).score(np.array([[0.3, -4.0], [-0.01, 2.0]]))
    assert scores == pytest.approx([0.0, 0.0], abs=1e-12)


def test_a_row_whose_class_is_lost_on_the_way_has_a_high_score() -> None:
    # The autoencoder gives back a first column of -1, whatever it was.
    right, left = AdversarialAE(forgetful(), 2).score(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert left == pytest.approx(0.0, abs=1e-9)
    assert right == pytest.approx(np.log(1e7), rel=1e-3)


def test_a_low_temperature_sharpens_what_the_model_says() -> None:
    row = np.array([[0.01, 0.0]])
    usual = AdversarialAE(forgetful(), 2).score(row)[0]
    sharp = AdversarialAE(forgetful() | {"temperature": np.array([0.1])}, 2).score(row)[0]
    assert sharp > usual > 0


def test_a_row_that_is_not_finite_has_no_score() -> None:
    assert np.isnan(AdversarialAE(forgetful(), 2).score(np.array([[np.inf, 0.0]]))).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": np.array([0.0])}, "one number above 0"),
        ({"temperature": np.array([np.nan])}, "one number above 0"),
        ({"temperature": np.array([1.0, 1.0])}, "one number above 0"),
        (pack_network("autoencoder", [(np.ones((2, 1)), np.zeros(1))], ["relu"]), "each column"),
        (pack_network("model", [(np.ones((2, 1)), np.zeros(1))], ["softmax"]), "two classes"),
        (pack_network("model", [(np.ones((3, 2)), np.zeros(2))], ["softmax"]), "has 3 inputs"),
    ],
)
def test_what_is_no_such_detector_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ArtefactError, match=re.escape(said)):
        AdversarialAE(forgetful() | changes, 2)
