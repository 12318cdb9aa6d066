"""A real Prometheus reads the guards of a deployment, and tells when its model gets slow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hune.contract import metrics
from hune.contract.names import GUARD_PORT
from hune.controlplane.api.objectives import Objectives
from hune.controlplane.cluster import resources
from hune.controlplane.plan.build.prometheus_rule import build_prometheus_rule
from hune.controlplane.plan.plan import Owner
from tests.cluster import Cluster
from tests.support import dashboard, slow_server
from tests.support.eventually import eventually
from tests.support.forward import forwarded
from tests.support.http import ask
from tests.support.pod import IMAGE
from tests.support.prometheus import Prometheus
from tests.support.space import Space, namespace
from tests.support.watching import OBSTACLE
from tests.support.watching import watching as watching_deployment

pytestmark = pytest.mark.e2e
NAME = "slow"
PROMISED = {"availability": "99.9", "latencyP95": "250ms", "errorPercent": 5, "throughput": 100}
ALERT = "HuneLatencyHigh"


@pytest.fixture(scope="module")
def space(cluster: Cluster) -> Iterator[Space]:
    if cluster.network is None:
        pytest.skip(OBSTACLE)
    with namespace(cluster, "e2e-objectives") as found:
        yield found


def spec() -> dict[str, Any]:
    script = Path(slow_server.__file__).read_text()
    container = {"image": IMAGE, "command": ["python3", "-c", script], "port": slow_server.PORT}
    small = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
    serving = {"container": container, "resources": small}
    return {"serving": serving, "objectives": PROMISED, "access": {"mode": "Open"}}


@pytest.fixture
def watching(space: Space, tmp_path: Path) -> Iterator[Prometheus]:
    """Have the deployment, and a Prometheus with its rules."""
    space.deploy(NAME, spec())
    space.wait_ready(NAME)
    owner = Owner.of(space.deployment(NAME))
    rules = build_prometheus_rule(owner, Objectives.model_validate(PROMISED), {})["spec"]
    with watching_deployment(space, NAME, rules, tmp_path) as found:
        yield found


@pytest.fixture
def port(space: Space, watching: Prometheus) -> Iterator[int]:
    assert watching.is_ready()
    (pod,) = space.find(resources.POD, deployment=NAME)
    target = f"pod/{pod['metadata']['name']}"
    with forwarded(space.cluster, space.name, target, GUARD_PORT) as number:
        yield number


def predict(port: int, seconds: float) -> None:
    tensor = {"name": "x", "datatype": "INT64", "shape": [1], "data": [1]}
    body = json.dumps({"inputs": [tensor], "parameters": {"seconds": seconds}}).encode()
    assert ask(port, "POST", f"/v2/models/{NAME}/infer", body).status == 200


def blank(watching: Prometheus) -> list[str]:
    """Return the dashboard's queries that find nothing; there is no contract to break here."""
    found = dashboard.blank(watching)
    return [query for query in found if metrics.GUARD_CONTRACT_BREACHES not in query]


def is_quick(port: int, watching: Prometheus) -> bool:
    predict(port, 0)
    quick = watching.query("hune:prediction_duration_seconds:p95_rate5m < 0.25")
    return bool(quick) and watching.alert(ALERT) == {}


def is_firing(port: int, watching: Prometheus) -> bool:
    predict(port, 0.4)
    return bool(watching.alert(ALERT).get("state") == "firing")


@pytest.mark.timeout(300)
def test_slowness_is_told_before_users_tell_it(
    space: Space, watching: Prometheus, port: int
) -> None:
    (target,) = watching.targets()
    (revision,) = space.revisions(NAME)
    labels = {key: target["labels"][key] for key in ("namespace", "deployment", "revision")}
    assert labels == {"namespace": space.name, "deployment": NAME, "revision": revision}

    for _ in range(40):
        predict(port, 0)
    # Whatever the first ones took, others that are quick outnumber them.
    eventually(lambda: is_quick(port, watching), 60, 0.1)
    assert watching.metrics() >= dashboard.ALWAYS_THERE
    eventually(lambda: blank(watching) == [], 60, 1, lambda: blank(watching))

    eventually(lambda: is_firing(port, watching), 150, 0.05, watching.alerts)
    summary = watching.alert(ALERT)["annotations"]["summary"]
    assert summary.startswith(f"{space.name}/{NAME}: 5 of 100 predictions take longer than")
    # In this cluster nobody installed the Prometheus operator, which keeps no model from serving.
    assert space.condition(NAME, "ObjectivesWatched")["reason"] == "PrometheusNotInstalled"
    assert space.is_ready(NAME)
