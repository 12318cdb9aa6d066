"""The standing promise: whatever happens beside a model or to its revisions, no request fails."""

import pytest

from hune.controlplane.cluster import resources
from tests.support.access import authorizer_pods, kill_authorizer, wait_authorizer_whole
from tests.support.availability import asking
from tests.support.eventually import eventually
from tests.support.leader import kill_operator
from tests.support.models import Models
from tests.support.space import PATIENCE, Space

pytestmark = pytest.mark.e2e
NAME = "tumours"
FIRST, SECOND = "breast-cancer-1", "breast-cancer-2"


def serve(space: Space, version: str) -> None:
    change = {"spec": {"model": {"version": version}}}
    space.api.patch(resources.MODEL_DEPLOYMENT, space.name, NAME, change)


def wait_served(space: Space, version: str) -> None:
    eventually(
        lambda: space.status(NAME).get("activeVersion") == version,
        PATIENCE,
        0.25,
        lambda: space.describe(NAME),
    )


def scale(space: Space, replicas: int) -> None:
    words = ("scale", f"modeldeployment/{NAME}", f"--replicas={replicas}", "-n", space.name)
    space.cluster.kubectl(*words)
    eventually(
        lambda: space.status(NAME).get("replicas") == replicas == len(pods_that_stay(space)),
        PATIENCE,
        0.25,
        lambda: space.describe(NAME),
    )


def pods_that_stay(space: Space) -> list[str]:
    (active,) = (
        revision["name"]
        for revision in space.status(NAME)["revisions"]
        if revision["role"] == "Active"
    )
    pods = space.find(resources.POD, revision=active)
    return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]


@pytest.mark.timeout(480, func_only=True)
def test_no_request_fails(space: Space, models: Models) -> None:
    space.deploy(NAME, {"model": {"version": FIRST}})
    space.wait_ready(NAME)
    with asking(space, NAME, models.request) as client:
        eventually(lambda: client.has_seen(FIRST, 50), 60, 0.25)
        # The authorizer's replicas are lost one after the other.
        for name in authorizer_pods(space.api):
            kill_authorizer(space.api, name)
            wait_authorizer_whole(space.api)
        # A new revision takes over, and is scaled while the old one still drains.
        serve(space, SECOND)
        wait_served(space, SECOND)
        eventually(lambda: client.has_seen(SECOND, 50), 60, 0.25)
        scale(space, 3)
        scale(space, 1)
        space.wait_settled(NAME)
        # And back, with the operator lost in the middle.
        serve(space, FIRST)
        eventually(lambda: len(space.revisions(NAME)) > 1, 60, 0.25)
        assert kill_operator(space.api)
        wait_served(space, FIRST)
        space.wait_settled(NAME)
        report = client.stop()
    assert report.failures == []
    assert set(report.versions) == {FIRST, SECOND}
    assert min(report.sent.values()) > 300, report.sent
    # The revisions that went told their clients so.
    assert report.closes["kept"] >= 2, report.closes
