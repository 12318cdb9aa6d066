"""An attack is flagged, and its Event and alert appear; noise as large is only noise."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hune.controlplane.cluster import resources
from tests.cluster import ClusterError
from tests.cluster.command import run
from tests.support.api import Document
from tests.support.eventually import eventually
from tests.support.examples import FOLDER
from tests.support.install import ROOT
from tests.support.models import Models
from tests.support.prometheus import Prometheus
from tests.support.release import command_environment
from tests.support.space import PATIENCE, Space
from tests.support.watching import OBSTACLE, watching

pytestmark = pytest.mark.e2e
EXAMPLE = FOLDER / "08-attacks"
RULES = ROOT / "manifests/monitoring/rules.yaml"
NAME, ALERT, REASON = "digits", "HuneAdversarialInput", "AdversarialInput"
ROWS = 50


@pytest.fixture(scope="module")
def requests(
    space: Space, models: Models, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Have the example's model served with its detector; requests to it by their name."""
    folder = tmp_path_factory.mktemp("digits") / "1"
    run([sys.executable, EXAMPLE / "train.py", folder])
    run([sys.executable, EXAMPLE / "attack.py", folder])
    model = models.store(space.cluster, folder, NAME)
    detector = models.store(space.cluster, fit(space, folder), f"{NAME}-detector")
    spec = {"model": {"source": models.source(1) | model}, "guard": {"adversarial": detector}}
    space.deploy(NAME, spec)
    space.wait_ready(NAME)
    return {
        name: json.loads(folder.with_name(f"{name}.json").read_text())
        for name in ("ordinary", "noisy", "attacked")
    }


def fit(space: Space, model: Path) -> Path:
    """Fit the detector as the example tells."""
    to = model.with_name("adversarial")
    words: list[str | Path] = [sys.executable, "-m", "hune.cli.main", "fit", "adversarial"]
    words += ["--model", model, "--data", model.with_name("train.npy")]
    words += ["--calibrate-with", model.with_name("fresh.npy"), "--false-alarm-rate", "0.01"]
    environment = command_environment(space.cluster) | {"PYTHONPATH": str(ROOT / "operator")}
    run([*words, "--method", "Neighbours", "--to", to], environment=environment)
    return to


@pytest.fixture
def prometheus(space: Space, requests: dict[str, Any], tmp_path: Path) -> Iterator[Prometheus]:
    assert requests
    if space.cluster.network is None:
        pytest.skip(OBSTACLE)
    rules = yaml.safe_load(RULES.read_text())
    with watching(space, NAME, rules, tmp_path) as found:
        yield found


def flagged(space: Space, request: dict[str, Any]) -> int:
    """Ask, and count the rows that are flagged; the model answers them all."""
    answer = space.predict(NAME, request)
    assert len(answer["outputs"][0]["data"]) == ROWS
    note = answer["parameters"]
    rows = [row for row in note["hune_adversarial_rows"].split(",") if row]
    assert note["hune_adversarial"] is bool(rows)
    return len(rows)


def events(space: Space) -> list[Document]:
    found = space.find(resources.EVENT)
    return [event for event in found if event["reason"] == REASON]


@pytest.mark.timeout(300, func_only=True)
def test_an_attack_is_flagged_and_told_and_noise_is_not(
    space: Space, requests: dict[str, Any], prometheus: Prometheus
) -> None:
    counted = f'hune_guard_detector_rows_total{{detector="adversarial",deployment="{NAME}"}}'
    quiet = flagged(space, requests["ordinary"]) + flagged(space, requests["noisy"])
    assert quiet <= 0.03 * 2 * ROWS, "a detector at 1 % false alarms"
    eventually(lambda: prometheus.query(f"{counted} == {2 * ROWS}"))
    assert prometheus.alert(ALERT) == {}

    found = flagged(space, requests["attacked"])
    assert found >= 0.7 * ROWS
    eventually(lambda: prometheus.alert(ALERT).get("state") == "firing", 30, 0.5, prometheus.alerts)
    alert = prometheus.alert(ALERT)
    assert (alert["labels"]["namespace"], alert["labels"]["deployment"]) == (space.name, NAME)
    assert "adversarial rows within 10m" in alert["annotations"]["summary"]

    eventually(lambda: events(space), PATIENCE, 0.5)
    (event,) = events(space)
    assert (event["type"], event["involvedObject"]["name"]) == ("Warning", NAME)
    told = f"guards flagged {quiet + found} rows within the last 5 minutes as adversarial"
    assert event["message"].startswith(told)


@pytest.mark.timeout(300, func_only=True)
def test_an_attack_that_goes_on_is_refused_and_not_told_each_time(
    space: Space, requests: dict[str, Any]
) -> None:
    flagged(space, requests["attacked"])
    eventually(lambda: events(space), PATIENCE, 0.5)
    patch = {"spec": {"guard": {"adversarial": {"onDetect": "Reject"}}}}
    space.api.patch(resources.MODEL_DEPLOYMENT, space.name, NAME, patch)
    eventually(lambda: refused(space, requests["attacked"]), 30, 0.5)
    # The operator has looked at the guards again to bring this about.
    assert len(events(space)) == 1
    assert len(space.predict(NAME, requests["ordinary"])["outputs"][0]["data"]) == ROWS


def refused(space: Space, request: dict[str, Any]) -> bool:
    try:
        space.predict(NAME, request)
    except ClusterError as error:
        return "the answer is 422: " in str(error)
    return False
