import json
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hune.dataplane.jobs.parity import Causes, Missing, OutputParity, Parity, compare

NUMBERS = np.array([[0.25, 0.75], [1.0, 0.0], [100.0, 1e-9]])


def report(**changes: Any) -> Parity:
    outputs = (
        OutputParity("label", "Label", 1, ties=3),
        OutputParity("probabilities", "Numbers", 2, 0, 0.25, 0.5),
    )
    fields: dict[str, Any] = {
        "library": "xgboost 3",
        "converter": "onnxmltools 1",
        "rows": 10,
        "drawn": "of rows.csv",
        "tolerance": 1e-5,
        "allowed": 0,
        "disagreements": 2,
        "first_rows": (3, 7),
        "causes": Causes(rounded_inputs=1, at_a_threshold=1),
        "thresholds": 40,
        "rounded_thresholds": 4,
        "outputs": outputs,
    }
    return Parity(**fields | changes)


def numbers(
    library: Any, onnx: Any, tolerance: float = 1e-5
) -> tuple[OutputParity, npt.NDArray[np.bool_]]:
    (found,), wrong = compare({"p": onnx}, [library], tolerance)
    return found, wrong


def test_equal_numbers_differ_by_nothing() -> None:
    found, wrong = numbers(NUMBERS, NUMBERS.astype(np.float32))
    assert (found.kind, found.disagreements) == ("Numbers", 0)
    assert found.largest_absolute < 1e-15
    assert not wrong.any()


def test_the_largest_differences_are_told_and_the_rows_beyond() -> None:
    ours = NUMBERS.copy()
    ours[0, 1] = 0.5
    ours[2, 0] += 5e-4  # within 1e-5 of 100
    found, wrong = numbers(NUMBERS, ours)
    assert (found.disagreements, found.largest_absolute) == (1, 0.25)
    assert found.largest_relative == pytest.approx(1 / 3)
    assert wrong.tolist() == [True, False, False]


def test_one_column_may_come_flat_or_not() -> None:
    found, wrong = numbers(np.array([1.0, 2.0]), np.array([[1.0], [2.5]]), 0.1)
    assert found.disagreements == 1
    assert wrong.tolist() == [False, True]


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_compared_too(odd: float) -> None:
    same, _ = numbers(np.array([odd]), np.array([odd], dtype=np.float32), 0.1)
    other, _ = numbers(np.array([odd]), np.array([1.0]), 0.1)
    assert (same.disagreements, other.disagreements) == (0, 1)
    assert "Infinity" not in json.dumps(asdict(other))
    assert "NaN" not in json.dumps(asdict(other))


@pytest.mark.parametrize(
    ("library", "onnx"),
    [
        (np.array([0, 1, 2]), np.array([0, 1, 1], dtype=np.int64)),
        (np.array([0.0, 1.0, 2.0]), np.array([0, 1, 1])),
        (np.array([True, False, True]), np.array([1, 0, 0])),
        (np.array(["a", "b", "c"]), np.array(["a", "b", "b"])),
        (np.array(["a", "b", "c"], dtype=object), np.array(["a", "b", "b"], dtype=object)),
    ],
    ids=["integers", "floats", "booleans", "texts", "objects"],
)
def test_labels_agree_or_not(library: Any, onnx: Any) -> None:
    (label, _), wrong = compare({"label": onnx, "p": NUMBERS}, [library, NUMBERS], 1e-5)
    assert label == OutputParity("label", "Label", 1)
    assert wrong.tolist() == [False, False, True]


def test_where_the_librarys_best_two_tie_neither_label_is_wrong() -> None:
    tied = np.array([[0.4, 0.4 + 1e-9, 0.2], [0.5, 0.3, 0.2]])
    answers = {"label": np.array([0, 1]), "p": tied}
    (label, _), wrong = compare(answers, [np.array([1, 0]), tied], 1e-5)
    assert (label.disagreements, label.ties) == (1, 1)
    assert wrong.tolist() == [False, True]


@pytest.mark.parametrize(
    ("onnx", "said"),
    [
        ({"p": NUMBERS[:, :1]}, r"output 'p' has shape \(3, 1\), the library's \(3, 2\)"),
        ({"p": NUMBERS, "q": NUMBERS}, r"2 outputs \(p, q\), the library has 1"),
    ],
)
def test_what_is_no_comparison_is_told(onnx: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compare(onnx, [NUMBERS], 1.0)


@pytest.mark.parametrize(("allowed", "holds"), [(0, False), (1, False), (2, True)])
def test_so_many_rows_may_disagree(allowed: int, holds: bool) -> None:  # noqa: FBT001
    assert report(allowed=allowed).holds is holds


def test_the_report_is_json() -> None:
    document = json.loads(json.dumps(report().document()))
    assert document["holds"] is False
    assert document["firstRows"] == [3, 7]
    assert document["causes"] == {"roundedInputs": 1, "atAThreshold": 1, "unknown": 0}
    assert document["outputs"][1] == {
        "name": "probabilities",
        "kind": "Numbers",
        "disagreements": 2,
        "ties": 0,
        "largestAbsolute": 0.25,
        "largestRelative": 0.5,
    }


def test_the_report_is_text() -> None:
    assert report().text().split("\n") == [
        "xgboost 3; onnxmltools 1",
        "10 rows compared: of rows.csv",
        "  label: 1 labels disagree; 3 more where the library's best two tie",
        (
            "  probabilities: largest difference 0.25 absolute, 0.5 relative; 2 rows beyond the "
            "tolerance"
        ),
        "4 of 40 split thresholds are rounded for ONNX",
        "rows that disagree, counted from 0: 3, 7",
        (
            "because: 1 by inputs rounded to single precision, 1 by a value at a split threshold, "
            "0 for another reason"
        ),
        "the library takes no missing values, so send none",
        "PARITY DOES NOT HOLD: 2 rows disagree by more than 1e-05, 0 may",
    ]
    assert (
        report(disagreements=0)
        .text()
        .endswith("parity holds: 0 rows disagree by more than 1e-05, 0 may")
    )


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (Missing(8), "with values missing: all of 8 rows agree"),
        (Missing(8, 3), "with values missing: 3 of 8 rows disagree, so send none (a data contract"),
    ],
)
def test_missing_values_are_told_and_decide_nothing(missing: Missing, said: str) -> None:
    told = report(missing=missing, disagreements=0)
    assert told.holds
    assert said in told.text()
