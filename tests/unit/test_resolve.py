from typing import Any

import pytest

from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import Resolved, parse_spec, referenced_version, resolve
from hune.controlplane.policy.observed import Observed
from hune.controlplane.settings import Settings

DIGEST = "sha256:" + "a1" * 32
SOURCE = {"uri": "s3://models/income/7", "format": "sklearn", "digest": DIGEST}
VERSION = {"spec": {"model": "income", "number": 7, "source": SOURCE}}
OWNER = Owner("hune.dev/v1alpha1", "ModelDeployment", "income", "shop", "u", 1)


def document(name: str = "income", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def resolved(spec: dict[str, Any], **seen: Any) -> Resolved | Problem:
    parsed = parse_spec(document(**spec))
    assert not isinstance(parsed, Problem), parsed
    return resolve(OWNER, parsed, Observed(**seen), Settings())


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        ({"model": {"version": "gone"}}, "ModelVersionNotFound", "no ModelVersion 'gone' in"),
        (
            {"model": {"source": SOURCE}, "placement": {"class": "Gpu"}},
            "UnknownPlacementClass",
            "'Gpu' is not offered by this platform; it offers: EdgeArm",
        ),
        (
            {"model": {"source": SOURCE | {"format": "mlflow"}}, "serving": {"protocol": "V1"}},
            "UnsupportedProtocol",
            "V1 cannot serve format 'mlflow'",
        ),
        (
            {"model": {"source": SOURCE}, "placement": {"class": "EdgeArm"}},
            "UnsupportedFormat",
            (
                "which placement.class 'EdgeArm' brings, serves format onnx, the model has "
                "'sklearn'; convert it with `hune convert`, or set spec.placement.profile to Full"
            ),
        ),
        (
            {"model": {"source": SOURCE | {"format": "seldon"}}},
            "ContainerNeeded",
            "set serving.container.image: docker.io/hune/seldon",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(
    spec: dict[str, Any], reason: str, words: str
) -> None:
    problem = resolved(spec)
    assert isinstance(problem, Problem)
    assert problem.reason == reason
    assert words in problem.message


def test_a_version_of_another_format_is_not_lite() -> None:
    spec = {"model": {"version": "income-7"}, "placement": {"profile": "Lite"}}
    problem = resolved(spec, model_version=VERSION)
    assert isinstance(problem, Problem)
    assert problem.reason == "UnsupportedFormat"
    assert problem.message.startswith("spec.placement.profile: Lite serves format onnx, the model")


def test_nothing_is_explained_where_a_class_brings_profile_lite() -> None:
    explainer = {"method": "TreeShap", "uri": "s3://models/e", "digest": SOURCE["digest"]}
    model = {"source": SOURCE | {"format": "onnx"}}
    placement = {"class": "EdgeArm"}
    problem = resolved({"model": model, "placement": placement, "explainer": explainer})
    assert isinstance(problem, Problem)
    assert problem.reason == "UnsupportedExplainer"
    assert "Lite, which placement.class 'EdgeArm' brings, has no explainer" in problem.message


@pytest.mark.parametrize(
    ("why", "serving", "placement", "profile"),
    [
        ("by default", {}, {}, "Full"),
        ("it says so", {}, {"profile": "Lite"}, "Lite"),
        ("the class brings it", {}, {"class": "EdgeArm"}, "Lite"),
        (
            "it says otherwise than the class",
            {},
            {"class": "EdgeArm", "profile": "Full", "architectures": ["amd64"]},
            "Full",
        ),
        (
            "a runtime is no part of Lite",
            {"runtime": "kserve-sklearnserver"},
            {"class": "EdgeArm"},
            "Full",
        ),
        (
            "nor is a server of one's own",
            {"container": {"image": "a"}},
            {"class": "EdgeArm", "architectures": ["arm64"]},
            "Full",
        ),
    ],
)
def test_the_profile(
    why: str, serving: dict[str, Any], placement: dict[str, Any], profile: str
) -> None:
    source = SOURCE | {"format": "onnx"}
    spec = {"model": {"source": source}, "serving": serving, "placement": placement}
    found = resolved(spec)
    assert isinstance(found, Resolved), found
    assert found.revision.placement.profile == profile, why


def test_a_version_of_another_release_is_told_apart_from_none() -> None:
    problem = resolved({"model": {"version": "income-7"}}, model_version={"spec": {"model": "a"}})
    assert isinstance(problem, Problem)
    assert problem.reason == "ModelVersionInvalid"
    assert "spec.number: Field required" in problem.message


def test_a_bad_name_is_refused_as_the_api_server_does() -> None:
    problem = parse_spec(document("7income", model={"source": SOURCE}))
    assert isinstance(problem, Problem)
    assert "must start with a letter" in problem.message


@pytest.mark.parametrize(
    ("why", "serving", "format_", "runtime"),
    [
        ("pinned", {}, "sklearn", "kserve-mlserver"),
        ("pinned for V1", {"protocol": "V1"}, "xgboost", "kserve-xgbserver"),
        ("KServe's choice", {}, "onnx", None),
        ("the user's choice", {"runtime": "own"}, "sklearn", "own"),
        ("the user knows better", {"runtime": "own", "protocol": "V1"}, "mlflow", "own"),
        ("a server of one's own", {"container": {"image": "a"}}, "sklearn", None),
        ("a component", {"container": {"image": "a"}, "protocol": "Seldon"}, "seldon", None),
        ("a runtime of the platform's for code", {"runtime": "own"}, "kserve", "own"),
    ],
)
def test_the_runtime_is_the_one_for_format_and_protocol(
    why: str, serving: dict[str, Any], format_: str, runtime: str | None
) -> None:
    found = resolved({"model": {"source": SOURCE | {"format": format_}}, "serving": serving})
    assert isinstance(found, Resolved)
    assert found.revision.runtime == runtime, why


def test_a_version_and_its_inline_twin_are_one_revision() -> None:
    by_version = resolved({"model": {"version": "income-7"}}, model_version=VERSION)
    inline = resolved({"model": {"source": SOURCE}})
    assert isinstance(by_version, Resolved)
    assert isinstance(inline, Resolved)
    assert by_version.model_version == "income-7"
    assert inline.model_version.startswith("income-")
    assert by_version.revision == inline.revision


def test_a_server_that_carries_its_model_is_its_own_version() -> None:
    found = resolved({"serving": {"container": {"image": "a"}}})
    assert isinstance(found, Resolved)
    assert found.model_version == found.revision.name("income")


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ({"model": {"version": "income-7"}}, "income-7"),
        ({"model": {"source": SOURCE}}, "income-e42accc2"),
        ({"serving": {"container": {"image": "a"}}}, None),
    ],
)
def test_the_referenced_version(spec: dict[str, Any], version: str | None) -> None:
    parsed = parse_spec(document(**spec))
    assert not isinstance(parsed, Problem)
    assert referenced_version(OWNER, parsed) == version


def test_the_deployment_goes_before_its_placement_class() -> None:
    placement = {
        "class": "EdgeArm",
        "profile": "Full",
        "architectures": ["amd64"],
        "nodeSelector": {"node.kubernetes.io/instance-type": "pi", "site": "b"},
    }
    found = resolved({"model": {"source": SOURCE}, "placement": placement})
    assert isinstance(found, Resolved)
    assert found.revision.placement.document() == {
        "architectures": ["amd64"],
        "nodeSelector": {"node.kubernetes.io/instance-type": "pi", "site": "b"},
        "tolerations": [],
    }
