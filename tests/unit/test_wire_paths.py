"""Which paths exist; what a hostile client makes of them is in tests/dataplane."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire.paths import (
    Endpoint,
    MalformedPathError,
    Route,
    UnknownPathError,
    find_route,
    show,
)

PREDICT_V1 = Route(Endpoint.PREDICT, "V1", "POST")
PREDICT_V2 = Route(Endpoint.PREDICT, "V2", "POST")
EXPLAIN_V1 = Route(Endpoint.EXPLAIN, "V1", "POST")
EXPLAIN_V2 = Route(Endpoint.EXPLAIN, "V2", "POST")
FEEDBACK_V2 = Route(Endpoint.FEEDBACK, "V2", "POST")
METADATA_V1 = Route(Endpoint.METADATA, "V1", "GET")
METADATA_V2 = Route(Endpoint.METADATA, "V2", "GET")
HEALTH_V2 = Route(Endpoint.HEALTH, "V2", "GET")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (b"/v1/models", METADATA_V1),
        (b"/v2", METADATA_V2),
        (b"/v2/health/live", HEALTH_V2),
        (b"/v2/health/ready", HEALTH_V2),
        (b"/hune/live", Route(Endpoint.LIVE, "", "GET")),
        (b"/hune/ready", Route(Endpoint.READY, "", "GET")),
        (b"/metrics", Route(Endpoint.METRICS, "", "GET")),
        (b"/openapi.json", Route(Endpoint.OPENAPI, "", "GET")),
        (b"/docs", Route(Endpoint.PAGE, "", "GET")),
    ],
)
def test_a_path_leads_where_the_protocols_say(path: bytes, route: Route) -> None:
    assert find_route(path) == replace(route, target=path)


@pytest.mark.parametrize(
    ("before", "after", "route"),
    [
        (b"/v2/models/", b"/infer", PREDICT_V2),
        (b"/v2/models/", b"/explain", EXPLAIN_V2),
        (b"/v2/models/", b"/feedback", FEEDBACK_V2),
        (b"/v1/models/", b":explain", EXPLAIN_V1),
        (b"/v2/models/", b"/ready", HEALTH_V2),
        (b"/v2/models/", b"", METADATA_V2),
        (b"/v1/models/", b":predict", PREDICT_V1),
        (b"/v1/models/", b"", METADATA_V1),
    ],
)
@pytest.mark.parametrize("model", ["income", "In.co_me~7-x", "versions", "7", "models"])
@pytest.mark.parametrize("version", ["7", "income-7", "versions", "infer", "models"])
def test_model_and_version_are_read_and_the_predictor_hears_of_no_version(
    before: bytes, after: bytes, route: Route, model: str, version: str
) -> None:
    target = before + model.encode() + after
    versioned = before + model.encode() + b"/versions/" + version.encode() + after
    expected = replace(route, model=model, target=target)
    assert find_route(target) == expected
    assert find_route(versioned) == replace(expected, version=version)


@pytest.mark.parametrize(
    "path",
    [
        b"/v2/models",
        b"/v2/models/income/versions",
        b"/v2/models/income/versions/7/8",
        b"/v2/models/income/versions/7/versions/7/infer",
        b"/v2/versions/7",
        b"/v1/models/income/versions:predict",
        b"/v1/models/income/infer",
        b"/v1",
        b"/v2/health",
    ],
)
def test_what_the_protocols_do_not_have_is_not_there(path: bytes) -> None:
    with pytest.raises(UnknownPathError):
        find_route(path)


@given(st.binary(max_size=60))
def test_an_unknown_path_is_refused_in_readable_words(path: bytes) -> None:
    with pytest.raises((MalformedPathError, UnknownPathError)) as refused:
        find_route(b"/x" + path)
    assert str(refused.value).isprintable()


@given(st.binary(max_size=1000))
def test_bytes_of_a_client_are_shown_short_and_printable(raw: bytes) -> None:
    shown = show(raw)
    assert shown.isprintable()
    assert len(shown) <= 4 * 200 + 3
