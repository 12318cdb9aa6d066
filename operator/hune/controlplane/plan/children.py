"""The objects that should exist for a ModelDeployment."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hune.contract import names
from hune.contract.access import AccessSettings
from hune.contract.guard import DetectorSettings, ExplainerSettings, GuardSettings
from hune.controlplane.plan.build.artefacts import detector_path
from hune.controlplane.plan.build.guard_config import build_guard_config, read_draining_since
from hune.controlplane.plan.build.http_route import build_http_route
from hune.controlplane.plan.build.inference_service import (
    build_inference_service,
    rescale_inference_service,
)
from hune.controlplane.plan.build.model_version import build_model_version
from hune.controlplane.plan.build.network_policy import build_network_policies
from hune.controlplane.plan.build.pod_monitor import build_pod_monitor
from hune.controlplane.plan.build.prometheus_rule import build_prometheus_rule
from hune.controlplane.plan.build.service import build_service
from hune.controlplane.plan.build.stamp import Stamp
from hune.controlplane.plan.context import Context
from hune.controlplane.plan.plan import Child
from hune.controlplane.policy.observed import CONFIG_MAP, Document


def plan_children(context: Context) -> tuple[Child, ...]:
    """Return every object that should exist, in the order in which it is applied.

    What pods need comes before the InferenceService that makes them, the Service after it; what
    nobody is served by comes last.
    """
    active = context.cutover().active
    return (
        *_version(context),
        *_wanted_revision(context),
        *_other_revisions(context),
        Child(build_service(context.owner, active)),
        *_route(context),
        *_monitoring(context),
    )


def touched_pods(context: Context, children: Sequence[Child]) -> dict[str, str]:
    """Name the pods whose guard settings change, so that kubelet syncs them at once.

    The value stands for the settings: two changes within one second are two values.
    """
    touched: dict[str, str] = {}
    for child in children:
        if child.key[0] != CONFIG_MAP:
            continue
        revision = child.document["metadata"]["labels"][names.LABEL_REVISION]
        existing = context.observed.config_map(revision)
        if existing is None or existing.get("data") == child.document["data"]:
            continue
        for pod in context.observed.pods_of(revision):
            touched[pod["metadata"]["name"]] = _fingerprint(child.document["data"])
    return touched


def _fingerprint(data: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _version(context: Context) -> list[Child]:
    source = context.spec.model.source if context.spec.model else None
    if source is None or context.observed.model_version is not None:
        return []
    taken = context.observed.version_numbers
    return [Child(build_model_version(context.owner, source, taken), create_only=True)]


def _wanted_revision(context: Context) -> list[Child]:
    owner, revision = context.owner, context.resolved.revision
    existing = context.observed.inference_service(context.wanted)
    stamp = Stamp.read(existing, context.settings, revision)
    service = build_inference_service(owner, revision, context.scale(), stamp)
    children = [
        Child(build_guard_config(owner, _guard_settings(context))),
        *map(Child, build_network_policies(owner, service)),
    ]
    # Without KServe there is nothing to apply it to; its arrival is an event like any other.
    return [*children, Child(service)] if context.observed.kserve_installed else children


def _guard_settings(context: Context) -> GuardSettings:
    revision, contract = context.resolved.revision, context.spec.contract
    return GuardSettings(
        deployment=context.owner.name,
        namespace=context.owner.namespace,
        model_version=context.resolved.model_version,
        revision=context.wanted,
        protocol=revision.protocol.value,
        predictor_port=revision.predictor_port,
        data_contract=contract.plain() if contract else None,
        outliers=_detector(context, "outliers"),
        adversarial=_detector(context, "adversarial"),
        failure_policy=context.spec.guard.failure_policy.value,
        access=_access(context),
        explainer=_explainer(context),
    )


def _detector(context: Context, part: str) -> DetectorSettings | None:
    detector = context.spec.guard.detectors.get(part)
    if detector is None:
        return None
    return DetectorSettings(
        uri=detector.uri,
        path=detector_path(part, detector),
        digest=detector.digest,
        on_detect=detector.on_detect.value,
        threshold=detector.threshold or "",
    )


def _explainer(context: Context) -> ExplainerSettings | None:
    explainer = context.spec.explainer
    if explainer is None:
        return None
    seconds = explainer.time_limit_seconds
    if context.resolved.revision.standalone is None:
        return ExplainerSettings(time_limit_seconds=seconds)
    host = f"{context.wanted}{names.EXPLAINER_SUFFIX}"
    return ExplainerSettings(host, names.SERVICE_PORT, seconds)


def _access(context: Context) -> AccessSettings:
    return AccessSettings(context.spec.access.mode.value, context.settings.authorizer)


def _other_revisions(context: Context) -> list[Child]:
    """Keep the revisions the spec moved away from as they are: routed to, or draining."""
    retired = context.retired()
    children: list[Child] = []
    for name in context.observed.revisions():
        service = context.observed.inference_service(name)
        if name == context.wanted or name in retired or service is None:
            continue
        scale = _kept_scale(context, name, service)
        children += [
            Child(_kept_config(context, name)),
            *map(Child, build_network_policies(context.owner, service)),
            Child(rescale_inference_service(context.owner, service, scale)),
        ]
    return children


def _kept_config(context: Context, revision: str) -> dict[str, Any]:
    draining = revision != context.cutover().active
    former = context.former_guard_settings(revision) or replace(
        _guard_settings(context), revision=revision, model_version=context.version_of(revision)
    )
    config = context.observed.config_map(revision)
    since = (read_draining_since(config) if config else None) or context.time
    # Whoever lost the right has lost it at every revision that still answers.
    settings = replace(former, draining=draining, access=_access(context))
    return build_guard_config(context.owner, settings, since if draining else None)


def _kept_scale(context: Context, revision: str, service: Document) -> dict[str, Any]:
    """Scale the old revision that still answers with the spec; one that drains stays as it is.

    How it is autoscaled is never switched. KServe copies the autoscaler class to the pods as an
    annotation, so that would restart the very pods that answer while the new revision starts.
    """
    predictor = service["spec"]["predictor"]
    wanted = context.scale()
    answers = revision == context.cutover().active
    if answers and ("scaleMetric" in predictor) == ("scaleMetric" in wanted):
        return wanted
    fields = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
    return {field: predictor[field] for field in fields if field in predictor}


def _route(context: Context) -> list[Child]:
    gateway = context.settings.gateway
    return [] if gateway is None else [Child(build_http_route(context.owner, gateway))]


def _monitoring(context: Context) -> list[Child]:
    objectives = context.spec.objectives
    monitoring = context.settings.monitoring
    if objectives is None or not (monitoring.enabled and context.observed.monitoring_installed):
        return []
    watching = (
        build_pod_monitor(context.owner, monitoring.labels),
        build_prometheus_rule(context.owner, objectives, monitoring.labels),
    )
    return [Child(document, auxiliary=True) for document in watching]
