"""The loop from key to children and status, against an API server in memory over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hune.controlplane.cluster import resources
from hune.controlplane.cluster.apply import Applier
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.events import EventRecorder
from hune.controlplane.cluster.gather import Gatherer
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.cluster.status import StatusWriter
from hune.controlplane.cluster.store import Key, Store
from hune.controlplane.errors import ApiError
from hune.controlplane.queue import Queue
from hune.controlplane.reconcile import Reconciler, enqueue
from hune.controlplane.settings import Settings
from hune.controlplane.telemetry import Telemetry
from tests.support.api_server import ApiServer, connected
from tests.support.generate_specs import SOURCE

KEY = Key("ModelDeployment", "shop", "income")
HUNE = "/apis/hune.dev/v1alpha1/namespaces/shop"
DEPLOYMENT = f"{HUNE}/modeldeployments/income"
SERVICES = "/apis/serving.kserve.io/v1beta1/namespaces/shop/inferenceservices"
SERVICE = "/api/v1/namespaces/shop/services/income"
MONITORING = "/apis/monitoring.coreos.com/v1/namespaces/shop/"
# The key, the record, what pods need, what makes them, the route, and what was observed.
PLURALS = [
    "secrets",
    "modelversions",
    "configmaps",
    "networkpolicies",
    "inferenceservices",
    "services",
    "modeldeployments",
]
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass
class Loop:
    """One reconciler with all that it needs."""

    api: ApiServer
    store: Store
    queue: Queue[Key]
    reconciler: Reconciler
    absent: set[Resource]
    clock: list[datetime]

    def see(self, path: str) -> None:
        """Let the event of an object arrive."""
        self.store.put(self.api.objects[path])

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects[DEPLOYMENT].get("status", {})
        return found

    def reasons(self) -> dict[str, str]:
        return {c["type"]: c["reason"] for c in self.status()["conditions"]}

    def writes(self) -> list[str]:
        return [path for verb, path in self.api.requests if verb in WRITES]

    async def run(self) -> None:
        """Reconcile the deployment once."""
        self.api.requests.clear()
        await self.reconciler.reconcile(KEY)


@pytest.fixture
async def loop() -> AsyncIterator[Loop]:
    api, store, queue = ApiServer(), Store(), Queue[Key]()
    document = {
        "apiVersion": "hune.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "income", "namespace": "shop"},
        "spec": {"model": {"source": SOURCE}},
    }
    store.put(api.put(DEPLOYMENT, document))
    async with connected(api) as client:
        absent: set[Resource] = set()
        clock = [datetime(2026, 1, 1, 12, 0, tzinfo=UTC)]
        reconciler = build(client, store, queue, absent, clock)
        yield Loop(api, store, queue, reconciler, absent, clock)


def build(
    client: Client,
    store: Store,
    queue: Queue[Key],
    absent: set[Resource],
    clock: list[datetime],
) -> Reconciler:
    def again(key: Key) -> None:
        enqueue(queue, key)

    return Reconciler(
        settings=Settings(),
        store=store,
        queue=queue,
        gatherer=Gatherer(client, store, lambda resource: resource not in absent),
        applier=Applier(client, store, again),
        status=StatusWriter(client, store, again),
        recorder=EventRecorder(client, "test"),
        telemetry=Telemetry(),
        clock=lambda: clock[-1],
    )


def revision(loop: Loop) -> str:
    (name,) = (path for path in loop.api.objects if path.startswith(SERVICES))
    return name


async def test_the_first_reconcile_makes_the_children_in_order_and_tells_so(loop: Loop) -> None:
    await loop.run()
    plurals = [next(part for part in path.split("/") if part in PLURALS) for path in loop.writes()]
    assert plurals == PLURALS
    assert loop.status()["observedGeneration"] == 1
    assert loop.reasons()["Ready"] == "Progressing"


async def test_where_others_wait_a_start_goes_before_all_else(loop: Loop) -> None:
    other = Key("ModelDeployment", "shop", "another")
    loop.queue.add(other)
    loop.queue.add(KEY)
    assert [await loop.queue.get(), await loop.queue.get()] == [other, KEY]
    loop.queue.add(Key("ModelDeployment", "shop", "third"))
    await loop.run()
    loop.queue.done(KEY)
    plurals = [next(part for part in path.split("/") if part in PLURALS) for path in loop.writes()]
    assert plurals == PLURALS[: PLURALS.index("inferenceservices") + 1]
    third, again = await loop.queue.get(), await loop.queue.get()
    assert (third.name, again) == ("third", KEY), "the others first, and it is not forgotten"
    await loop.run()
    assert SERVICE in loop.writes()
    assert loop.reasons()["Ready"] == "Progressing"


async def test_a_key_that_is_gone_is_no_fault(loop: Loop) -> None:
    loop.store.drop(KEY)
    await loop.run()
    assert loop.api.requests == []


async def test_a_deployment_on_its_way_out_is_left_alone(loop: Loop) -> None:
    leaving = loop.api.objects[DEPLOYMENT]
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    loop.store.put(loop.api.put(DEPLOYMENT, leaving))
    await loop.run()
    assert loop.api.requests == []


async def test_an_invalid_spec_is_told_and_nothing_is_made(loop: Loop) -> None:
    invalid = loop.api.objects[DEPLOYMENT] | {"spec": {}}
    loop.store.put(loop.api.put(DEPLOYMENT, invalid))
    await loop.run()
    assert loop.reasons() == {"Accepted": "Invalid", "Ready": "Invalid"}
    assert [path for path in loop.api.objects if path.startswith(SERVICES)] == []


async def test_a_spec_edited_just_before_our_status_is_looked_at_again(loop: Loop) -> None:
    """The edit's event is older than our answer and passed over, so nothing else would tell."""

    def edit(path: str) -> None:
        if path == DEPLOYMENT and loop.api.objects[path]["metadata"]["generation"] == 1:
            spec = {"model": {"source": SOURCE}, "serving": {"replicas": {"min": 2}}}
            edited.append(loop.api.put(path, loop.api.objects[path] | {"spec": spec}))

    edited: list[dict[str, Any]] = []
    loop.api.before_write = edit
    await loop.run()
    assert not loop.store.put(edited[0]), "the event comes late"
    assert len(loop.queue) == 1


async def test_a_status_that_kserve_wrote_just_before_our_apply_is_looked_at_again(
    loop: Loop,
) -> None:
    await loop.run()
    path = revision(loop)
    spec = {"model": {"source": SOURCE}, "serving": {"replicas": {"min": 2}}}
    loop.store.put(loop.api.put(DEPLOYMENT, loop.api.objects[DEPLOYMENT] | {"spec": spec}))

    def turn_ready(written: str) -> None:
        if written == path and "status" not in loop.api.objects[path]:
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            loop.api.put(path, loop.api.objects[path] | {"status": ready})

    loop.api.before_write = turn_ready
    await loop.run()
    assert len(loop.queue) == 1


async def test_a_reconcile_that_nobody_disturbed_is_not_repeated(loop: Loop) -> None:
    await loop.run()
    assert len(loop.queue) == 0


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "Refused"), (422, "Refused"), (409, "NameTaken")]
)
async def test_a_child_that_is_refused_is_told_in_the_status(
    loop: Loop, status: int, reason: str
) -> None:
    loop.api.refuse["PATCH", SERVICE] = (status, "not this one")
    await loop.run()
    assert loop.reasons()["RolledOut"] == reason
    assert loop.reasons()["Ready"] == reason
    assert loop.reasons()["PredictorReady"] == "Progressing", "the route is what is refused"
    message = next(c["message"] for c in loop.status()["conditions"] if c["type"] == "Ready")
    assert "not this one" in message


async def test_when_the_api_server_fails_the_status_tells_what_is_known(loop: Loop) -> None:
    loop.api.refuse["PATCH", SERVICE] = (500, "etcd is away")
    with pytest.raises(ApiError, match="etcd is away"):
        await loop.run()
    assert loop.reasons()["PredictorReady"] == "Progressing"


async def test_somebody_elses_object_of_our_name_is_left_alone(loop: Loop) -> None:
    labels = {"app.kubernetes.io/managed-by": "hune", "hune.dev/deployment": "income"}
    metadata = {"name": "income", "namespace": "shop", "labels": labels}
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"a": 1}}
    loop.api.put(SERVICE, theirs)
    loop.see(SERVICE)
    await loop.run()
    assert loop.api.objects[SERVICE]["spec"] == {"a": 1}
    assert loop.reasons()["Ready"] == "NameTaken"


async def test_an_object_that_is_not_followed_is_left_alone_too(loop: Loop) -> None:
    metadata = {"name": "income", "namespace": "shop"}
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"a": 1}}
    loop.api.put(SERVICE, theirs)
    await loop.run()
    assert loop.api.objects[SERVICE]["spec"] == {"a": 1}
    assert loop.reasons()["Ready"] == "NameTaken"


def promise(loop: Loop, **objectives: Any) -> None:
    spec = loop.api.objects[DEPLOYMENT]["spec"] | {"objectives": objectives}
    loop.store.put(loop.api.put(DEPLOYMENT, loop.api.objects[DEPLOYMENT] | {"spec": spec}))


async def test_objectives_that_cannot_be_watched_hinder_nothing_else(loop: Loop) -> None:
    uid = loop.api.objects[DEPLOYMENT]["metadata"]["uid"]
    owner = {"apiVersion": "hune.dev/v1alpha1", "kind": "ModelDeployment", "uid": uid}
    references = [owner | {"name": "income"}]
    metadata = {"name": "old", "namespace": "shop", "ownerReferences": references}
    old = SERVICE.replace("income", "old")
    superfluous = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    loop.store.put(loop.api.put(old, superfluous))
    promise(loop, latencyP95="250ms")
    loop.api.refuse["PATCH", MONITORING + "podmonitors/income"] = (403, "not for you")
    await loop.run()
    assert loop.reasons()["ObjectivesWatched"] == "Refused"
    assert loop.reasons()["Ready"] == "Progressing"
    assert SERVICE in loop.api.objects
    assert old not in loop.api.objects, "what is superfluous goes all the same"


async def test_without_the_prometheus_operator_nothing_is_tried(loop: Loop) -> None:
    loop.absent.update(resources.MONITORING)
    promise(loop, latencyP95="250ms")
    await loop.run()
    assert loop.reasons()["ObjectivesWatched"] == "PrometheusNotInstalled"
    assert [path for _, path in loop.api.requests if path.startswith(MONITORING)] == []
    (event,) = (o for o in loop.api.objects.values() if o["kind"] == "Event")
    assert (event["type"], event["reason"]) == ("Warning", "PrometheusNotInstalled")
    loop.absent.clear()
    loop.see(DEPLOYMENT)
    await loop.run()
    assert {path for path in loop.api.objects if path.startswith(MONITORING)} == {
        MONITORING + "podmonitors/income",
        MONITORING + "prometheusrules/income",
    }
    assert loop.reasons()["ObjectivesWatched"] == "RulesApplied"


async def test_without_objectives_nothing_is_asked_about_monitoring(loop: Loop) -> None:
    await loop.run()
    assert [path for _, path in loop.api.requests if path.startswith(MONITORING)] == []
    assert "ObjectivesWatched" not in loop.reasons()


async def test_the_prediction_key_is_made_once_and_never_changed(loop: Loop) -> None:
    path = "/api/v1/namespaces/shop/secrets/hune-prediction-key"
    await loop.run()
    made = loop.api.objects[path]
    assert len(made["data"]["key"]) == 44, "32 bytes, base64"
    await loop.run()
    assert loop.api.objects[path] is made


async def test_a_namespace_that_is_made_anew_gets_a_key_of_its_own(loop: Loop) -> None:
    path = "/api/v1/namespaces/shop/secrets/hune-prediction-key"
    await loop.run()
    document = loop.api.objects[DEPLOYMENT]
    former = loop.api.objects.pop(path)
    loop.store.drop(KEY)
    await loop.run()
    loop.store.put(loop.api.put(DEPLOYMENT, document))
    await loop.run()
    assert loop.api.objects[path]["data"] != former["data"]


async def test_faults_become_events(loop: Loop) -> None:
    invalid = loop.api.objects[DEPLOYMENT] | {"spec": {}}
    loop.store.put(loop.api.put(DEPLOYMENT, invalid))
    await loop.run()
    (event,) = (o for o in loop.api.objects.values() if o["kind"] == "Event")
    assert (event["type"], event["reason"]) == ("Warning", "Invalid")
    assert event["involvedObject"]["name"] == "income"


async def test_a_lost_event_is_no_fault(loop: Loop) -> None:
    loop.api.refuse["POST", "/api/v1/namespaces/shop/events"] = (403, "forbidden")
    invalid = loop.api.objects[DEPLOYMENT] | {"spec": {}}
    loop.store.put(loop.api.put(DEPLOYMENT, invalid))
    await loop.run()
    assert loop.reasons()["Accepted"] == "Invalid"


STATE = "/api/v1/namespaces/shop/pods/{}:9000/proxy/hune/state"


def defend(loop: Loop, *pods: str) -> None:
    """Ask for a detector of attacks, and let pods with guards of a revision run."""
    document = loop.api.objects[DEPLOYMENT]
    detector = {"uri": "s3://models/income/adversarial", "digest": "sha256:" + "d4" * 32}
    document["spec"] |= {"guard": {"adversarial": detector}}
    loop.store.put(loop.api.put(DEPLOYMENT, document))
    labels = {"hune.dev/deployment": "income", "hune.dev/revision": "income-1"}
    statuses = [{"name": "transformer-container", "state": {"running": {}}}]
    for name in pods:
        pod = {"kind": "Pod", "apiVersion": "v1", "status": {"containerStatuses": statuses}}
        metadata = {"name": name, "namespace": "shop", "labels": labels}
        loop.store.put(pod | {"metadata": metadata | {"resourceVersion": "1"}})


def flag(loop: Loop, pod: str, rows: int) -> None:
    """Let the guard of a pod have flagged so many rows lately."""
    detections = [{"detector": "adversarial", "rows": rows}] if rows else []
    loop.api.objects[STATE.format(pod)] = {"kind": "state", "detections": detections}


def alarms(loop: Loop) -> list[str]:
    events = (o for o in loop.api.objects.values() if o["kind"] == "Event")
    return [event["message"] for event in events if event["reason"] == "AdversarialInput"]


async def test_an_attack_is_told_once_in_a_while_with_what_all_guards_flagged(loop: Loop) -> None:
    defend(loop, "one", "two")
    flag(loop, "one", 0)
    flag(loop, "two", 0)
    await loop.run()
    assert alarms(loop) == []
    flag(loop, "one", 3)
    flag(loop, "two", 4)
    for _ in range(3):
        await loop.run()
        loop.clock.append(loop.clock[-1] + timedelta(seconds=99))
    (first,) = alarms(loop)
    assert "flagged 7 rows" in first
    flag(loop, "one", 0)
    loop.clock.append(loop.clock[-1] + timedelta(seconds=3))
    await loop.run()
    assert min(alarms(loop)).startswith("guards flagged 4 rows")
    assert len(alarms(loop)) == 2


async def test_a_guard_that_is_silent_alarms_nobody(loop: Loop) -> None:
    defend(loop, "one", "two")
    flag(loop, "two", 1)
    await loop.run()
    assert [text[:21] for text in alarms(loop)] == ["guards flagged 1 row "]
