"""Which keys an event asks for. Nothing is decided here, so nothing else is to be tested."""

from typing import Any

import pytest

from hune.controlplane.cluster.store import Key
from hune.controlplane.handlers import Operator, Process
from hune.controlplane.settings import Settings

DEPLOYMENT = Key("ModelDeployment", "shop", "income")


@pytest.fixture
def operator() -> Operator:
    return Operator(Settings(), Process(port=0, elect=False))


def deployment(version: int, **more: Any) -> dict[str, Any]:
    metadata = {"name": "income", "namespace": "shop", "resourceVersion": str(version)}
    return {
        "apiVersion": "hune.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": metadata,
        **more,
    }


def version(number: int) -> dict[str, Any]:
    metadata = {"name": "income-7", "namespace": "shop", "resourceVersion": str(number)}
    return {"apiVersion": "hune.dev/v1alpha1", "kind": "ModelVersion", "metadata": metadata}


def serving(name: str) -> dict[str, Any]:
    return {"revisions": [{"name": "income-1", "modelVersion": name, "role": "Active"}]}


def asked_at_once(operator: Operator) -> set[Key]:
    return set(operator._queue._waiting)


def asked_later(operator: Operator) -> set[Key]:
    return set(operator._queue._due)


def test_an_event_of_a_deployment_asks_for_it(operator: Operator) -> None:
    operator.follow(deployment(1), deleted=False)
    assert asked_at_once(operator) == {DEPLOYMENT}


def test_an_old_event_asks_for_nothing(operator: Operator) -> None:
    operator._store.put(deployment(2))
    operator.follow(deployment(1), deleted=False)
    assert asked_at_once(operator) == set()


def test_a_deployments_versions_hear_of_it_too(operator: Operator) -> None:
    operator.follow(deployment(1, status=serving("income-7")), deleted=False)
    assert asked_later(operator) == {Key("ModelVersion", "shop", "income-7")}


def test_a_deleted_deployment_is_news_for_its_versions(operator: Operator) -> None:
    operator._store.put(deployment(1))
    operator.follow(deployment(2, status=serving("income-7")), deleted=True)
    assert operator._store.get(DEPLOYMENT) is None
    assert asked_later(operator) == {Key("ModelVersion", "shop", "income-7")}


def test_a_version_that_appears_is_news_for_who_waits_for_it(operator: Operator) -> None:
    operator._store.put(deployment(1, spec={"model": {"version": "income-7"}}))
    operator.notify(version(2))
    assert asked_at_once(operator) == {DEPLOYMENT}
    assert asked_later(operator) == {Key("ModelVersion", "shop", "income-7")}


def test_a_child_asks_for_its_deployment(operator: Operator) -> None:
    labels = {"hune.dev/deployment": "income"}
    operator.notify(
        {"kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "labels": labels}}
    )
    operator.notify({"kind": "Pod", "metadata": {"name": "q", "namespace": "shop"}})
    assert asked_at_once(operator) == {DEPLOYMENT}


def test_a_kind_that_came_back_asks_for_every_deployment(operator: Operator) -> None:
    operator._store.put(deployment(1))
    operator.notify({"kind": "InferenceService", "metadata": {"name": ""}})
    assert asked_at_once(operator) == {DEPLOYMENT}
