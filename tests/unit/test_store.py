from typing import Any

from hune.controlplane.cluster.store import Key, Store

DEPLOYMENT = Key("ModelDeployment", "shop", "income")


def child(kind: str, name: str, version: int, **more: Any) -> dict[str, Any]:
    labels = {"hune.dev/deployment": "income"}
    metadata = {
        "name": name,
        "namespace": "shop",
        "resourceVersion": str(version),
        "labels": labels,
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def deployment(version: int, generation: int = 1, **more: Any) -> dict[str, Any]:
    document = child("ModelDeployment", "income", version, **more)
    document["metadata"] |= {"generation": generation, "labels": {}}
    return document | {"apiVersion": "hune.dev/v1alpha1"}


def model_version(name: str, number: int, version: int) -> dict[str, Any]:
    spec = {"model": "income", "number": number}
    return child("ModelVersion", name, version, spec=spec) | {"apiVersion": "hune.dev/v1alpha1"}


def test_an_object_is_kept_as_it_was_last_seen() -> None:
    store = Store()
    assert store.get(Key("Service", "shop", "income")) is None
    assert store.put(child("Service", "income", 5, spec={"a": 1}))
    assert store.put(child("Service", "income", 6, spec={"a": 2}))
    assert store.get(Key("Service", "shop", "income")) == child(
        "Service", "income", 6, spec={"a": 2}
    )
    assert len(store) == 1


def test_an_older_version_and_an_echo_are_no_news() -> None:
    store = Store()
    store.put(child("Service", "income", 6, spec={"a": 2}))
    assert not store.put(child("Service", "income", 5, spec={"a": 1}))
    assert not store.put(child("Service", "income", 6, spec={"a": 2}))
    assert store.get(Key("Service", "shop", "income")) == child(
        "Service", "income", 6, spec={"a": 2}
    )


def test_versions_are_compared_as_numbers() -> None:
    store = Store()
    store.put(child("Service", "income", 9))
    assert store.put(child("Service", "income", 10))


def test_an_answer_that_shows_only_our_write_is_no_news() -> None:
    store = Store()
    assert not store.put_answer(child("ConfigMap", "a", 5, data={"a": "1"})), "just created"
    assert not store.put_answer(child("ConfigMap", "a", 6, data={"a": "2"})), "just applied"
    store.put(deployment(7))
    assert not store.put_answer(deployment(8, status={"replicas": 1})), "its status, just applied"


def test_an_answer_that_shows_what_others_wrote_meanwhile_is_news() -> None:
    """The events of those changes are older than our answer, and are passed over."""
    store = Store()
    store.put(child("InferenceService", "income-1", 5, status={"ready": False}))
    assert store.put_answer(child("InferenceService", "income-1", 7, status={"ready": True}))
    assert not store.put(child("InferenceService", "income-1", 6, status={"ready": True}))
    store.put(deployment(8, generation=1))
    assert store.put_answer(deployment(10, generation=2, status={"replicas": 1}))
    leaving = deployment(11, generation=2)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    assert store.put_answer(leaving)


def test_members_are_what_carries_the_deployments_label() -> None:
    store = Store()
    store.put(child("Service", "income", 1))
    store.put(child("Pod", "income-1-a", 2))
    stranger = child("Service", "other", 3)
    stranger["metadata"]["labels"] = {"hune.dev/deployment": "other"}
    store.put(stranger)
    store.put(deployment(4))
    assert store.members("shop", "income") == [
        Key("Pod", "shop", "income-1-a"),
        Key("Service", "shop", "income"),
    ]
    assert store.members("elsewhere", "income") == []
    store.drop(Key("Pod", "shop", "income-1-a"))
    assert store.members("shop", "income") == [Key("Service", "shop", "income")]
    assert store.keys("ModelDeployment") == [DEPLOYMENT]


def test_numbers_are_those_of_the_models_versions() -> None:
    store = Store()
    store.put(model_version("income-b", 2, 1))
    store.put(model_version("income-a", 1, 2))
    assert store.numbers("shop", "income") == [1, 2]
    store.drop(Key("ModelVersion", "shop", "income-b"))
    assert store.numbers("shop", "income") == [1]
    assert store.numbers("shop", "other") == []


def test_a_child_of_a_versions_name_does_not_take_its_number_along() -> None:
    store = Store()
    store.put(model_version("income", 7, 1))
    store.put(child("Service", "income", 2))
    store.put(child("Service", "income", 3))
    store.drop(Key("Service", "shop", "income"))
    assert store.numbers("shop", "income") == [7]


def test_users_are_found_by_spec_and_by_status() -> None:
    store = Store()
    status = {"revisions": [{"name": "income-1", "modelVersion": "income-6", "role": "Active"}]}
    store.put(deployment(1, spec={"model": {"version": "income-7"}}, status=status))
    assert store.users("shop", "income-7") == ["income"]
    assert store.users("shop", "income-6") == ["income"]
    store.put(deployment(2, spec={"model": {"source": {}}}))
    assert store.users("shop", "income-7") == []
    assert store.users("shop", "income-6") == []


def test_of_a_pod_only_what_a_plan_looks_at_is_kept() -> None:
    store = Store()
    status = {"phase": "Running", "podIP": "10.0.0.1", "conditions": []}
    pod = child("Pod", "a", 1, spec={"containers": []}, status=status)
    pod["metadata"]["managedFields"] = [{"manager": "hune", "operation": "Apply"}]
    store.put(pod)
    assert store.get(Key("Pod", "shop", "a")) == child(
        "Pod", "a", 1, status={"phase": "Running", "podIP": "10.0.0.1", "conditions": []}
    )


def test_of_managed_fields_only_our_own_are_kept() -> None:
    store = Store()
    own = {"manager": "hune", "operation": "Apply", "fieldsV1": {}}
    document = child("Service", "income", 1)
    document["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update"},
        {"manager": "hune", "operation": "Update"},
        own,
    ]
    store.put(document)
    kept = store.get(Key("Service", "shop", "income"))
    assert kept is not None
    assert kept["metadata"]["managedFields"] == [own]


def test_dropping_what_is_not_there_is_no_fault() -> None:
    Store().drop(DEPLOYMENT)
