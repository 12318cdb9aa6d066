"""Objectives in a cluster that gets the Prometheus operator's kinds, has them and loses them."""

from collections.abc import Iterator
from typing import Any

import pytest

from hune.controlplane.api.objectives import Objectives
from hune.controlplane.cluster import resources
from hune.controlplane.plan.build.pod_monitor import build_pod_monitor
from hune.controlplane.plan.build.prometheus_rule import build_prometheus_rule
from hune.controlplane.plan.plan import Owner
from tests.cluster import Cluster
from tests.support import prometheus_kinds
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.eventually import eventually
from tests.support.operator import Operator, operated, own_server
from tests.support.space import Space

pytestmark = pytest.mark.apiserver
NAME = "loans"
CONDITION = "ObjectivesWatched"
LABELS = {"release": "prometheus"}
PROMISED = {"availability": "99.9", "latencyP95": "250ms", "errorPercent": 5, "throughput": 100}
# The operator looks for a kind that is not there every 15 seconds.
PATIENCE = 60


@pytest.fixture(scope="module")
def operator(
    control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    prometheus_kinds.remove(control_plane)
    values = {"monitoring": {"labels": LABELS}}
    with operated(control_plane, "hune-objectives", folder, values) as found:
        found.start()
        found.space.deploy(NAME, own_server() | {"objectives": PROMISED})
        yield found


@pytest.fixture(scope="module")
def watched(operator: Operator) -> Iterator[Space]:
    """Have the kinds, and the objectives told to whoever reads them."""
    space = operator.space
    with prometheus_kinds.installed(space.cluster):
        eventually(lambda: reason(space) == "RulesApplied", PATIENCE, seen=lambda: told(space))
        yield space


def promise(space: Space, objectives: dict[str, Any]) -> None:
    space.deploy(NAME, own_server() | {"objectives": objectives})


def told(space: Space) -> str:
    return space.describe(NAME)


def reason(space: Space) -> str:
    found: str = space.condition(NAME, CONDITION)["reason"]
    return found


def children(space: Space) -> list[Document]:
    found = [space.get(resource, NAME) for resource in resources.MONITORING]
    return [document for document in found if document is not None]


def test_without_the_kinds_a_model_serves_and_says_that_nobody_watches(operator: Operator) -> None:
    space = operator.space
    space.wait_ready(NAME, seconds=PATIENCE)
    eventually(lambda: reason(space) == "PrometheusNotInstalled", seen=lambda: told(space))
    log = AuditLog(space.cluster, operator.user)
    space.deploy("probe", own_server())
    space.wait_ready("probe", seconds=PATIENCE)
    assert log.writes(lambda write: write.name == NAME) == []


def test_the_kinds_arrive_and_their_schema_takes_every_field(watched: Space) -> None:
    owner = Owner.of(watched.deployment(NAME))
    objectives = Objectives.model_validate(PROMISED)
    wanted = [
        build_prometheus_rule(owner, objectives, LABELS),
        build_pod_monitor(owner, LABELS),
    ]
    found = children(watched)
    assert [document["spec"] for document in found] == [document["spec"] for document in wanted]
    for document in found:
        assert document["metadata"]["labels"]["release"] == "prometheus"


def test_a_changed_promise_is_told_and_makes_no_revision(watched: Space) -> None:
    before = watched.revisions(NAME)
    promise(watched, PROMISED | {"latencyP95": "400ms"})
    eventually(lambda: "> 0.4 " in str(children(watched)[0]["spec"]))
    assert watched.revisions(NAME) == before


def test_nothing_is_written_twice(operator: Operator, watched: Space) -> None:
    log = AuditLog(watched.cluster, operator.user)
    watched.deploy("probe", own_server(replicas={"min": 2}))
    watched.wait_settled("probe", PATIENCE)
    assert log.writes(lambda write: write.name == NAME) == []


@pytest.mark.parametrize("resource", resources.MONITORING, ids=lambda resource: resource.kind)
def test_what_is_edited_or_deleted_by_hand_comes_back(
    watched: Space, resource: resources.Resource
) -> None:
    before = watched.read(resource, NAME)["spec"]
    lists = {"groups", "podMetricsEndpoints"} & set(before)
    change: Document = {"spec": {name: [] for name in lists}}
    watched.api.patch(resource, watched.name, NAME, change, manager="hand")
    eventually(lambda: watched.read(resource, NAME)["spec"] == before)
    watched.delete(resource, NAME)
    eventually(lambda: (watched.get(resource, NAME) or {}).get("spec") == before)


def test_without_a_promise_nothing_is_left(watched: Space) -> None:
    watched.deploy(NAME, own_server())
    eventually(lambda: children(watched) == [], PATIENCE)
    eventually(lambda: CONDITION not in told(watched), seen=lambda: told(watched))


def test_the_kinds_go_and_the_model_goes_on(watched: Space) -> None:
    promise(watched, PROMISED)
    eventually(lambda: len(children(watched)) == 2)
    prometheus_kinds.remove(watched.cluster)
    eventually(
        lambda: reason(watched) == "PrometheusNotInstalled", PATIENCE, seen=lambda: told(watched)
    )
    assert watched.is_ready(NAME)
