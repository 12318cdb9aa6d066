"""Asking guards what is amiss with their detectors and what these found; nothing else tells."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hune.contract import names
from hune.contract.state import PATH, DetectorFault, GuardState
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.store import Document
from hune.controlplane.errors import ApiError
from hune.controlplane.policy.observed import guard_status

_LOG = logging.getLogger("hune.guards")
# So many of one revision speak for all: they load the same artefact and share the traffic.
_ASKED_AT_MOST = 16


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What the guards of one deployment say.

    Attributes:
        faults: By revision, the detectors that cannot judge.
        detections: By detector, the rows that the guards asked flagged lately, together.
    """

    faults: Mapping[str, tuple[DetectorFault, ...]] = field(default_factory=dict)
    detections: Mapping[str, int] = field(default_factory=dict)


class GuardReader:
    """Reads the state of guards: directly in the cluster, elsewhere through the API server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, pods: Sequence[Document]) -> GuardReport:
        """Return what the guards in these pods say; a silent one has neither fault nor find."""
        asked = _choose(pods)
        states = await asyncio.gather(*(self._ask(pod) for pod in asked))
        faults: dict[str, tuple[DetectorFault, ...]] = {}
        detections: Counter[str] = Counter()
        for pod, state in zip(asked, states, strict=True):
            if state.faults:
                faults.setdefault(_revision(pod), state.faults)
            for detection in state.detections:
                detections[detection.detector] += detection.rows
        return GuardReport(faults, detections)

    async def _ask(self, pod: Document) -> GuardState:
        try:
            return GuardState.from_json(await self._client.ask_pod(pod, names.GUARD_PORT, PATH))
        except (ApiError, ValueError) as error:
            # It may be starting or ending, which its pod says.
            _LOG.debug("pod %s: %s", pod["metadata"]["name"], error)
            return GuardState()


def _choose(pods: Sequence[Document]) -> list[Document]:
    chosen: list[Document] = []
    asked: Counter[str] = Counter()
    for pod in pods:
        if _guard_runs(pod) and asked[_revision(pod)] < _ASKED_AT_MOST:
            asked[_revision(pod)] += 1
            chosen.append(pod)
    return chosen


def _revision(pod: Document) -> str:
    revision: str = pod["metadata"].get("labels", {}).get(names.LABEL_REVISION, "")
    return revision


def _guard_runs(pod: Document) -> bool:
    running = "running" in guard_status(pod).get("state", {})
    return running and "deletionTimestamp" not in pod["metadata"]
