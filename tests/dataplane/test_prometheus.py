"""A real Prometheus reads a real guard: what the rules and the dashboard ask for is there."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from hune.contract import metrics, names
from hune.controlplane.api.objectives import Objectives
from hune.controlplane.plan.build.prometheus_rule import build_prometheus_rule
from hune.controlplane.plan.plan import Owner
from tests.support import dashboard, monitoring, prometheus
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import ask
from tests.support.predictor import Predictor, Seen, serve_model
from tests.support.prometheus import Prometheus

pytestmark = pytest.mark.skipif(bool(prometheus.obstacle()), reason=prometheus.obstacle())
INFER = "/v2/models/income/infer"
OBJECTIVES = Objectives.model_validate(
    {"availability": "99.9", "latencyP95": "250ms", "errorPercent": 5, "throughput": 100}
)


def rules_of(guard: GuardProcess) -> dict[str, Any]:
    settings = guard.settings
    owner = Owner("v1", "ModelDeployment", settings.deployment, settings.namespace, "u-1", 1)
    rules: dict[str, Any] = build_prometheus_rule(owner, OBJECTIVES, {})["spec"]
    return rules


def pod_of(guard: GuardProcess) -> dict[str, Any]:
    """Return the pod that the guard would run in, with a predictor whose port has the same name."""
    settings = guard.settings
    metadata = {
        "name": f"{settings.revision}-predictor-0",
        "namespace": settings.namespace,
        "labels": {
            names.LABEL_DEPLOYMENT: settings.deployment,
            names.LABEL_REVISION: settings.revision,
        },
    }
    containers = [
        {"name": container, "ports": [{"name": names.GUARD_PORT_NAME, "containerPort": port}]}
        for container, port in (
            (names.PREDICTOR_CONTAINER, settings.predictor_port),
            (names.GUARD_CONTAINER, names.GUARD_PORT),
        )
    ]
    status = {"podIP": "127.0.0.1"}
    return {"metadata": metadata, "spec": {"containers": containers}, "status": status}


@pytest.fixture
def watched(guard: GuardProcess, tmp_path: Path) -> Iterator[Prometheus]:
    """Have a Prometheus that gives the guard the labels that it has in a cluster."""
    scrape = monitoring.build_static_scrape(
        monitoring.discovered(pod_of(guard), {names.GUARD_PORT: guard.port})
    )
    file = prometheus.write_configuration(tmp_path, [scrape], rules_of(guard))
    with prometheus.running(file) as found:
        yield found


def slowly(seen: Seen, connection: socket) -> bool:
    """Answer as a model that takes its time."""
    time.sleep(0.4)
    return serve_model(seen, connection)


def predict(guard: GuardProcess, times: int) -> None:
    with ThreadPoolExecutor(20) as pool:
        for reply in pool.map(lambda _: ask(guard.port, "POST", INFER, b"{}"), range(times)):
            assert reply.status == 200


def break_contract(guard: GuardProcess) -> None:
    """Have a data contract for one request, which breaks it."""
    seen = len(guard.log)
    guard.write_settings(
        dataContract={"features": [{"name": "a", "type": "Float", "maximum": "2"}]}
    )
    guard.wait_for_line_after("is in force", seen)
    tensor = {"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [5]}
    body = json.dumps({"inputs": [tensor]}).encode()
    note = ask(guard.port, "POST", INFER, body).json()["parameters"]
    assert note["hune_contract_breaches"] == 1
    seen = len(guard.log)
    guard.write_settings()
    guard.wait_for_line_after("is in force", seen)


def counted(watched: Prometheus) -> float:
    found = watched.query(f'{metrics.GUARD_REQUESTS}{{endpoint="predict", code="200"}}')
    return float(found[0]["value"][1]) if found else -1


def is_quick(watched: Prometheus, guard: GuardProcess) -> bool:
    predict(guard, 1)
    quick = watched.query("hune:prediction_duration_seconds:p95_rate5m < 0.25")
    return bool(quick) and watched.alert("HuneLatencyHigh") == {}


def test_the_dashboard_shows_something_and_slowness_is_noticed(
    watched: Prometheus, guard: GuardProcess, predictor: Predictor
) -> None:
    eventually(lambda: [target for target in watched.targets() if target["health"] == "up"])
    (target,) = watched.targets()
    assert target["labels"] == {
        "job": monitoring.JOB,
        "instance": f"127.0.0.1:{guard.port}",
        "namespace": "default",
        "pod": "income-1a2b3c4d-predictor-0",
        "deployment": "income",
        "revision": "income-1a2b3c4d",
    }
    # An increase can be seen of what was seen before.
    eventually(lambda: counted(watched) == 0)
    predict(guard, 40)
    eventually(lambda: counted(watched) == 40)

    break_contract(guard)
    assert watched.metrics() >= dashboard.ALWAYS_THERE
    eventually(lambda: dashboard.blank(watched) == [], 60, 0.1, lambda: dashboard.blank(watched))

    # Whatever the first ones took, others that are quick outnumber them.
    eventually(lambda: is_quick(watched, guard), 60)
    predictor.behaviour = slowly
    predict(guard, 40)
    eventually(lambda: watched.alert("HuneLatencyHigh"), seen=watched.alerts)
    # It fires when this has lasted for a minute, which a real cluster's test waits for.
    labels = watched.alert("HuneLatencyHigh")["labels"]
    assert labels["namespace"] == "default"
    assert labels["deployment"] == "income"


def test_the_rules_are_valid(guard: GuardProcess, tmp_path: Path) -> None:
    assert "17 rules found" in prometheus.check_rules(tmp_path, rules_of(guard))
    assert "4 rules found" in prometheus.check_rules(tmp_path, monitoring.build_rules())
