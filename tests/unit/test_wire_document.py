"""A note is added to an answer, and no other byte of it changes its meaning or its spelling."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire import v1, v2
from hune.dataplane.wire.document import (
    NotAnObjectError,
    add_members,
    check_object,
    read_members,
)

NOTE = {"prediction_id": "01890a5d", "model_version": "income-7"}
V2_NOTE = {"hune_prediction_id": "01890a5d", "hune_model_version": "income-7"}

SPACE = st.text(" \t\r\n", max_size=3)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
SCALARS = st.one_of(
    NUMBERS, st.sampled_from(["true", "false", "null"]), st.text("ab", max_size=4).map(json.dumps)
)


def joined(kind: str, parts: list[str], space: str) -> str:
    return kind[0] + space + f"{space},{space}".join(parts) + space + kind[1]


def objects(keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects as text, with every spelling of space and number that JSON allows."""
    members = st.dictionaries(keys, values, max_size=4)
    return st.builds(
        lambda named, space: joined(
            "{}", [f"{json.dumps(k)}{space}:{space}{v}" for k, v in named.items()], space
        ),
        members,
        SPACE,
    )


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(joined, st.just("[]"), st.lists(inner, max_size=4), SPACE),
        objects(st.sampled_from(["parameters", "hune", "data", "ä", 'q"']), inner),
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(["outputs", "predictions", "id", "model_name", "ä", 'q"', "}"])
ANSWERS = objects(KEYS, VALUES)
PARAMETERS = objects(st.sampled_from(["n", "hune_model_version", "}"]), VALUES)


def spelled(document: bytes) -> dict[str, bytes]:
    return {key: bytes(value) for key, value in read_members(document).items()}


@given(ANSWERS, SPACE, SPACE)
def test_v2_values_keep_their_bytes(answer: str, before: str, after: str) -> None:
    body = (before + answer + after).encode()
    noted = spelled(v2.annotate(body, NOTE))
    assert json.loads(noted.pop("parameters")) == V2_NOTE
    assert noted == spelled(body)


@given(ANSWERS)
def test_v2_without_parameters_keeps_every_byte(answer: str) -> None:
    body = answer.encode()
    noted = v2.annotate(body, NOTE)
    end = body.rindex(b"}")
    assert noted[:end] == body[:end]
    assert json.loads(noted) == {**json.loads(body), "parameters": V2_NOTE}


@given(ANSWERS, PARAMETERS, SPACE)
def test_v2_parameters_are_merged_and_keep_their_bytes(
    answer: str, parameters: str, space: str
) -> None:
    body = add_members(
        answer.encode(),
        read_members(answer.encode()),
        {"parameters": msgspec.Raw((space + parameters + space).encode())},
    )
    noted = spelled(v2.annotate(body, NOTE))
    merged = spelled(noted.pop("parameters"))
    assert {key: json.loads(value) for key, value in merged.items() if key in V2_NOTE} == V2_NOTE
    given_members = spelled(parameters.encode())
    assert {k: v for k, v in merged.items() if k not in V2_NOTE} == {
        k: v for k, v in given_members.items() if k not in V2_NOTE
    }
    assert noted == {k: v for k, v in spelled(body).items() if k != "parameters"}


@given(ANSWERS)
def test_v1_values_keep_their_bytes(answer: str) -> None:
    body = answer.encode()
    noted = spelled(v1.annotate(body, NOTE))
    assert json.loads(noted.pop("hune")) == NOTE
    assert noted == spelled(body)


@pytest.mark.parametrize("parameters", [b"{}", b"null", b"  null ", b"{ }"])
def test_empty_parameters_become_the_note(parameters: bytes) -> None:
    body = b'{"outputs":[1.0],"parameters":' + parameters + b"}"
    assert json.loads(v2.annotate(body, NOTE))["parameters"] == V2_NOTE


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{", b'{"a":NaN}', b"{}{}", b'{"parameters":[]}', b"\xff"]
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnObjectError):
        v2.annotate(body, NOTE)


def test_a_predictor_cannot_speak_for_the_guard() -> None:
    body = b'{"hune":{"prediction_id":"forged"},"predictions":[1.50]}'
    noted = v1.annotate(body, NOTE)
    assert json.loads(noted)["hune"] == NOTE
    assert b"1.50" in noted


@given(VALUES)
def test_json_in_any_spelling_is_accepted(value: str) -> None:
    check_object(b'{"inputs":' + value.encode() + b"}")


@given(st.one_of(st.binary(max_size=30), st.text('{}[]:,"1a-. \\nul', max_size=12).map(str.encode)))
def test_what_python_would_not_read_is_refused(raw: bytes) -> None:
    if not is_object(raw):
        with pytest.raises(NotAnObjectError):
            check_object(raw)


def is_object(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw.decode(), parse_constant=refuse), dict)
    except ValueError:
        return False


def refuse(constant: str) -> Any:
    raise ValueError(constant)


def test_a_body_of_many_keys_or_of_wide_characters_is_checked_in_little_memory() -> None:
    keys = b"{" + b",".join(b'"%d":0' % number for number in range(200_000)) + b"}"
    wide = b'{"a":"' + "\U0001f600".encode() + b"a" * (4 << 20) + b'"}'
    tracemalloc.start()
    check_object(keys)
    check_object(wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 << 20


@pytest.mark.parametrize("before", [0, (1 << 20) - 1, (1 << 20) - 3, (1 << 20) + 5, 3 << 20])
def test_what_is_no_utf_8_is_found_wherever_it_stands(before: int) -> None:
    good = b'{"a":"' + b"a" * before + "\U0001f600".encode()
    check_object(good + b'"}')
    with pytest.raises(NotAnObjectError, match=rf"byte {len(good)}\)"):
        check_object(good + b'\xff"}')
    with pytest.raises(NotAnObjectError, match=rf"byte {len(good) - 4}\)"):
        check_object(good[:-1] + b'"}')
