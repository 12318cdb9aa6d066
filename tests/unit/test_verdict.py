"""What a detector's verdict is, on a detector small enough to know its answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.dataplane.detectors.detector import FittedDetector, load_detector
from hune.dataplane.guard.role import ADVERSARIAL, OUTLIERS
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.guard.verdict import DetectorCheck, TooSlowError
from hune.dataplane.wire.table import Table, TableError
from tests.support.detectors import plane, write_detector


@dataclass
class Counted:
    scores: list[tuple[int, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def scored(self, rows: int, flagged: int, seconds: float) -> None:
        assert seconds > 0
        self.scores.append((rows, flagged))

    def failed(self, reason: str) -> None:
        self.failures.append(reason)


@pytest.fixture
def detector(tmp_path: Path) -> FittedDetector:
    """Scores by the squared distance from (1, 2), the second column halved; threshold 4."""
    return load_detector(write_detector(tmp_path / "d", plane(), "Mahalanobis", threshold="4.0"))


def table(*rows: tuple[float, float]) -> Table:
    return Table(len(rows), np.array(rows), {})


def test_a_row_like_the_others_is_no_outlier(detector: FittedDetector) -> None:
    counted = Counted()
    finding = DetectorCheck(OUTLIERS, detector, "Flag", counted).inspect(table((1, 4)))
    assert finding.note == {
        "outlier": False,
        "outlier_rows": [],
        "outlier_scores": [1.0],
        "outlier_threshold": 4.0,
    }
    assert finding.headers == ((b"x-hune-outlier", b"false"),)
    assert finding.rejected == ""
    assert counted == Counted([(1, 0)])


def test_a_batch_is_judged_row_by_row(detector: FittedDetector) -> None:
    counted = Counted()
    batch = table((9, 2), (1, 2), (3, 2), (1, 99))
    finding = DetectorCheck(OUTLIERS, detector, "Flag", counted).inspect(batch)
    assert finding.note["outlier"] is True
    assert finding.note["outlier_rows"] == [0, 3]
    assert finding.note["outlier_scores"] == [64.0, 0.0, 4.0, 48.5**2]
    assert finding.headers == ((b"x-hune-outlier", b"true"),)
    assert finding.rejected == ""
    assert counted == Counted([(4, 2)])


def test_named_columns_are_taken_by_their_names(detector: FittedDetector) -> None:
    named = Table(1, None, {"b": np.array([4]), "a": np.array([1])})
    finding = DetectorCheck(OUTLIERS, detector, "Flag", Counted()).inspect(named)
    assert finding.note["outlier_scores"] == [1.0]


def test_a_threshold_of_the_deployment_is_used_for_the_artefacts(detector: FittedDetector) -> None:
    check = DetectorCheck(OUTLIERS, detector, "Flag", Counted(), threshold=0.5)
    finding = check.inspect(table((1, 4)))
    assert (finding.note["outlier"], finding.note["outlier_threshold"]) == (True, 0.5)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e300])
def test_a_row_that_cannot_be_scored_is_an_outlier(detector: FittedDetector, odd: float) -> None:
    finding = DetectorCheck(OUTLIERS, detector, "Flag", Counted()).inspect(table((1, 2), (odd, 2)))
    assert finding.note["outlier_rows"] == [1]
    assert finding.note["outlier_scores"] == [0.0, None]


def test_a_rejection_names_the_rows(detector: FittedDetector) -> None:
    check = DetectorCheck(OUTLIERS, detector, "Reject", Counted())
    assert check.inspect(table((1, 2))).rejected == ""
    assert check.inspect(table((1, 2), (9, 2))).rejected.startswith("row 1 (counted from 0)")
    many = check.inspect(table(*[(9, 2)] * 13)).rejected
    assert many.startswith("rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more (counted from 0)")
    assert "above 4," in many


def test_other_columns_are_a_failure_that_is_counted(detector: FittedDetector) -> None:
    counted = Counted()
    check = DetectorCheck(OUTLIERS, detector, "Flag", counted)
    with pytest.raises(TableError, match="2 columns are wanted; the request has 3"):
        check.inspect(Table(1, np.zeros((1, 3)), {}))
    assert counted == Counted([], ["Table"])


def test_a_crash_is_counted_and_told() -> None:
    class Broken:
        name, names, count, threshold = "broken", (), 2, 0.0

        def score(self, rows: Any) -> Any:
            raise ZeroDivisionError(f"{len(rows)} rows")

    counted = Counted()
    with pytest.raises(ZeroDivisionError):
        DetectorCheck(OUTLIERS, Broken(), "Flag", counted).inspect(table((1, 2)))
    assert counted == Counted([], ["Crash"])


def test_more_rows_than_there_is_time_for_are_not_judged(detector: FittedDetector) -> None:
    counted = Counted()
    check = DetectorCheck(OUTLIERS, detector, "Flag", counted, seconds=0.0)
    with pytest.raises(TooSlowError, match="1024 of 1025 rows took more than 0 s; send smaller"):
        check.inspect(table(*[(1, 2)] * 1025))
    assert counted == Counted([], ["Slow"])
    assert check.inspect(table(*[(9, 2)] * 1024)).note["outlier_rows"] == [*range(1024)]


def test_parts_of_a_batch_are_joined(detector: FittedDetector) -> None:
    counted = Counted()
    rows = [(1.0, 2.0)] * 3000
    rows[2047], rows[2999] = (9.0, 2.0), (1.0, 99.0)
    finding = DetectorCheck(OUTLIERS, detector, "Flag", counted).inspect(table(*rows))
    assert finding.note["outlier_rows"] == [2047, 2999]
    assert finding.note["outlier_scores"] == [*[0.0] * 2047, 64.0, *[0.0] * 951, 48.5**2]
    assert counted == Counted([(3000, 2)])


def test_the_metrics_say_how_many_rows_were_flagged(detector: FittedDetector) -> None:
    telemetry = Telemetry(lambda: 0)
    check = DetectorCheck(OUTLIERS, detector, "Flag", telemetry.detectors["outliers"])
    check.inspect(table((9, 2), (1, 2), (3, 2)))
    with pytest.raises(TableError):
        check.inspect(Table(1, np.zeros((1, 3)), {}))
    text = telemetry.render().decode()
    label = 'detector="outliers"'
    assert f"hune_guard_detector_rows_total{{{label}}} 3.0" in text
    assert f"hune_guard_detector_flagged_total{{{label}}} 1.0" in text
    assert f"hune_guard_detector_duration_seconds_count{{{label}}} 1.0" in text
    assert f'hune_guard_detector_failures_total{{{label},reason="Table"}} 1.0' in text
    assert f'hune_guard_detector_failures_total{{{label},reason="Missing"}} 0.0' in text


def test_an_adversarial_row_is_named_so(detector: FittedDetector) -> None:
    finding = DetectorCheck(ADVERSARIAL, detector, "Reject", Counted()).inspect(table((9, 2)))
    assert finding.note["adversarial_rows"] == [0]
    assert finding.headers == ((b"x-hune-adversarial", b"true"),)
    assert "made to deceive it: adversarial score above 4" in finding.rejected
