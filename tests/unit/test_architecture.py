"""An image without a build for the chosen architecture is refused, with the ways out named."""

from typing import Any

import pytest

from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import Resolved, parse_spec, resolve
from hune.controlplane.policy.observed import Observed
from hune.controlplane.settings import Settings
from tests.support.generate_specs import SOURCE, merged

OWNER = Owner("hune.dev/v1alpha1", "ModelDeployment", "income", "shop", "u", 1)
SKLEARN: dict[str, Any] = {"model": {"source": SOURCE}}
ONNX = merged(SKLEARN, {"model": {"source": {"format": "onnx"}}})
TENSORFLOW = merged(SKLEARN, {"model": {"source": {"format": "tensorflow"}}})
V1: dict[str, Any] = {"serving": {"protocol": "V1"}}
CUSTOM: dict[str, Any] = {"serving": {"container": {"image": "example.org:5000/scorer:1"}}}
EXPLAINER = {
    "explainer": {"method": "TreeShap", "uri": "s3://models/e", "digest": SOURCE["digest"]}
}
EDGE = {"placement": {"class": "EdgeArm", "profile": "Full"}}
TABLE = {
    "architectures": {"images": {"example.org:5000/scorer": ["amd64", "arm64"]}},
    "placementClasses": {
        "EdgeArm": {"architectures": ["arm64"]},
        "Gpu": {"architectures": ["amd64"]},
    },
}


def on(*architectures: str) -> dict[str, Any]:
    return {"placement": {"architectures": list(architectures)}}


def found(*parts: dict[str, Any], settings: dict[str, Any] | None = None) -> Resolved | Problem:
    spec: dict[str, Any] = {}
    for part in parts:
        spec = merged(spec, part)
    parsed = parse_spec({"metadata": {"name": "income", "namespace": "shop"}, "spec": spec})
    assert not isinstance(parsed, Problem), parsed
    return resolve(OWNER, parsed, Observed(), Settings.model_validate(settings or {}))


@pytest.mark.parametrize(
    ("why", "parts", "reason", "message"),
    [
        (
            "another architecture, protocol or profile would do",
            (SKLEARN, on("arm64")),
            "NoBuildForArchitecture",
            (
                "spec.placement.architectures [arm64]: runtime 'kserve-mlserver' has no build for "
                "[arm64], only for [amd64]; set spec.placement.architectures to [amd64], or "
                "spec.serving.protocol to V1, whose kserve-sklearnserver has one, or "
                "spec.placement.profile to Lite, once `hune convert` made ONNX of the model"
            ),
        ),
        (
            "the scheduler may take either",
            (SKLEARN, on("arm64", "amd64")),
            "NoBuildForArchitecture",
            "has no build for [arm64], only for [amd64]; set",
        ),
        (
            "the class is named",
            (SKLEARN, EDGE),
            "NoBuildForArchitecture",
            "spec.placement.class 'EdgeArm': runtime 'kserve-mlserver' has no build for [arm64]",
        ),
        (
            "no other protocol for a runtime that the user named, and none converts it",
            (TENSORFLOW, {"serving": {"runtime": "kserve-torchserve"}}, on("arm64")),
            "NoBuildForArchitecture",
            "only for [amd64]; set spec.placement.architectures to [amd64]",
        ),
        (
            "neither has Hune a build",
            (CUSTOM, on("s390x")),
            "NoBuildForArchitecture",
            (
                "Hune's image 'guard' has no build for [s390x], only for [amd64, arm64]; set "
                "spec.placement.architectures to [amd64, arm64]"
            ),
        ),
        (
            "nor of the explainer's image, which Lite would not run either",
            (SKLEARN, V1, EXPLAINER, on("arm64")),
            "NoBuildForArchitecture",
            (
                "Hune's image 'explainer' has no build for [arm64], only for [amd64]; set "
                "spec.placement.architectures to [amd64]"
            ),
        ),
        (
            "nor of the Lite image",
            (ONNX, {"placement": {"profile": "Lite"}}, on("arm")),
            "NoBuildForArchitecture",
            (
                "Hune's image 'lite' has no build for [arm], only for [amd64, arm64]; set "
                "spec.placement.architectures to [amd64, arm64]"
            ),
        ),
        (
            "nobody knows an image of one's own",
            (CUSTOM, {"placement": {"class": "EdgeArm"}}),
            "ArchitecturesUnknown",
            (
                "spec.placement.class 'EdgeArm': Hune does not know whether image "
                "'example.org:5000/scorer:1' has a build for [arm64]; set "
                "spec.placement.architectures to those it has a build for"
            ),
        ),
        (
            "nobody knows which runtime KServe takes",
            (ONNX, EDGE),
            "ArchitecturesUnknown",
            (
                "whether the runtime that KServe chooses for format 'onnx' has a build for "
                "[arm64]; set spec.placement.architectures to those it has a build for, or "
                "spec.placement.profile to Lite"
            ),
        ),
    ],
)
def test_it_is_refused_with_the_ways_out(
    why: str, parts: tuple[dict[str, Any], ...], reason: str, message: str
) -> None:
    problem = found(*parts)
    assert isinstance(problem, Problem), why
    assert problem.reason == reason
    assert message in problem.message


@pytest.mark.parametrize(
    ("why", "parts"),
    [
        ("none is chosen", (SKLEARN,)),
        ("none is chosen for an image that nobody knows", (CUSTOM,)),
        ("it has a build", (SKLEARN, on("amd64"))),
        ("the other protocol's runtime has one", (SKLEARN, V1, EDGE)),
        ("the user says that it has", (CUSTOM, on("arm64"))),
        ("the user says so, and where to go", (CUSTOM, on("arm64"), EDGE)),
        ("the user says so of a runtime of their own", (ONNX, on("arm64"))),
        ("Lite goes everywhere", (ONNX, {"placement": {"profile": "Lite"}}, on("arm64", "amd64"))),
    ],
)
def test_it_is_accepted(why: str, parts: tuple[dict[str, Any], ...]) -> None:
    assert isinstance(found(*parts), Resolved), why


def test_the_platform_knows_images_of_its_own() -> None:
    edge = {"placement": {"class": "EdgeArm"}}
    assert isinstance(found(CUSTOM, edge, settings=TABLE), Resolved)
    problem = found(CUSTOM, on("s390x"), settings=TABLE)
    assert isinstance(problem, Problem)
    assert "only for [amd64, arm64]" in problem.message
    by_digest = {"serving": {"container": {"image": "example.org:5000/scorer@sha256:00"}}}
    assert isinstance(found(by_digest, edge, settings=TABLE), Resolved)


def test_any_image_is_taken_to_have_the_usual_build() -> None:
    assert isinstance(found(CUSTOM, {"placement": {"class": "Gpu"}}, settings=TABLE), Resolved)
    usual = TABLE | {"architectures": {"unknown": ["arm64"]}}
    assert isinstance(found(CUSTOM, {"placement": {"class": "EdgeArm"}}, settings=usual), Resolved)
    assert isinstance(found(CUSTOM, {"placement": {"class": "Gpu"}}, settings=usual), Problem)
