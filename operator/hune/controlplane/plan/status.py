"""The status of a ModelDeployment."""

from collections.abc import Sequence
from datetime import datetime

from hune.contract import names
from hune.controlplane.api import conditions
from hune.controlplane.api.base import Api
from hune.controlplane.api.conditions import Condition, Status
from hune.controlplane.api.modeldeployment import (
    ACCEPTED,
    OBJECTIVES_WATCHED,
    PREDICTOR_READY,
    READY,
    ROLLED_OUT,
    ModelDeploymentStatus,
    RevisionRole,
    RevisionStatus,
)
from hune.controlplane.errors import ApiError, ConflictError
from hune.controlplane.plan.context import Context, rfc3339
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.policy.cutover import Cutover
from hune.controlplane.policy.observed import (
    HTTP_ROUTE,
    POD_MONITOR,
    PROMETHEUS_RULE,
    SERVICE,
    Document,
    Observed,
)
from hune.controlplane.policy.readiness import (
    count_ready,
    explainer_condition,
    guard_condition,
    predictor_condition,
)

# What does not hold when a child of a kind is refused; of any other kind, pods do not come.
_HINDERED = {
    SERVICE: ROLLED_OUT,
    HTTP_ROUTE: ROLLED_OUT,
    PROMETHEUS_RULE: OBJECTIVES_WATCHED,
    POD_MONITOR: OBJECTIVES_WATCHED,
}


def plan_status(context: Context) -> ModelDeploymentStatus:
    """Return the complete status of a deployment that is acted on."""
    owner, cutover = context.owner, context.cutover()
    candidate = cutover.candidate
    former = context.document.get("status", {}).get("conditions", [])
    return ModelDeploymentStatus(
        observed_generation=owner.generation,
        url=f"http://{owner.name}.{owner.namespace}.svc.cluster.local",
        active_version=context.version_of(cutover.active),
        candidate_version=context.version_of(candidate) if candidate else None,
        replicas=count_ready(context.observed, cutover.active),
        selector=_selector(context),
        revisions=_revisions(context, cutover),
        conditions=conditions.settle(
            plan_conditions(context), former, owner.generation, context.time
        ),
    )


def plan_conditions(context: Context) -> list[Condition]:
    """Return the conditions, Ready last; whether objectives are watched does not bear on it."""
    components = [
        _accepted(),
        predictor_condition(context.observed, context.wanted),
        guard_condition(context.observed, context.wanted),
        *_explainer(context),
        _rolled_out(context.cutover()),
    ]
    return [*components, *_objectives(context), summarise(components)]


def refuse(document: Document, problem: Problem, now: datetime) -> ModelDeploymentStatus:
    """State a fault of the spec; what was observed before stays."""
    fault = Condition(
        type=ACCEPTED, status=Status.FALSE, reason=problem.reason, message=problem.message
    )
    return _amend(document, fault, now)


def suspend(document: Document, observed: Observed, now: datetime) -> ModelDeploymentStatus:
    """State that nothing is changed while the object is suspended."""
    routed = observed.routed_revision(document["metadata"]["name"])
    serving = f"revision {routed} goes on serving" if routed else "nothing serves yet"
    message = f"spec.suspend is true, so nothing is changed; {serving}"
    return _amend(
        document,
        Condition(type=ACCEPTED, status=Status.FALSE, reason="Suspended", message=message),
        now,
    )


def summarise(components: Sequence[Condition]) -> Condition:
    """Return Ready: the first component that does not hold says why."""
    for component in components:
        if not component.is_true:
            return Condition(
                type=READY,
                status=Status.FALSE,
                reason=component.reason,
                message=f"{component.type}: {component.message}",
            )
    return Condition(
        type=READY, status=Status.TRUE, reason="Ready", message="the model answers as specified"
    )


def _accepted() -> Condition:
    return Condition(
        type=ACCEPTED, status=Status.TRUE, reason="Valid", message="the spec is acted on"
    )


def _rolled_out(cutover: Cutover) -> Condition:
    if cutover.candidate is None:
        return Condition(
            type=ROLLED_OUT,
            status=Status.TRUE,
            reason="Routed",
            message=f"the Service points at revision {cutover.active}",
        )
    return Condition(
        type=ROLLED_OUT,
        status=Status.FALSE,
        reason="WaitingForRevision",
        message=f"revision {cutover.active} goes on serving until {cutover.candidate} is ready",
    )


def _selector(context: Context) -> str:
    """Return what chooses the pods that `replicas` counts; an explainer's own are none of them."""
    selector = f"{names.LABEL_DEPLOYMENT}={context.owner.name}"
    alone = context.resolved.revision.standalone is not None
    return f"{selector},component!=explainer" if alone else selector


def _explainer(context: Context) -> list[Condition]:
    if context.spec.explainer is None:
        return []
    return [explainer_condition(context.observed, context.wanted)]


def _objectives(context: Context) -> list[Condition]:
    if context.spec.objectives is None:
        return []
    status, reason = Status.FALSE, "PrometheusNotInstalled"
    message = (
        "this cluster has no monitoring.coreos.com/v1 PrometheusRule and PodMonitor, so nobody"
        " watches spec.objectives; install the Prometheus operator, Hune goes on by itself then, or"
        " use manifests/monitoring and the rules of `hune render`"
    )
    if not context.settings.monitoring.enabled:
        reason = "MonitoringDisabled"
        message = (
            "the platform's setting monitoring.enabled is false, so nobody watches"
            " spec.objectives; use manifests/monitoring and the rules of `hune render`"
        )
    elif context.observed.monitoring_installed:
        status, reason = Status.TRUE, "RulesApplied"
        message = (
            f"PrometheusRule and PodMonitor {context.owner.name} are there for Prometheus to choose"
        )
    return [Condition(type=OBJECTIVES_WATCHED, status=status, reason=reason, message=message)]


def _revisions(context: Context, cutover: Cutover) -> list[RevisionStatus]:
    existing = {context.wanted, *context.observed.revisions()} - set(context.retired())
    return [
        RevisionStatus(name=name, model_version=context.version_of(name), role=_role(name, cutover))
        for name in sorted(existing)
    ]


def _role(revision: str, cutover: Cutover) -> RevisionRole:
    if revision == cutover.active:
        return RevisionRole.ACTIVE
    return RevisionRole.CANDIDATE if revision == cutover.candidate else RevisionRole.RETIRING


def _amend(document: Document, fault: Condition, now: datetime) -> ModelDeploymentStatus:
    former = document.get("status", {})
    generation = Owner.of(document).generation
    fresh = [fault, summarise([fault])]
    known = {condition.type for condition in fresh}
    kept = [
        Condition.model_validate(condition)
        for condition in former.get("conditions", [])
        if condition["type"] not in known
    ]
    settled = conditions.settle(fresh, former.get("conditions", []), generation, rfc3339(now))
    status = ModelDeploymentStatus.model_validate({**former, "conditions": []})
    return status.model_copy(
        update={"observed_generation": generation, "conditions": [*settled, *kept]}
    )


def report_failure(
    status: Api, document: Document, error: ApiError, now: datetime
) -> ModelDeploymentStatus:
    """State that the API server refused a child; what else was planned stands."""
    planned = ModelDeploymentStatus.model_validate(status.document())
    hindered = _HINDERED.get(error.child, PREDICTOR_READY)
    fault = Condition(
        type=hindered,
        status=Status.FALSE,
        reason="NameTaken" if isinstance(error, ConflictError) else "Refused",
        message=f"the API server refused a child: {error.message}",
    )
    others = [c for c in planned.conditions if c.type not in {hindered, READY}]
    ready = [c for c in planned.conditions if c.type == READY]
    if hindered != OBJECTIVES_WATCHED:
        ready = [summarise([fault])]
    fresh = [fault, *others, *ready]
    former = document.get("status", {}).get("conditions", [])
    generation = Owner.of(document).generation
    return planned.model_copy(
        update={"conditions": conditions.settle(fresh, former, generation, rfc3339(now))}
    )
