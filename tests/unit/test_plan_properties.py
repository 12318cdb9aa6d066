"""What holds for the plan of every valid ModelDeployment."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hune.controlplane.cluster.difference import is_applied
from hune.controlplane.plan.model_deployment import plan_model_deployment
from hune.controlplane.plan.plan import Plan
from hune.controlplane.policy.observed import Document, Observed
from hune.controlplane.settings import Gateway, Settings
from tests.support.applied import applied
from tests.support.generate_specs import deployments, specs

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PLATFORM = Settings(gateway=Gateway(name="g", namespace="n", domain="example.org"))
BOUNDED = settings(max_examples=60)
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
Children = dict[tuple[str, str], Document]


def plan(document: dict[str, Any], observed: Observed, now: datetime = NOW) -> Plan:
    return plan_model_deployment(document, observed, PLATFORM, now)


def carried_out(plan: Plan, former: Children, *, ready: bool = False) -> Children:
    """Return the children as the API server and KServe leave them after a plan."""
    children = dict(former)
    for child in plan.children:
        if child.create_only:
            continue
        observed = applied(dict(child.document), uid="u", generation=1)
        _add_defaults(observed, ready=ready)
        children[child.key] = observed
    for key in plan.prune:
        del children[key]
    return children


def _add_defaults(observed: dict[str, Any], *, ready: bool) -> None:
    """Do to an object what the server, a webhook and the controller do."""
    if observed["kind"] == "Service":
        observed["spec"] |= {
            "clusterIP": "10.0.0.1",
            "type": "ClusterIP",
            "sessionAffinity": "None",
        }
    if observed["kind"] == "InferenceService":
        observed["metadata"]["finalizers"] = ["inferenceservice.finalizers"]
        for container in observed["spec"]["predictor"].get("containers", []):
            container["terminationMessagePath"] = "/dev/termination-log"
        status = "True" if ready else "Unknown"
        observed["status"] = {"conditions": [{"type": "Ready", "status": status}]}


def version_of(plan: Plan, former: Observed) -> Any:
    made = [child.document for child in plan.children if child.create_only]
    return made[0] if made else former.model_version


def settle(document: dict[str, Any], *, ready: bool) -> tuple[Plan, Observed]:
    """Carry out a first plan; return the second one and what it saw."""
    first = plan(document, Observed())
    seen = Observed(
        children=carried_out(first, {}, ready=ready),
        model_version=version_of(first, Observed()),
        version_numbers=[1],
    )
    return plan(document | {"status": first.status.document()}, seen), seen


def shown(plan: Plan) -> Any:
    return (
        plan.status.document(),
        plan.children,
        plan.prune,
        dict(plan.touched_pods),
        plan.requeue_after,
    )


@BOUNDED
@given(deployments())
def test_equal_arguments_give_an_equal_plan(document: dict[str, Any]) -> None:
    assert shown(plan(document, Observed())) == shown(plan(document, Observed()))


@BOUNDED
@given(deployments(), specs(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_observed_does_not_matter(
    document: dict[str, Any], other: dict[str, Any], chance: random.Random
) -> None:
    children = {
        **carried_out(plan(document, Observed()), {}),
        **carried_out(plan(document | {"spec": other}, Observed()), {}),
    }
    keys = list(children)
    chance.shuffle(keys)
    shuffled = {key: children[key] for key in keys}
    assert shown(plan(document, Observed(children=children))) == shown(
        plan(document, Observed(children=shuffled))
    )


@BOUNDED
@given(deployments(), st.booleans())
def test_planning_on_its_own_result_plans_nothing_new(
    document: dict[str, Any],
    ready: bool,  # noqa: FBT001
) -> None:
    again, seen = settle(document, ready=ready)
    assert [child for child in again.children if child.create_only] == []
    for child in again.children:
        assert is_applied(seen.children[child.key], child.document), child.key
    assert again.prune == ()
    assert again.touched_pods == {}
    third = plan(document | {"status": again.status.document()}, seen, NOW + timedelta(hours=1))
    assert third.status == again.status, "time alone turns nothing"


@BOUNDED
@given(deployments(), specs())
def test_a_switch_ends_with_the_wanted_revision_alone(
    document: dict[str, Any], other: dict[str, Any]
) -> None:
    """Old spec, new spec not ready, ready, grace over: traffic follows, and nothing is left."""
    _, seen = settle(document, ready=True)
    document = document | {"spec": other}
    now, children = NOW, dict(seen.children)
    for ready in (False, False, True, True, True):
        observed = Observed(children=children)
        decided = plan(document, observed, now)
        document = document | {"status": decided.status.document()}
        children = carried_out(decided, children, ready=ready)
        selector = children["Service", document["metadata"]["name"]]["spec"]["selector"]
        routed = selector["hune.dev/revision"]
        assert ("InferenceService", routed) in children, "traffic never points at nothing"
        now += timedelta(seconds=PLATFORM.retire_after_seconds)
    final = plan(document, Observed(children=children), now)
    children = carried_out(final, children, ready=True)
    revisions = {name for kind, name in children if kind == "InferenceService"}
    assert revisions == {routed}
    assert final.status.document()["revisions"] == [
        {"name": routed, "modelVersion": final.status.document()["activeVersion"], "role": "Active"}
    ]


@BOUNDED
@given(deployments())
def test_every_name_and_label_is_one_that_kubernetes_takes(document: dict[str, Any]) -> None:
    for child in plan(document, Observed()).children:
        kind, name = child.key
        suffix = "-predictor" if kind == "InferenceService" else ""
        assert len(name + suffix) <= 63
        for labels in _labels(child.document):
            assert all(LABEL_VALUE.fullmatch(value) for value in labels.values())


def _labels(node: Any) -> Iterator[dict[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"labels", "matchLabels", "nodeSelector"} or _is_plain_selector(key, value):
                yield value
            yield from _labels(value)
    elif isinstance(node, list):
        for item in node:
            yield from _labels(item)


def _is_plain_selector(key: str, value: Any) -> bool:
    return key == "selector" and "matchLabels" not in value


@BOUNDED
@given(deployments())
def test_no_child_is_without_owner_and_labels(document: dict[str, Any]) -> None:
    for child in plan(document, Observed()).children:
        metadata = child.document["metadata"]
        assert metadata["labels"]["hune.dev/deployment"] == document["metadata"]["name"]
        assert ("ownerReferences" in metadata) is not child.create_only
