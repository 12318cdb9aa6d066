"""The reconcile loop: gather → plan → apply → status, for whatever key is in the queue."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hune.contract.state import WINDOW_SECONDS
from hune.controlplane.api.base import Api
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.apply import Applier
from hune.controlplane.cluster.events import EventRecorder
from hune.controlplane.cluster.gather import Gatherer
from hune.controlplane.cluster.status import StatusWriter
from hune.controlplane.cluster.store import Document, Key, Store
from hune.controlplane.errors import ApiError, ConflictError, RefusedError
from hune.controlplane.plan.event import plan_attack_event, plan_events
from hune.controlplane.plan.model_deployment import plan_model_deployment
from hune.controlplane.plan.model_version import plan_model_version
from hune.controlplane.plan.plan import Owner, Plan
from hune.controlplane.plan.status import report_failure
from hune.controlplane.queue import Queue
from hune.controlplane.settings import Settings
from hune.controlplane.telemetry import Telemetry

_LOG = logging.getLogger("hune.reconcile")
# A version may have a thousand users: their news is gathered before it is looked at once.
_VERSION_DELAY_SECONDS = 1.0
# No event tells that a name is free again or a right was granted.
_REFUSED_SECONDS = 30.0
_REMIND_EVERY = timedelta(seconds=WINDOW_SECONDS)


def can_wait(key: Key) -> bool:
    """Tell whether a key gives way to others: a version's status is a record, nobody's pod."""
    return key.kind == resources.MODEL_VERSION.kind


def enqueue(queue: Queue[Key], key: Key) -> None:
    """Ask for a key: a deployment's at once, a version's when its users' news has come in."""
    if can_wait(key):
        queue.add_after(key, _VERSION_DELAY_SECONDS)
    else:
        queue.add(key)


class Reconciler:
    """Works on keys until told to stop; holds no state of its own between two of them."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: Queue[Key],
        gatherer: Gatherer,
        applier: Applier,
        status: StatusWriter,
        recorder: EventRecorder,
        telemetry: Telemetry,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._gatherer = gatherer
        self._applier = applier
        self._status = status
        self._recorder = recorder
        self._telemetry = telemetry
        self._clock = clock

    async def run(self) -> None:
        """Run the workers and the queue's timer until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run_timer())
            for _ in range(self._settings.workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            started = time.monotonic()
            try:
                await self.reconcile(key)
                self._queue.forget(key)
                outcome = "done"
            except ApiError as error:
                outcome = "retried"
                delay = self._queue.retry(key)
                _LOG.warning("%s %s/%s: %s; again in %.1f s", *key, error, delay)
            except Exception:  # noqa: BLE001 the loop outlives every fault
                # A fault of ours must not stop the loop: it is logged whole, counted and retried.
                outcome = "failed"
                _LOG.exception("%s %s/%s", *key)
                self._queue.retry(key)
            finally:
                self._queue.done(key)
            self._telemetry.reconciled(key.kind, outcome, time.monotonic() - started)

    async def reconcile(self, key: Key) -> None:
        """Bring one object to where its spec says, as far as that goes now.

        Raises:
            ApiError: The API server failed in a way that a retry can help.
        """
        document = self._store.get(key)
        if document is None or "deletionTimestamp" in document["metadata"]:
            # Owner references clean up; nothing is left for us to do.
            self._applier.forget(key.namespace)
            return
        if key.kind == resources.MODEL_VERSION.kind:
            await self._reconcile_version(document)
        else:
            await self._reconcile_deployment(key, document)

    async def _reconcile_version(self, document: Document) -> None:
        metadata = document["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        users, pods = self._gatherer.usage(namespace, name)
        plan = plan_model_version(document, users, pods)
        await self._status.write(document, plan.status)

    async def _reconcile_deployment(self, key: Key, document: Document) -> None:
        now = self._clock()
        owner = Owner.of(document)
        observed = await self._gatherer.gather(document, now)
        plan = plan_model_deployment(document, observed, self._settings, now)
        failure: ApiError | None = None
        try:
            if not await self._applier.apply(owner, plan, self._others_wait):
                self._queue.add(key)
                return
        except ApiError as error:
            failure = error
        status = plan.status
        if isinstance(failure, RefusedError | ConflictError):
            status = report_failure(plan.status, document, failure, now)
        await self._tell(owner, document, status)
        attack = plan_attack_event(observed.detections)
        if attack is not None:
            await self._recorder.remind(owner, attack, now, _REMIND_EVERY)
        if failure is not None:
            self._look_again(key, failure)
        else:
            self._follow_up(key, document, plan)

    def _others_wait(self) -> bool:
        return len(self._queue) > 0

    def _look_again(self, key: Key, failure: ApiError) -> None:
        """Come back, evenly, to what only a person can put right; anything else is a failure."""
        if not isinstance(failure, RefusedError | ConflictError):
            raise failure
        self._queue.add_after(key, _REFUSED_SECONDS)

    async def _tell(self, owner: Owner, document: Document, status: Api) -> None:
        """Write the status, and Events for what turned."""
        if await self._status.write(document, status):
            former = document.get("status", {}).get("conditions", [])
            fresh = getattr(status, "conditions", [])
            await self._recorder.record(owner, plan_events(former, fresh))

    def _follow_up(self, key: Key, document: Document, plan: Plan) -> None:
        if plan.requeue_after is not None:
            self._queue.add_after(key, plan.requeue_after)
        mentioned = {
            revision["modelVersion"]
            for status in (document.get("status", {}), plan.status.document())
            for revision in status.get("revisions", [])
        }
        for version in mentioned:
            enqueue(self._queue, Key(resources.MODEL_VERSION.kind, key.namespace, version))
