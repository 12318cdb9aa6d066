"""A revision's name changes exactly when new pods are necessary."""

from typing import Any

import pytest

from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import Resolved, parse_spec, resolve
from hune.controlplane.policy.observed import Observed
from hune.controlplane.settings import Settings
from tests.support.generate_specs import SOURCE, merged

OWNER = Owner("hune.dev/v1alpha1", "ModelDeployment", "income", "shop", "u", 1)
BASE: dict[str, Any] = {"model": {"source": SOURCE}}
LITE: dict[str, Any] = {
    "model": {"source": SOURCE | {"format": "onnx"}},
    "placement": {"profile": "Lite"},
}
AMD = {"architectures": ["amd64"]}
OUTLIERS = {"uri": "s3://models/income/outliers", "digest": "sha256:" + "c3" * 32}
EXPLAINER = OUTLIERS | {"method": "KernelShap"}
CUSTOM: dict[str, Any] = {"serving": {"container": {"image": "a"}}}


def name(spec: dict[str, Any], settings: Settings | None = None) -> str:
    document = {"metadata": {"name": "income", "namespace": "shop"}, "spec": spec}
    parsed = parse_spec(document)
    assert not isinstance(parsed, Problem), parsed
    found = resolve(OWNER, parsed, Observed(), settings or Settings())
    assert isinstance(found, Resolved)
    return found.revision.name("income")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("uri", {"model": {"source": {"uri": "s3://models/income/8"}}}),
        ("digest", {"model": {"source": {"digest": "sha256:" + "b2" * 32}}}),
        ("format", {"model": {"source": {"format": "xgboost"}}}),
        ("secretRef", {"model": {"source": {"secretRef": {"name": "s3"}}}}),
        ("runtime", {"serving": {"runtime": "own"}}),
        ("protocol", {"serving": {"protocol": "V1"}}),
        ("env", {"serving": {"env": [{"name": "A", "value": "b"}]}}),
        ("resources", {"serving": {"resources": {"requests": {"cpu": 1}}}}),
        ("serviceAccountName", {"serving": {"serviceAccountName": "scorer"}}),
        ("container", {"serving": {"container": {"image": "a"}}}),
        ("class", {"placement": AMD | {"class": "EdgeArm", "profile": "Full"}}),
        ("architectures", {"placement": AMD}),
        ("nodeSelector", {"placement": {"nodeSelector": {"a": "b"}}}),
        ("outliers", {"guard": {"outliers": OUTLIERS}}),
        ("adversarial", {"guard": {"adversarial": OUTLIERS}}),
        ("explainer", {"explainer": EXPLAINER}),
        ("tolerations", {"placement": {"tolerations": [{"key": "a"}]}}),
    ],
)
def test_what_needs_new_pods_makes_a_new_revision(field: str, change: dict[str, Any]) -> None:
    assert name(merged(BASE, change)) != name(BASE), field


@pytest.mark.parametrize("field", ["image", "command", "args", "port"])
def test_every_field_of_a_server_of_ones_own_counts(field: str) -> None:
    value = {"image": "b", "command": ["c"], "args": ["d"], "port": 8500}[field]
    assert name(merged(CUSTOM, {"serving": {"container": {field: value}}})) != name(CUSTOM)


@pytest.mark.parametrize(
    "change",
    [
        {"serving": {"replicas": {"min": 3, "max": 5}}},
        {"serving": {"autoscaling": {"metric": "Memory"}}},
        {"serving": {"protocol": "V2"}},
        {"serving": {"env": []}},
        {"placement": {"architectures": []}},
        {"guard": {"failurePolicy": "Closed"}},
        {"contract": {"features": [{"name": "age", "type": "Integer"}], "onBreach": "Reject"}},
    ],
)
def test_what_changes_in_place_keeps_the_revision(change: dict[str, Any]) -> None:
    assert name(merged(BASE, change)) == name(BASE)


def test_the_profile_needs_new_pods_whoever_says_it() -> None:
    full = merged(LITE, {"placement": {"profile": "Full"}})
    assert name(LITE) != name(full)
    settings = Settings.model_validate({"placementClasses": {"Small": {"profile": "Lite"}}})
    assert name(LITE | {"placement": {"class": "Small"}}, settings) == name(LITE)


def test_how_a_detector_judges_changes_in_place() -> None:
    watched = merged(BASE, {"guard": {"outliers": OUTLIERS}})
    change = {"guard": {"outliers": {"threshold": "0.5", "onDetect": "Reject"}}}
    assert name(merged(watched, change)) == name(watched)


def test_where_an_explainer_runs_needs_new_pods_and_how_long_it_may_take_does_not() -> None:
    explained = merged(BASE, {"explainer": EXPLAINER})
    assert name(merged(explained, {"explainer": {"placement": "Standalone"}})) != name(explained)
    for change in ({"placement": "Sidecar"}, {"timeLimitSeconds": 60}):
        assert name(merged(explained, {"explainer": change})) == name(explained)


def test_the_order_of_a_set_does_not_count() -> None:
    one = merged(LITE, {"placement": {"architectures": ["arm64", "amd64"]}})
    other = merged(LITE, {"placement": {"architectures": ["amd64", "arm64"]}})
    assert name(one) == name(other)


def test_images_and_platform_defaults_are_stamped_and_do_not_count() -> None:
    settings = Settings.model_validate(
        {
            "images": {"guard": "g", "lite": "l", "storage": "b", "pullPolicy": "Always"},
            "predictorResources": {},
            "guardResources": {},
            "liteResources": {},
            "architectures": {"runtimes": {}},
            "drainSeconds": 60,
            "storageContainer": "other",
        }
    )
    assert name(BASE, settings) == name(BASE)
    assert name(LITE, settings) == name(LITE)


def test_a_class_that_the_platform_redefines_counts() -> None:
    settings = Settings.model_validate(
        {"placementClasses": {"EdgeArm": {"nodeSelector": {"a": "b"}}}}
    )
    spec = merged(LITE, {"placement": {"class": "EdgeArm"}})
    assert name(spec, settings) != name(spec)


def test_the_name_is_what_it_always_was() -> None:
    """A change here restarts the pods of every deployment at the next upgrade."""
    assert name(BASE) == "income-624050a8"
