"""When an apply would change nothing; tests/apiserver asks a real API server the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.controlplane.cluster.difference import is_applied
from tests.support.applied import applied

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "income", "namespace": "shop", "labels": {"a": "1"}},
    "spec": {
        "selector": {"revision": "income-1"},
        "ports": [{"name": "http", "port": 80, "targetPort": 9000}],
    },
}


def changed(path: str, value: object, document: dict[str, Any] = SERVICE) -> dict[str, Any]:
    """Return a copy with another value at a path of keys and indices; ... removes."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node: Any = copy
    for part in parents:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return copy


def owned(document: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = document["metadata"]["managedFields"][0]["fieldsV1"]
    return fields


def test_what_was_applied_is_applied() -> None:
    assert is_applied(applied(SERVICE), SERVICE)


@pytest.mark.parametrize(
    ("reason", "path", "value"),
    [
        ("a value of ours was edited", "spec.ports.0.targetPort", 8080),
        ("a label of ours is gone", "metadata.labels.a", ...),
        ("the whole selector is gone", "spec.selector", ...),
        ("a list of ours is empty", "spec.ports", []),
        ("a list of ours became something else", "spec.ports", "none"),
        ("a map of ours became something else", "spec.selector", ["revision"]),
    ],
)
def test_what_is_not_as_desired_is_applied_again(reason: str, path: str, value: object) -> None:
    assert not is_applied(changed(path, value, applied(SERVICE)), SERVICE), reason


@pytest.mark.parametrize(
    ("reason", "path", "value"),
    [
        ("a default of the server", "spec.ports.0.protocol", "TCP"),
        ("somebody's own label", "metadata.labels.team", "b"),
        ("the cluster's address", "spec.clusterIP", "10.0.0.1"),
        ("the status", "status", {"loadBalancer": {}}),
    ],
)
def test_what_others_added_does_not_count(reason: str, path: str, value: object) -> None:
    assert is_applied(changed(path, value, applied(SERVICE)), SERVICE), reason


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("another owner may have added to a field that is owned as one", "f:spec.f:selector"),
        ("a list's item was taken over", "f:spec.f:ports"),
        ("the labels were taken over", "f:metadata"),
        ("everything was taken over", "f:spec"),
    ],
)
def test_a_field_that_somebody_took_over_is_taken_back(reason: str, path: str) -> None:
    observed = applied(SERVICE)
    observed["metadata"]["managedFields"][0]["fieldsV1"] = changed(path, ..., owned(observed))
    assert not is_applied(observed, SERVICE), reason


@pytest.mark.parametrize(
    ("reason", "desired"),
    [
        ("a label is no longer wanted", changed("metadata.labels", {})),
        ("an item is no longer wanted", changed("spec.ports", [])),
    ],
)
def test_a_field_that_is_no_longer_desired_is_removed(reason: str, desired: dict[str, Any]) -> None:
    assert not is_applied(applied(SERVICE), desired), reason


def test_without_any_field_of_ours_it_is_applied() -> None:
    assert not is_applied(changed("metadata.managedFields", [], applied(SERVICE)), SERVICE)
    assert not is_applied(changed("metadata.managedFields", ..., applied(SERVICE)), SERVICE)


def test_only_our_own_entry_counts() -> None:
    observed = applied(SERVICE)
    observed["metadata"]["managedFields"][0]["manager"] = "kubectl"
    assert not is_applied(observed, SERVICE)


@pytest.mark.parametrize(
    ("desired", "observed", "same"),
    [
        ("1024Mi", "1Gi", True),
        ("1000m", "1", True),
        (1, "1", True),
        ("0.5", "500m", True),
        ("1k", "1000", True),
        ("1", "1Ki", False),
        ("1G", "1Gi", False),
        ("500m", "5", False),
        ("nan", "NaN", False),
        ("inf", "Infinity", False),
        ("", "0", False),
        ("m", "0", False),
        ("1", ["1"], False),
    ],
)
def test_quantities_are_compared_by_value(desired: object, observed: object, same: bool) -> None:  # noqa: FBT001
    document = changed("spec.ports.0.port", desired)
    assert is_applied(changed("spec.ports.0.port", observed, applied(document)), document) is same


def test_an_empty_field_says_the_same_as_none() -> None:
    desired = changed("spec.ports", [], changed("metadata.labels", {}))
    observed = changed("spec.ports", ..., changed("metadata.labels", ..., applied(desired)))
    assert is_applied(observed, desired)


def test_a_webhooks_container_beside_ours_does_not_count() -> None:
    desired = changed("spec.containers", [{"name": "guard", "image": "g"}])
    observed = applied(desired)
    observed["spec"]["containers"].insert(0, {"name": "sidecar", "image": "s"})
    assert is_applied(observed, desired)
    observed["spec"]["containers"][1]["image"] = "other"
    assert not is_applied(observed, desired)


values = st.recursive(
    st.text(max_size=5) | st.integers() | st.booleans(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), below, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), values, max_size=4))
def test_what_was_applied_is_always_applied(spec: dict[str, Any]) -> None:
    desired = {**SERVICE, "spec": spec}
    assert is_applied(applied(desired), desired)
