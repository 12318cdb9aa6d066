"""What a Seldon component answers is a V2 answer, or it is said why it cannot be one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire.array import MAXIMUM_OBJECTS
from hune.dataplane.wire.seldon_answer import read_failure, translate_answer
from hune.dataplane.wire.tensor import WireError

NAN = float("nan")
# As json.dumps writes any Python object: NaN, large integers and halves of characters too.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.characters(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)


def translated(message: Any, identity: str = "") -> Any:
    return json.loads(translate_answer(json.dumps(message).encode(), "income", identity))


def output(datatype: str, shape: list[int], data: list[Any], name: str = "predict") -> Any:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


@pytest.mark.parametrize(
    ("reason", "message", "outputs"),
    [
        (
            "numbers in rows",
            {"data": {"names": [], "ndarray": [[0.5, 1], [NAN, 2]]}},
            [output("FP64", [2, 2], [0.5, 1.0, None, 2.0])],
        ),
        (
            "a tensor",
            {"data": {"tensor": {"shape": [1, 2], "values": [0.1, 0.9]}}},
            [output("FP64", [1, 2], [0.1, 0.9])],
        ),
        ("labels", {"data": {"ndarray": [1, 0]}}, [output("INT64", [2], [1, 0])]),
        ("words", {"data": {"ndarray": ["a", "b"]}}, [output("BYTES", [2], ["a", "b"])]),
        ("no rows", {"data": {"ndarray": []}}, [output("FP64", [0], [])]),
        (
            "classes have names",
            {"data": {"names": ["no", "yes"], "ndarray": [[0.25, 0.75]]}},
            [output("FP64", [1, 2], [0.25, 0.75]) | {"parameters": {"names": "no,yes"}}],
        ),
        (
            "columns of different types, each with its name",
            {"data": {"names": ["word", "sure"], "ndarray": [["a", 0.5], ["b", 1.0]]}},
            [
                output("BYTES", [2], ["a", "b"], "word"),
                output("FP64", [2], [0.5, 1.0], "sure"),
            ],
        ),
        (
            "columns of different types without names",
            {"data": {"names": ["t:0"], "ndarray": [["a", 1]]}},
            [output("BYTES", [1], ["a"], "predict-0"), output("INT64", [1], [1], "predict-1")],
        ),
        (
            "one text",
            {"strData": "hello"},
            [output("BYTES", [1], ["hello"]) | {"parameters": {"content_type": "str"}}],
        ),
        (
            "any JSON",
            {"jsonData": {"a": [1, None]}},
            [output("BYTES", [1], ['{"a":[1,null]}']) | {"parameters": {"content_type": "json"}}],
        ),
        (
            "bytes",
            {"binData": "aGk="},
            [output("BYTES", [1], ["aGk="]) | {"parameters": {"content_type": "base64"}}],
        ),
    ],
)
def test_an_answer_becomes_outputs(reason: str, message: Any, outputs: list[Any]) -> None:
    assert translated(message) == {"model_name": "income", "outputs": outputs}, reason


def test_tags_and_the_id_stand_beside_the_outputs() -> None:
    message = {"data": {"ndarray": [1]}, "meta": {"tags": {"k": 3, "path": ["a", "b"]}}}
    found = translated(message, "7")
    assert found["id"] == "7"
    assert found["parameters"] == {"k": 3, "path": '["a","b"]'}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"{}", "has no data"),
        (b'{"data":{}}', "let predict return a numpy array"),
        (b'{"data":{"tftensor":{}}}', "let predict return a numpy array"),
        (b'{"data":{"tensor":{"shape":[2],"values":[1]}}}', "values that fill the shape [2]"),
        (b'{"data":{"tensor":{"shape":"2","values":[1]}}}', "must have a shape"),
        (b'{"data":{"ndarray":[[1],[1,2]]}}', "is ragged"),
        (b'{"data":{"ndarray":[1,"a"]}}', "mixes numbers, texts and others"),
        (b'{"data":{"ndarray":[["a",1],[2,"b"]]}}', "column predict-0 mixes"),
        (b'{"data":{"ndarray":[{"a":1}]}}', "mixes numbers, texts and others"),
        (b'{"data":{"ndarray":[1' + b"0" * 400 + b"]}}", "data: holds a number that does not fit"),
        (b'{"strData":"\\ud800"}', "cannot be written as JSON"),
        (b'{"data":{"ndarray":[' + b"1," * MAXIMUM_OBJECTS + b"1]}}", "send smaller batches"),
    ],
)
def test_what_v2_cannot_say_is_named(body: bytes, said: str) -> None:
    with pytest.raises(WireError) as error:
        translate_answer(body, "income")
    assert said in str(error.value)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "data": st.fixed_dictionaries({"ndarray": JSON}),
            "jsonData": JSON,
            "strData": JSON,
            "meta": st.fixed_dictionaries({"tags": JSON}),
        },
    )
)
def test_no_answer_breaks_the_guard(message: dict[str, Any]) -> None:
    try:
        found = translated(message)
    except WireError:
        return
    assert found["outputs"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"status":{"code":-1,"info":"64 pixels","reason":"BAD_DATA","status":1}}',
            "BAD_DATA: 64 pixels",
        ),
        (b'{"status":{"info":"64 pixels"}}', "64 pixels"),
        (b'{"status":{"info":' + b'"' + b"x" * 5000 + b'"}}', "x" * 1000),
        (b'{"status":"FAILURE"}', ""),
        (b"<h1>Internal Server Error</h1>", ""),
        (b"", ""),
    ],
)
def test_a_failure_is_told_in_the_component_s_words(body: bytes, said: str) -> None:
    assert read_failure(body) == said
