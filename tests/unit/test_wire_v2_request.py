"""What any program encodes by the V2 protocol is decoded to the same tensors."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.tensor import DATATYPES, WireError
from hune.dataplane.wire.v2_request import read_v2
from tests.support.hostile import BODIES, Body
from tests.support.tensors import DTYPES, Array, Sent, body_of

REFUSED = "refused"
FLOATS = {
    "FP16": st.floats(width=16, allow_nan=False, allow_infinity=False),
    "FP32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "FP64": st.floats(width=64, allow_nan=False, allow_infinity=False),
}


def elements(datatype: str) -> st.SearchStrategy[Any]:
    if datatype == "BYTES":
        return st.text(max_size=5)
    if datatype == "BF16":
        # Numbers of which BF16 keeps every bit.
        return st.integers(0, 0x7F7F).map(
            lambda half: np.array([half << 16], "<u4").view("<f4")[0].item()
        )
    if datatype in FLOATS:
        return FLOATS[datatype]
    return arrays.from_dtype(np.dtype(DTYPES[datatype]))


@st.composite
def tensors(draw: st.DrawFn, name: str, datatypes: st.SearchStrategy[str]) -> Sent:
    datatype = draw(datatypes)
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    values: Array = draw(
        arrays.arrays(np.dtype(DTYPES[datatype]), shape, elements=elements(datatype))
    )
    binary, nested = draw(st.booleans()), draw(st.booleans())
    # Nested, [2, 0, 3] and [2, 0] are written alike; such an array is sent flat.
    return Sent(name, datatype, values, binary=binary, nested=nested and values.size > 0)


REQUESTS = st.integers(1, 3).flatmap(
    lambda count: st.tuples(
        *(tensors(f"x{position}", st.sampled_from(list(DTYPES))) for position in range(count))
    )
)


def test_every_datatype_is_known() -> None:
    assert DATATYPES.keys() == DTYPES.keys()


@given(REQUESTS)
def test_what_was_sent_is_read(sent: tuple[Sent, ...]) -> None:
    body, length = body_of("inputs", sent, id="7", parameters={"binary_data_output": True})
    read = read_v2(body, length)
    assert [(tensor.name, tensor.datatype) for tensor in read] == [
        (tensor.name, tensor.datatype) for tensor in sent
    ]
    for tensor, meant in zip(read, sent, strict=True):
        assert tensor.shape == tensor.values.shape == meant.values.shape
        assert tensor.values.dtype == np.dtype(DTYPES[tensor.datatype])
        np.testing.assert_array_equal(tensor.values, meant.values)


VALID = [
    body_of("inputs", [sent])
    for sent in (
        Sent("x", "FP32", np.array([[0.5, 1.0], [2.0, 3.0]]), nested=True),
        Sent("x", "FP32", np.array([[0.5, 1.0], [2.0, 3.0]]), binary=True),
        Sent("x", "INT8", np.array([1, -2])),
        Sent("x", "BYTES", np.array(["a", "bc"], dtype=object), binary=True),
        Sent("x", "BYTES", np.array([["a", "bc"]], dtype=object), nested=True),
    )
] + [(body.sent, body.json_length) for body in BODIES if len(body.sent) < 1000]


@given(st.sampled_from(VALID), st.data())
def test_nothing_but_a_wire_error_is_raised(
    start: tuple[bytes, int | None], data: st.DataObject
) -> None:
    body, length = start
    mutable = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutable)))
        end = data.draw(st.integers(at, min(at + 3, len(mutable))))
        mutable[at:end] = data.draw(
            st.one_of(
                st.binary(max_size=4), st.text('{}[]",:-0129.eE ', max_size=3).map(str.encode)
            )
        )
    if length is not None:
        length = data.draw(st.integers(0, len(mutable)))
    with suppress(WireError):
        assert table_of(read_v2(bytes(mutable), length)).rows >= 0


@pytest.mark.parametrize(
    ("datatype", "data", "values"),
    [
        ("FP32", [1, None, 2.5], [1, np.nan, 2.5]),
        ("FP64", [None], [np.nan]),
        ("FP16", [65504, 65519, None], [65504, 65504, np.nan]),
        ("FP32", [3.4028235e38, -3.4028235e38], [np.finfo("f4").max, np.finfo("f4").min]),
        ("FP64", [1.7976931348623157e308, 5e-324, -0.0], [np.finfo("f8").max, 5e-324, -0.0]),
        ("FP32", [123456789012345678901234567890], [123456789012345678901234567890.0]),
        ("UINT64", [0, 2**64 - 1], [0, 2**64 - 1]),
        ("INT64", [-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        ("BF16", [0.5, None], [0.5, np.nan]),
    ],
)
def test_json_reaches_the_ends_of_a_datatype(
    datatype: str, data: list[Any], values: list[Any]
) -> None:
    given_input = {"name": "x", "shape": [len(data)], "datatype": datatype, "data": data}
    [tensor] = read_v2(json.dumps({"inputs": [given_input]}).encode())
    expected = np.array(values, DTYPES[datatype])
    np.testing.assert_array_equal(tensor.values, expected)
    assert (np.signbit(tensor.values.astype("f8")) == np.signbit(expected.astype("f8"))).all()


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("datatype", ["FP64", "INT32", "BOOL", "BYTES"])
def test_a_long_array_is_the_same_as_a_short_one(datatype: str, nested: bool) -> None:  # noqa: FBT001
    values = (np.arange(40_000) % 2).astype(DTYPES[datatype]).reshape(100, 400)
    if datatype == "BYTES":
        values = np.array([f"{value}" for value in values.ravel()], object).reshape(values.shape)
    body, _ = body_of("inputs", [Sent("x", datatype, values, nested=nested)])
    [tensor] = read_v2(body)
    np.testing.assert_array_equal(tensor.values, values)


def test_white_space_and_unknown_members_do_not_matter() -> None:
    [tensor] = read_v2(
        b' { "id":"7", "extra": [1], "inputs" : [ { "extra":{}, "data" : [\n[ 1 ,\t2 ] , [3,4 ] ] ,'
        b' "parameters":{"content_type":"np"},"datatype":"INT8", "shape" : [ 2 , 2 ],"name":"x"}]}'
    )
    assert tensor.values.tolist() == [[1, 2], [3, 4]]


def test_texts_that_are_not_utf_8_stay_bytes() -> None:
    values = np.array([b"\xff\xfe", b"ok"], dtype=object)
    body, length = body_of("inputs", [Sent("x", "BYTES", values, binary=True)])
    [tensor] = read_v2(body, length)
    assert tensor.values.tolist() == [b"\xff\xfe", "ok"]


def test_nan_and_infinity_may_be_sent_as_binary_tensors() -> None:
    values = np.array([np.nan, np.inf, -np.inf], np.float32)
    body, length = body_of("inputs", [Sent("x", "FP32", values, binary=True)])
    np.testing.assert_array_equal(read_v2(body, length)[0].values, values)


@given(REQUESTS)
def test_short_and_long_requests_are_read_alike(sent: tuple[Sent, ...]) -> None:
    body, _ = body_of("inputs", [replace(one, binary=False) for one in sent])
    assert outcome(body) == outcome(lengthened(body)) != REFUSED


@pytest.mark.parametrize(
    "more",
    ['"parameters":{"content_type":"np"}', '"parameters":null', '"unit":"mm"'],
)
def test_short_and_long_requests_may_say_more_of_an_input(more: str) -> None:
    body = b'{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2],%b}]}'
    assert outcome(body % more.encode()) == outcome(lengthened(body % more.encode())) != REFUSED


@pytest.mark.parametrize("case", [body for body in BODIES if body.json_length is None], ids=str)
def test_short_and_long_bodies_are_refused_alike(case: Body) -> None:
    assert outcome(case.sent) == outcome(lengthened(case.sent))


def lengthened(body: bytes) -> bytes:
    """White space behind a request means nothing, but makes it too long to be read at once."""
    return body + b" " * (1 << 16)


def outcome(body: bytes) -> object:
    try:
        tensors = read_v2(body)
    except WireError:
        return REFUSED
    return [(one.name, one.datatype, one.shape, repr(one.values)) for one in tensors]


def test_a_scalar_has_no_rows() -> None:
    [tensor] = read_v2(b'{"inputs":[{"name":"x","shape":[],"datatype":"FP32","data":[1.5]}]}')
    assert tensor.values.item() == 1.5
    with pytest.raises(WireError, match="input x: has the shape"):
        table_of([tensor])
