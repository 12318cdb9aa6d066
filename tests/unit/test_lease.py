"""Leader election, against an API server in memory over real HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.lease import Lease
from hune.controlplane.errors import LeadershipLostError
from tests.support.api_server import ApiServer, connected

PATH = "/apis/coordination.k8s.io/v1/namespaces/hune-system/leases/hune-operator"
PATIENCE = 60


@pytest.fixture
def api() -> ApiServer:
    return ApiServer()


@pytest.fixture
async def client(api: ApiServer) -> AsyncIterator[Client]:
    async with connected(api) as client:
        yield client


def lease(client: Client, identity: str, seconds: float = 0.06) -> Lease:
    # Whole seconds are what the settings allow; a test need not wait for them.
    return Lease(client, "hune-system", "hune-operator", identity, seconds)  # type: ignore[arg-type]


def holder(api: ApiServer) -> str:
    found: str = api.objects[PATH]["spec"]["holderIdentity"]
    return found


async def test_the_first_replica_leads(api: ApiServer, client: Client) -> None:
    await lease(client, "a").acquire()
    assert holder(api) == "a"
    assert api.objects[PATH]["spec"]["leaseTransitions"] == 0


async def test_a_lease_that_was_let_go_is_taken_at_once(api: ApiServer, client: Client) -> None:
    first = lease(client, "a", 3600)
    await first.acquire()
    await first.release()
    await asyncio.wait_for(lease(client, "b", 3600).acquire(), PATIENCE)
    assert holder(api) == "b"
    assert api.objects[PATH]["spec"]["leaseTransitions"] == 1


async def test_a_holder_that_is_silent_is_taken_over(api: ApiServer, client: Client) -> None:
    await lease(client, "a").acquire()
    await asyncio.wait_for(lease(client, "b").acquire(), PATIENCE)
    assert holder(api) == "b"


async def test_a_holder_has_the_time_it_asked_for(api: ApiServer, client: Client) -> None:
    """However wrong its clock is: when the Lease was last seen to change is what counts."""
    await lease(client, "a", 3600).acquire()
    api.objects[PATH]["spec"]["renewTime"] = "1970-01-01T00:00:00.000000Z"
    waiting = asyncio.create_task(lease(client, "b", 0.04).acquire())
    seen = len(api.requests)
    while len(api.requests) < seen + 20:  # noqa: ASYNC110 the requests are what is waited for
        await asyncio.sleep(0)
    assert not waiting.done()
    assert holder(api) == "a"
    waiting.cancel()


async def test_a_holder_knows_its_lease_again(api: ApiServer, client: Client) -> None:
    await lease(client, "a").acquire()
    await asyncio.wait_for(lease(client, "a").acquire(), PATIENCE)
    assert api.objects[PATH]["spec"]["leaseTransitions"] == 0


async def test_of_two_at_once_one_leads(api: ApiServer, client: Client) -> None:
    both = [asyncio.create_task(lease(client, name, 3600).acquire()) for name in "ab"]
    done, waiting = await asyncio.wait(both, timeout=PATIENCE, return_when="FIRST_COMPLETED")
    assert len(done) == 1
    for task in waiting:
        task.cancel()
    assert holder(api) in {"a", "b"}


async def test_who_loses_the_lease_stops(api: ApiServer, client: Client) -> None:
    first = lease(client, "a")
    await first.acquire()
    stolen = api.objects[PATH]
    api.put(PATH, {**stolen, "spec": stolen["spec"] | {"holderIdentity": "b"}})
    with pytest.raises(LeadershipLostError, match="another holder"):
        await asyncio.wait_for(first.hold(), PATIENCE)


async def test_who_cannot_renew_stops(api: ApiServer, client: Client) -> None:
    first = lease(client, "a")
    await first.acquire()
    api.refuse["GET", PATH] = (500, "etcd is away")
    with pytest.raises(LeadershipLostError, match="could not be renewed"):
        await asyncio.wait_for(first.hold(), PATIENCE)


async def test_another_holders_lease_is_not_released(api: ApiServer, client: Client) -> None:
    await lease(client, "a", 3600).acquire()
    await lease(client, "b").release()
    assert holder(api) == "a"


async def test_a_lease_that_cannot_be_released_is_no_fault(api: ApiServer, client: Client) -> None:
    first = lease(client, "a")
    await first.acquire()
    api.refuse["PUT", PATH] = (500, "etcd is away")
    await first.release()
