"""`hune fit adversarial` on models that scikit-learn really trained."""

import json
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from hune.cli.main import main
from hune.contract.digest import digest_of
from hune.dataplane.detectors.detector import load_detector
from hune.dataplane.detectors.network import Network
from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.model import pack_model, read_model

ROWS, CLASSES = make_blobs(
    n_samples=900, centers=[[0, 0, 9], [40, 0, 9], [0, 6, 9]], cluster_std=[3, 3, 1], random_state=4
)
TRAIN, CHECK = ROWS[:600], ROWS[600:]


def perceptron(*hidden: int, **how: Any) -> MLPClassifier:
    return MLPClassifier(hidden, solver="lbfgs", max_iter=30, random_state=0, **how)


def trained(model: Any, classes: int = 3) -> Any:
    with warnings.catch_warnings():
        # Trained no longer than a test needs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(TRAIN, np.minimum(CLASSES[:600], classes - 1))


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (make_pipeline(StandardScaler(), perceptron(8)), 3),
        (perceptron(6, 5, activation="tanh"), 2),
        (perceptron(6, activation="logistic"), 3),
        (make_pipeline(MinMaxScaler((-1, 1)), StandardScaler(), LogisticRegression()), 3),
        (make_pipeline(StandardScaler(with_mean=False), LogisticRegression()), 2),
    ],
    ids=["perceptron", "two classes", "logistic units", "two scalers", "logistic regression"],
)
def test_a_model_of_dense_layers_is_packed_as_it_is(model: Any, classes: int) -> None:
    trained(model, classes)
    packed = pack_model(model, TRAIN, CHECK, 0)
    answers = Network(packed.arrays, "model", 3).ask(CHECK * 1.5)
    np.testing.assert_allclose(answers, model.predict_proba(CHECK * 1.5), rtol=1e-7, atol=1e-9)
    assert packed.agreement == 1.0


def test_of_another_model_a_network_learns_the_answers() -> None:
    model = trained(RandomForestClassifier(20, random_state=0))
    packed = pack_model(model, TRAIN, CHECK, 0)
    answers = Network(packed.arrays, "model", 3).ask(CHECK)
    agreement = (answers.argmax(axis=1) == model.predict(CHECK)).mean()
    assert 0.97 < packed.agreement == agreement


def test_a_model_that_no_network_learns_is_refused() -> None:
    class Moody:
        """Answers by the tenth decimal place."""

        def predict_proba(self, rows: Any) -> Any:
            odd = (rows[:, 0] * 1e10).astype(int) % 2
            return np.stack([odd, 1 - odd], axis=1)

    with pytest.raises(FitError, match="agrees with it on"):
        pack_model(Moody(), TRAIN[:50], CHECK, 0)


@pytest.fixture
def order(tmp_path: Path) -> list[str]:
    np.save(tmp_path / "train.npy", TRAIN)
    np.save(tmp_path / "fresh.npy", CHECK)
    joblib.dump(trained(make_pipeline(StandardScaler(), perceptron(8))), tmp_path / "model.joblib")
    words = ["fit", "adversarial", "--method", "Neighbours", "--model", str(tmp_path)]
    words += ["--data", str(tmp_path / "train.npy"), "--to", str(tmp_path / "a")]
    return [*words, "--false-alarm-rate", "0.02", "--calibrate-with", str(tmp_path / "fresh.npy")]


def test_the_artefact_keeps_the_stated_rate_and_is_told(
    order: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*order, "--output", "json", "--parameter", "neighbours=7"]) == 0
    report = json.loads(capsys.readouterr().out)
    detector = load_detector(tmp_path / "a")
    flagged = int((detector.score(CHECK) > detector.threshold).sum())
    assert report["falseAlarmRate"] == {
        "stated": "0.02",
        "achieved": f"{flagged / 300:.6g}",
        "flagged": flagged,
        "heldOut": 300,
    }
    assert 0 < flagged <= 6
    assert report["digest"] == digest_of(tmp_path / "a")
    assert (report["trainRows"], report["agreement"]) == (600, "1")
    files = {file.name for file in (tmp_path / "a").iterdir()}
    assert files >= {"detector.json", "references.npy", "model_weights.npy"}


def test_the_same_order_gives_the_same_detector(
    order: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = []
    for name, seed in (("b", "0"), ("c", "0"), ("d", "1")):
        more = ["--to", str(tmp_path / name), "--name", "x", "--seed", seed]
        assert main([*order, *more, "--parameter", "references=100", "--output", "json"]) == 0
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_person_is_told_how_well_the_model_is_packed(
    order: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(order) == 0
    said = capsys.readouterr().out
    assert "Neighbours fitted on 600 rows of 3 columns" in said
    assert "names the same class for 100.0% of these rows" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "gone.joblib"], "--model gone.joblib: No such file"),
        (["--model", __file__], "not as joblib saves a model"),
        (["--features", "a"], "an .npy file has no names"),
        (["--parameter", "neighbours=0"], "must be 1 to 1000"),
        (["--parameter", "trees=1"], "Neighbours has neighbours, references, standardise"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_told(
    order: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    assert main([*order, *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_rows_that_the_model_does_not_take_are_told(
    order: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train", "fresh"):
        np.save(tmp_path / f"{name}.npy", TRAIN[:, :2])
    assert main(order) == 2
    assert "the model does not take rows of 2 columns" in capsys.readouterr().err


def test_a_model_without_probabilities_is_refused(tmp_path: Path) -> None:
    joblib.dump(LinearSVC().fit(TRAIN[:50], CLASSES[:50]), tmp_path / "model.joblib")
    with pytest.raises(FitError, match="a classifier with predict_proba is wanted"):
        read_model(tmp_path / "model.joblib")
