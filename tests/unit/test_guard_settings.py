import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.guard import DetectorSettings, GuardSettings

SETTINGS = GuardSettings(
    deployment="income",
    namespace="shop",
    model_version="income-7",
    revision="income-624050a8",
    protocol="V2",
    predictor_port=8080,
)
TEXT = (
    '{"deployment": "income", "modelVersion": "income-7", "namespace": "shop", '
    '"predictorPort": 8080, "protocol": "V2", "revision": "income-624050a8"}'
)
DETECTOR = {"uri": "s3://m/o", "path": "/mnt/hune/outliers", "digest": "sha256:" + "a1" * 32}


def test_the_text_is_the_same_for_the_same_settings() -> None:
    assert SETTINGS.to_json() == TEXT
    assert GuardSettings.from_json(TEXT) == SETTINGS


def test_what_a_later_release_adds_is_passed_over() -> None:
    assert GuardSettings.from_json(json.dumps(json.loads(TEXT) | {"later": 1})) == SETTINGS


def test_what_has_its_default_may_be_given_too() -> None:
    absent = {"outliers": None, "adversarial": None}
    document = json.loads(TEXT) | {"arm": "", "draining": False, "access": {}} | absent
    assert GuardSettings.from_json(json.dumps(document)) == SETTINGS


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("deployment", "Income", "deployment 'Income' is no Kubernetes name"),
        ("deployment", 7, "deployment must be str"),
        ("modelVersion", "a\r\nSet-Cookie: x", "is no Kubernetes name"),
        ("modelVersion", "a\n", "is no Kubernetes name"),
        ("arm", "a b", "arm 'a b' is no Kubernetes name"),
        ("revision", "", "revision '' is no Kubernetes name"),
        ("protocol", "V3", "protocol must be one of V1, V2"),
        ("predictorPort", 0, "predictorPort must be 1 to 65535"),
        ("predictorPort", 65536, "predictorPort must be 1 to 65535"),
        ("predictorPort", True, "predictorPort must be int"),
        ("predictorPort", "8080", "predictorPort must be int"),
        ("draining", "no", "draining must be bool"),
        ("draining", 1, "draining must be bool"),
        ("failurePolicy", "Ajar", "failurePolicy must be one of Open, Closed"),
        ("explainer", {"host": "a b"}, "explainer.host 'a b' is no host name"),
        ("explainer", {"host": "a\r\nx: y"}, "is no host name"),
        ("explainer", {"port": 0}, "explainer.port must be 1 to 65535"),
        ("explainer", {"timeLimitSeconds": 0}, "explainer.timeLimitSeconds must be 1 to 600"),
        ("explainer", {"timeLimitSeconds": 1.5}, "timeLimitSeconds must be int"),
        ("outliers", 7, "outliers must be a JSON object"),
        ("outliers", {}, "outliers: uri, path, digest is missing"),
        ("outliers", DETECTOR | {"path": 7}, "outliers: path must be str"),
        ("outliers", DETECTOR | {"onDetect": "Block"}, "outliers.onDetect must be one of Flag, R"),
        ("adversarial", {}, "adversarial: uri, path, digest is missing"),
        ("adversarial", DETECTOR | {"onDetect": "No"}, "adversarial.onDetect must be one of Fl"),
        ("outliers", DETECTOR | {"threshold": "1e9"}, "outliers.threshold must be a decimal"),
        ("access", "Open", "access must be a JSON object"),
        ("access", {"mode": "open"}, "access: mode must be one of Authorized, Authenticated, Open"),
        ("access", {"authorizer": "x"}, "access: authorizer 'x' is no host and port"),
        ("access", {"authorizer": "x:0"}, "access: authorizer 'x:0' is no host and port"),
    ],
)
def test_a_value_without_sense_is_named(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GuardSettings.from_json(json.dumps(json.loads(TEXT) | {field: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        GuardSettings.from_json(text)


def test_missing_fields_are_named_as_they_are_written() -> None:
    with pytest.raises(ValueError, match="modelVersion, predictorPort is missing"):
        GuardSettings.from_json(
            '{"deployment": "a", "namespace": "b", "revision": "c", "protocol": "V2"}'
        )


def test_a_detector_comes_back_as_it_went() -> None:
    detector = DetectorSettings("s3://m/o", "/mnt/hune/outliers", "sha256:" + "a1" * 32, "Reject")
    settings = replace(SETTINGS, outliers=detector, adversarial=detector, failure_policy="Closed")
    assert GuardSettings.from_json(settings.to_json()) == settings


names = st.from_regex(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?", fullmatch=True)


@given(names, names, st.sampled_from(["V1", "V2"]), st.integers(1, 65535), st.booleans())
def test_settings_come_back_as_they_went(
    name: str,
    version: str,
    protocol: str,
    port: int,
    draining: bool,  # noqa: FBT001
) -> None:
    settings = replace(
        SETTINGS,
        deployment=name,
        model_version=version,
        protocol=protocol,
        predictor_port=port,
        draining=draining,
    )
    assert GuardSettings.from_json(settings.to_json()) == settings
