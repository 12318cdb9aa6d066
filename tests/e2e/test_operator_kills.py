"""Losing the operator at any moment changes nothing about the end."""

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.api import Document
from tests.support.eventually import eventually
from tests.support.leader import kill_operator
from tests.support.space import Space, namespace

pytestmark = pytest.mark.e2e
RESOURCES = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
NAMES = ("loans", "cards", "rents")
# One life, step by step, and by how many kills each is disturbed.
STEPS = {"created": 1, "updated": 2, "scaled": 1, "deleted": 1}
# A step begins at one moment of these seconds for each deployment, and a kill at another.
SPREAD_SECONDS = 4.0
SERVERS_FIELDS = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
ADDRESSES = ("clusterIP", "clusterIPs")
# Which of the operator's ways led there is of no interest: only where.
TIMES = ("hune.dev/draining-since",)


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> Iterator[Space]:
    with namespace(cluster, "e2e-operator-kills") as found:
        yield found


def take_step(space: Space, name: str, step: str, image: str) -> None:
    if step == "deleted":
        space.delete(resources.MODEL_DEPLOYMENT, name)
        return
    serving: dict[str, Any] = {"container": {"image": image}, "resources": RESOURCES}
    if step != "created":
        serving["env"] = [{"name": "STEP", "value": "updated"}]
    if step == "scaled":
        serving["replicas"] = {"min": 2}
    space.deploy(name, {"serving": serving})


def wait_taken(space: Space, name: str, step: str) -> None:
    if step == "deleted":
        eventually(lambda: children(space, name) == [], 90, 0.5, lambda: children(space, name))
        return
    replicas = 2 if step == "scaled" else 1
    space.wait_settled(name, 120)
    eventually(
        lambda: space.status(name).get("replicas") == replicas,
        120,
        0.25,
        lambda: space.describe(name),
    )


def children(space: Space, name: str) -> list[Document]:
    """Return a deployment's children, without what the server makes up each time.

    KServe's objects carry the same labels, and go when the garbage collector comes to them.
    """
    found = [
        normalise(document, name)
        for resource in resources.CHILDREN
        for document in space.find(resource, deployment=name)
        if document["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"
    ]
    return sorted(found, key=lambda document: (document["kind"], document["metadata"]["name"]))


def normalise(document: Document, name: str) -> Document:
    metadata = {k: v for k, v in document["metadata"].items() if k not in SERVERS_FIELDS}
    metadata["annotations"] = {
        k: v for k, v in metadata.get("annotations", {}).items() if k not in TIMES
    }
    for owner in metadata["ownerReferences"]:
        owner.pop("uid")
    found = {k: v for k, v in document.items() if k != "status"} | {"metadata": metadata}
    if document["kind"] == "Service":
        found["spec"] = {k: v for k, v in found["spec"].items() if k not in ADDRESSES}
    same: Document = json.loads(json.dumps(found).replace(name, "NAME"))
    return same


def live(space: Space, image: str) -> dict[str, list[Document]]:
    """Lead a life without any disturbance; return what there is after each step."""
    ends = {}
    for step in STEPS:
        take_step(space, "calm", step, image)
        wait_taken(space, "calm", step)
        ends[step] = children(space, "calm")
    return ends


def disturb(space: Space, chance: random.Random, step: str, image: str) -> int:
    """Take a step with all deployments while the operator is killed; return how many pods were."""
    killed: list[str] = []

    def take(name: str) -> None:
        take_step(space, name, step, image)

    moments: list[tuple[float, Callable[[], object]]] = [
        (chance.uniform(0, SPREAD_SECONDS), partial(take, name)) for name in NAMES
    ]
    for number in range(STEPS[step]):
        # A later kill meets the operator that took over from the one before.
        moment = (chance.uniform(0, 2) + 2 * number) * SPREAD_SECONDS
        moments.append((moment, lambda: killed.extend(kill_operator(space.api))))
    started = time.monotonic()
    for moment, act in sorted(moments, key=lambda each: each[0]):
        time.sleep(max(0.0, started + moment - time.monotonic()))
        act()
    return len(killed)


@pytest.fixture(scope="module")
def calm(crowd: Space, own_server: str) -> dict[str, list[Document]]:
    return live(crowd, own_server)


@pytest.mark.timeout(480, func_only=True)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 6))]
)
def test_the_end_is_the_same(
    crowd: Space, own_server: str, calm: dict[str, list[Document]], seed: int
) -> None:
    chance = random.Random(seed)
    for step, kills in STEPS.items():
        assert disturb(crowd, chance, step, own_server) >= kills
        for name in NAMES:
            wait_taken(crowd, name, step)
            assert children(crowd, name) == calm[step], (seed, step, name)
