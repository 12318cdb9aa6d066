"""When traffic moves to a new revision, and when the replaced one may go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hune.controlplane.policy.observed import Observed
from hune.controlplane.policy.readiness import is_ready


@dataclass(frozen=True, slots=True)
class Cutover:
    """Where the stable Service should point.

    Attributes:
        active: The revision that answers.
        candidate: The revision on its way, or None.
        retiring: Revisions that are no longer routed to.
    """

    active: str
    candidate: str | None
    retiring: tuple[str, ...]


def decide_cutover(observed: Observed, deployment: str, wanted: str) -> Cutover:
    """Route to the wanted revision once it is ready; until then leave the route alone.

    Without a routed revision there is nothing to protect, so the first one is routed to at once.
    """
    routed = observed.routed_revision(deployment)
    service = observed.inference_service(wanted)
    takes_over = routed is None or (service is not None and is_ready(service))
    active = wanted if takes_over or routed is None else routed
    others = tuple(name for name in observed.revisions() if name not in {active, wanted})
    return Cutover(active, None if active == wanted else wanted, others)


def retires_in(draining_since: str | None, retire_after: int, now: datetime) -> float:
    """Return the seconds until a replaced revision may be deleted; 0 or less means now."""
    if draining_since is None:
        return float(retire_after)
    since = datetime.fromisoformat(draining_since)
    return (since + timedelta(seconds=retire_after) - now).total_seconds()
