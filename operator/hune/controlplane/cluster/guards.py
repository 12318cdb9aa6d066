"""Asking guards what is amiss with their detectors; nothing else in the cluster reports that."""

import asyncio
import logging
from collections.abc import Sequence

from hune.contract import names
from hune.contract.state import PATH, DetectorFault, GuardState
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.store import Document
from hune.controlplane.errors import ApiError

_LOG = logging.getLogger("hune.guards")
# Pods of one revision load the same artefact: a few of them speak for all.
_ASKED_AT_MOST = 3


class GuardReader:
    """Reads the state of guards: directly in the cluster, elsewhere through the API server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def faults(self, pods: Sequence[Document]) -> dict[str, tuple[DetectorFault, ...]]:
        """Return the faults that guards report, by revision; a guard that is silent has none."""
        asked: dict[str, list[Document]] = {}
        for pod in pods:
            revision = pod["metadata"].get("labels", {}).get(names.LABEL_REVISION, "")
            known = asked.setdefault(revision, [])
            if _guard_runs(pod) and len(known) < _ASKED_AT_MOST:
                known.append(pod)
        found = await asyncio.gather(*(self._first_fault(some) for some in asked.values()))
        return {revision: faults for revision, faults in zip(asked, found, strict=True) if faults}

    async def _first_fault(self, pods: Sequence[Document]) -> tuple[DetectorFault, ...]:
        states = await asyncio.gather(*(self._ask(pod) for pod in pods))
        return next((state.faults for state in states if state.faults), ())

    async def _ask(self, pod: Document) -> GuardState:
        try:
            return GuardState.from_json(await self._client.ask_pod(pod, names.GUARD_PORT, PATH))
        except (ApiError, ValueError) as error:
            # It may be starting or ending, which its pod says.
            _LOG.debug("pod %s: %s", pod["metadata"]["name"], error)
            return GuardState()


def _guard_runs(pod: Document) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        status["name"] == names.GUARD_CONTAINER and "running" in status.get("state", {})
        for status in statuses
    )
