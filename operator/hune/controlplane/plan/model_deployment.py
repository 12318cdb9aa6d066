"""Planning of a ModelDeployment: pure, from spec and snapshot to children and status."""

from collections.abc import Iterator
from datetime import datetime

from hune.contract import names
from hune.contract.state import LOADING
from hune.controlplane.plan.children import plan_children, touched_pods
from hune.controlplane.plan.context import Context
from hune.controlplane.plan.plan import Owner, Plan
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import parse_spec, resolve
from hune.controlplane.plan.status import plan_status, refuse, suspend
from hune.controlplane.policy.observed import NETWORK_POLICY, Document, Observed
from hune.controlplane.policy.readiness import is_ready
from hune.controlplane.settings import Settings

# How soon to look again for a revision that made no pod at all: no event will report that. The
# longer it has been so, the less it matters to know at once.
_LOOK_AGAIN_SECONDS = (15.0, 60.0)
# Nor does one report that a detector or an explainer began to fail.
_ASK_GUARDS_SECONDS = 30.0
_LOADING_SECONDS = 3.0


def plan_model_deployment(
    document: Document, observed: Observed, settings: Settings, now: datetime
) -> Plan:
    """Plan one ModelDeployment.

    Args:
        document: The custom resource as the API server holds it.
        observed: Snapshot of its children and references.
        settings: The platform's settings.
        now: The time, with time zone.

    Returns:
        Children, deletions and the complete status. Equal arguments give an equal plan.
    """
    spec = parse_spec(document)
    if isinstance(spec, Problem):
        return Plan(status=refuse(document, spec, now))
    if spec.suspend:
        return Plan(status=suspend(document, observed, now))
    owner = Owner.of(document)
    resolved = resolve(owner, spec, observed, settings)
    if isinstance(resolved, Problem):
        return Plan(status=refuse(document, resolved, now))
    wanted = resolved.revision.name(owner.name)
    return _act(Context(document, owner, spec, resolved, wanted, observed, settings, now))


def _act(context: Context) -> Plan:
    children = plan_children(context)
    kept = {child.key for child in children}
    return Plan(
        status=plan_status(context),
        children=children,
        prune=tuple(_superfluous(context, kept)),
        touched_pods=touched_pods(context, children),
        requeue_after=_requeue_after(context),
    )


def _superfluous(context: Context, kept: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Name what is owned and no longer planned.

    A revision's NetworkPolicy outlives its last pod: until then it keeps callers off the predictor.
    """
    shielded = {
        pod["metadata"].get("labels", {}).get(names.LABEL_REVISION) for pod in context.observed.pods
    }
    for kind, name in sorted(context.observed.children):
        if (kind, name) not in kept and not (kind == NETWORK_POLICY and name in shielded):
            yield kind, name


def _requeue_after(context: Context) -> float | None:
    retired = context.retired()
    retiring = [name for name in context.cutover().retiring if name not in retired]
    waits = [context.retires_in(name) for name in retiring]
    service = context.observed.inference_service(context.wanted)
    if (service is None or not is_ready(service)) and not context.observed.pods_of(context.wanted):
        waits.append(_look_again_in(service, context.now))
    if context.spec.guard.detectors or context.spec.explainer is not None:
        faults = context.observed.detector_faults.get(context.wanted, ())
        loading = any(fault.reason == LOADING for fault in faults)
        waits.append(_LOADING_SECONDS if loading else _ASK_GUARDS_SECONDS)
    return max(0.1, min(waits)) if waits else None


def _look_again_in(service: Document | None, now: datetime) -> float:
    soonest, latest = _LOOK_AGAIN_SECONDS
    created = service["metadata"].get("creationTimestamp") if service is not None else None
    if created is None:
        return soonest
    waited = (now - datetime.fromisoformat(created)).total_seconds()
    return min(latest, max(soonest, waited))
