"""The operator's process: kopf starts it, follows Hune's kinds and stops it.

Nothing is decided here. Every trigger ends as a key in the queue.
"""

import asyncio
import logging
import os
import signal
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

import kopf

from hune.contract import names
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.apply import Applier
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.events import EventRecorder
from hune.controlplane.cluster.gather import Gatherer
from hune.controlplane.cluster.lease import Lease
from hune.controlplane.cluster.login import login
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.cluster.status import StatusWriter
from hune.controlplane.cluster.store import Document, Key, Store, deployment_of, key_of
from hune.controlplane.cluster.watch import Reflector
from hune.controlplane.errors import HuneError, LeadershipLostError, NotFoundError
from hune.controlplane.probes import Probes
from hune.controlplane.queue import Queue
from hune.controlplane.reconcile import Reconciler, can_wait, enqueue
from hune.controlplane.settings import Settings
from hune.controlplane.telemetry import Telemetry

_LOG = logging.getLogger("hune")
_OWN_LABEL = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
_STOP_SECONDS = 10
# Objects of one page of kopf's first list; it holds a page in memory at a time.
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Process:
    """How this replica runs.

    Attributes:
        port: Port of probes and metrics; 0 for none.
        elect: Whether a Lease decides which replica acts.
    """

    port: int = 8080
    elect: bool = True


class Operator:
    """Everything one replica runs, wired together once."""

    def __init__(self, settings: Settings, process: Process) -> None:
        self._settings = settings
        self._process = process
        self._store = Store()
        self._queue: Queue[Key] = Queue(can_wait)
        self._telemetry = Telemetry()
        self._tasks: list[asyncio.Task[None]] = []
        self._client: Client | None = None
        self._lease: Lease | None = None
        self._reflectors: list[Reflector] = []
        self.failure: HuneError | None = None

    def follow(self, document: Document, *, deleted: bool) -> None:
        """Take an event of a ModelDeployment."""
        key = key_of(document)
        if deleted:
            self._store.drop(key)
        elif not self._store.put(document):
            return
        enqueue(self._queue, key)
        for revision in document.get("status", {}).get("revisions", []):
            version = Key(resources.MODEL_VERSION.kind, key.namespace, revision["modelVersion"])
            enqueue(self._queue, version)

    def notify(self, document: Document) -> None:
        """Take an event of another kind; one without a name means the whole kind is back."""
        metadata = document["metadata"]
        if not metadata["name"]:
            for key in self._store.keys(resources.MODEL_DEPLOYMENT.kind):
                self._queue.add(key)
            return
        if document["kind"] == resources.MODEL_VERSION.kind:
            self._notify_users(key_of(document))
            return
        deployment = deployment_of(document)
        if deployment:
            namespace = metadata["namespace"]
            self._queue.add(Key(resources.MODEL_DEPLOYMENT.kind, namespace, deployment))

    def _notify_users(self, version: Key) -> None:
        enqueue(self._queue, version)
        for user in self._store.users(version.namespace, version.name):
            self._queue.add(Key(resources.MODEL_DEPLOYMENT.kind, version.namespace, user))

    async def start(self, settings: kopf.OperatorSettings) -> None:
        """Connect, fill the store and begin to work once this replica leads."""
        self._client = Client(login(settings))
        self._telemetry.count_writes_of(self._client)
        self._telemetry.queue_depth.set_function(lambda: len(self._queue))
        self._telemetry.objects.set_function(lambda: len(self._store))
        self._reflectors = list(self._build_reflectors(self._client))
        for reflector in self._reflectors:
            self._spawn(reflector.run(), f"watch {reflector.resource.plural}")
        self._spawn(self._lead(self._client), "lead")
        if self._process.port:
            probes = Probes(self._process.port, self._telemetry.registry, self.is_ready)
            self._spawn(probes.run(), "probes")

    async def stop(self) -> None:
        """Finish what is under way, hand the Lease over and disconnect."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        if self._client is not None:
            if self._lease is not None:
                await self._lease.release()
            await self._client.close()

    def is_ready(self) -> bool:
        """Tell whether the store is filled; a standby replica is ready too."""
        return all(reflector.synchronised.is_set() for reflector in self._reflectors)

    def _build_reflectors(self, client: Client) -> list[Reflector]:
        followed = [(resource, _OWN_LABEL) for resource in resources.CHILDREN]
        followed += [(resources.POD, names.LABEL_DEPLOYMENT), (resources.MODEL_VERSION, "")]
        if self._settings.gateway is not None:
            followed.append((resources.HTTP_ROUTE, _OWN_LABEL))
        if self._settings.monitoring.enabled:
            followed += [(resource, _OWN_LABEL) for resource in resources.MONITORING]
        return [
            Reflector(client, self._store, resource, namespace, selector, self.notify)
            for resource, selector in followed
            for namespace in self._namespaces()
        ]

    def _namespaces(self) -> list[str | None]:
        return [*self._settings.watch_namespaces] or [None]

    async def _list_deployments(self, client: Client) -> None:
        """Know every ModelDeployment before the first plan.

        kopf does not say when its first list is through, and who uses a version can only be told
        when all users are known.
        """
        kind = resources.MODEL_DEPLOYMENT
        try:
            for namespace in self._namespaces():
                async for page in client.pages(kind, namespace, ""):
                    for item in page["items"]:
                        document = item | {"apiVersion": kind.api_version, "kind": kind.kind}
                        self.follow(document, deleted=False)
        except NotFoundError:
            raise HuneError(
                "this cluster does not know ModelDeployments; install the chart hune-crds"
            ) from None

    def _installed(self, resource: Resource) -> bool:
        return all(
            reflector.installed for reflector in self._reflectors if reflector.resource is resource
        )

    async def _lead(self, client: Client) -> None:
        for reflector in self._reflectors:
            await reflector.synchronised.wait()
        await self._list_deployments(client)
        if not self._process.elect:
            await self._work(client)
            return
        identity = f"{socket.gethostname()}-{os.getpid()}"
        settings = self._settings
        lease = Lease(
            client, settings.lease_namespace, settings.lease_name, identity, settings.lease_seconds
        )
        await lease.acquire()
        self._lease = lease
        self._telemetry.leader.set(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.hold())
            group.create_task(self._work(client))

    async def _work(self, client: Client) -> None:
        again = partial(enqueue, self._queue)
        await Reconciler(
            settings=self._settings,
            store=self._store,
            queue=self._queue,
            gatherer=Gatherer(client, self._store, self._installed),
            applier=Applier(client, self._store, again),
            status=StatusWriter(client, self._store, again),
            recorder=EventRecorder(client, socket.gethostname()),
            telemetry=self._telemetry,
        ).run()

    def _spawn(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the process when a task ended that should run for ever: a restart is honest."""
        if task.cancelled() or task.exception() is None:
            return
        error = _innermost(task.exception())
        self.failure = error if isinstance(error, HuneError) else HuneError(repr(error))
        level = logging.WARNING if isinstance(error, LeadershipLostError) else logging.ERROR
        _LOG.log(level, "%s ended: %s", task.get_name(), error)
        os.kill(os.getpid(), signal.SIGTERM)


def build_registry(operator: Operator) -> kopf.OperatorRegistry:
    """Return kopf's registry with the operator's handlers; nothing global is touched."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        _configure(settings)
        await operator.start(settings)

    @kopf.on.login(registry=registry)
    async def connect(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
        return login(settings)

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()

    kind = resources.MODEL_DEPLOYMENT

    @kopf.on.event(names.GROUP, names.VERSION, kind.plural, registry=registry)
    async def follow(event: Any, **_: Any) -> None:
        document = event["object"] | {"apiVersion": kind.api_version, "kind": kind.kind}
        operator.follow(document, deleted=event["type"] == "DELETED")

    return registry


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.posting.enabled = False
    settings.scanning.disabled = True
    # kopf keeps a task and a body per object until it was idle this long.
    settings.queueing.idle_timeout = 0.1
    settings.watching.chunk_size = _CHUNK
    settings.process.ultimate_exiting_timeout = 2 * _STOP_SECONDS


def _innermost(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def run(settings: Settings, process: Process) -> int:
    """Run the operator until a signal; return the exit status.

    Raises:
        NoClusterError: Nothing says where the API server is.
    """
    # kopf would try its start again and again, with a traceback each time.
    login(kopf.OperatorSettings())
    # kopf would name itself after the user, and an arbitrary number in a container has no name.
    os.environ.setdefault("POD_ID", socket.gethostname())
    operator = Operator(settings, process)
    namespaces = settings.watch_namespaces
    kopf.run(
        registry=build_registry(operator),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )
    return 0 if operator.failure is None else 1
