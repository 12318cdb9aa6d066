"""A detector that fails while it scores is told, and is well again when it scores again."""

from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from hune.contract.digest import digest_of
from hune.contract.guard import DetectorSettings
from hune.dataplane.detectors.isolation_forest import IsolationForest
from hune.dataplane.guard.detector_telemetry import build_detector_telemetry
from hune.dataplane.guard.role import OUTLIERS
from hune.dataplane.guard.watch import UnjudgedError, Watch
from hune.dataplane.wire.table import Numbers, Table
from tests.support.detectors import small_forest, write_detector

ROWS = Table(rows=1, matrix=np.array([[0.9, 1.0]]), columns={})


def reason(watch: Watch) -> str:
    return watch.fault.reason if watch.fault else ""


def test_a_crash_is_told_until_the_next_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    telemetry = build_detector_telemetry(registry, ["outliers"])["outliers"]
    watch = Watch(OUTLIERS, telemetry, 5.0)
    place = write_detector(tmp_path / "artefact", small_forest())
    watch.apply(DetectorSettings("s3://models/outliers", str(place), digest_of(place)))
    assert reason(watch) == ""

    def fail(_self: IsolationForest, _rows: Numbers) -> Numbers:
        raise ZeroDivisionError

    with monkeypatch.context() as forced:
        forced.setattr(IsolationForest, "score", fail)
        for _ in range(2):
            with pytest.raises(UnjudgedError) as unjudged:
                watch.inspect(ROWS)
        assert unjudged.value.reason == "DetectorFailed"
        assert reason(watch) == "DetectorFailed"
    assert len(caplog.records) == 1, "a run of failures is one entry in the log"
    labels = {"detector": "outliers", "reason": "Crash"}
    assert registry.get_sample_value("hune_guard_detector_failures_total", labels) == 2
    watch.inspect(ROWS)
    assert reason(watch) == ""
