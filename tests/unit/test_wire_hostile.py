"""Whatever a body holds, the decoder says what is wrong and where, in little memory."""

import json
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.tensor import Tensor, WireError
from hune.dataplane.wire.v1_request import read_v1
from hune.dataplane.wire.v2_request import read_v2
from tests.support.hostile import BODIES, Body, columns, data, instances, raw, text, v2

MEBIBYTE = 1 << 20


def read(body: Body) -> tuple[Tensor, ...]:
    if body.protocol == "V1":
        return read_v1(body.sent)
    return read_v2(body.sent, body.json_length)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.protocol} {body.reason}")
def test_a_hostile_body_is_told_why(body: Body) -> None:
    with pytest.raises(WireError) as refused:
        read(body)
    assert body.said in str(refused.value)
    assert len(str(refused.value)) < 400


def test_there_are_enough_cases() -> None:
    assert len(BODIES) >= 200
    assert len({(body.protocol, body.sent, body.json_length) for body in BODIES}) == len(BODIES)


def one(count: int) -> str:
    return json.dumps({"name": "x" * count, "shape": [0], "datatype": "INT8", "data": []})


FLOODS = [
    data("zeros", "[" + "0," * (1 << 20) + "0]", "", "FP64", f"[{(1 << 20) + 1}]"),
    data("rows", "[" + "[0]," * (1 << 20) + "[0]]", "", "FP64", f"[{(1 << 20) + 1},1]"),
    data("holes", "[" + "[]," * (1 << 20) + "[]]", "", "FP64", f"[{(1 << 20) + 1},0]"),
    data("nulls", "[" + "null," * (1 << 20) + "0]", "", "FP32", f"[{(1 << 20) + 1}]"),
    data("texts", "[" + '"ab",' * 500_000 + '""]', "", "BYTES", "[500001]"),
    data("rows of texts", "[" + '["ab"],' * 250_000 + '[""]]', "", "BYTES", "[250001,1]"),
    data("one wide text", '["' + "a" * MEBIBYTE + '\U0001f600"]', "", "BYTES", "[1]"),
    data("a misfit behind zeros", "[" + "0," * (1 << 20) + "true]", "", "FP64", "[1]"),
    text("inputs", '{"inputs":[' + ",".join(one(count) for count in range(1, 2000)) + "]}", ""),
    text("braces", '{"inputs":[' + "{}," * (1 << 20) + "{}]}", ""),
    text(
        "axes", f'{{"inputs":[{{"name":"x","datatype":"FP32","shape":[{"1," * MEBIBYTE}1]}}]}}', ""
    ),
    text("keys", "{" + ",".join(f'"{k}":0' for k in range(300_000)) + "}", ""),
    text("keys of V1", "{" + ",".join(f'"{k}":0' for k in range(300_000)) + "}", "", "V1"),
    v2("a claimed shape", "", shape=[2**40]),
    raw("a claimed size", "", b"", 2**40, shape=[2**38]),
    raw("claimed texts", "", b"\0" * 8, 8, "BYTES", [2**40]),
    raw("texts of nothing", "", b"\0" * 4 * (1 << 19), 4 * (1 << 19), "BYTES", [1 << 19]),
    instances("numbers", "[" + "[0,0]," * (1 << 19) + "[0,0]]", ""),
    instances("objects", "[" + '{"a":"b"},' * 250_000 + '{"a":"b"}]', ""),
    instances("empty objects", "[" + "{}," * 250_000 + "{}]", ""),
    instances("mixed", "[" + '[0,"a"],' * 170_000 + '[0,"a"]]', ""),
    columns("columns", "{" + ",".join(f'"{k}":[]' for k in range(200_000)) + "}", ""),
]


@pytest.mark.parametrize("body", FLOODS, ids=lambda body: body.reason)
def test_memory_is_bounded_by_the_body(body: Body) -> None:
    """Ten times the body, and what the greatest number of Python's objects takes."""
    read(data("warm up", "[1,2]", ""))
    tracemalloc.start()
    with suppress(WireError):
        table_of(read(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(body.sent) + 80 * MEBIBYTE


def test_a_binary_tensor_is_a_view_of_the_body() -> None:
    values = np.zeros(1 << 20, np.float32)
    body = raw("large", "", values.tobytes(), values.nbytes, shape=[1 << 10, 1 << 10])
    tracemalloc.start()
    table = table_of(read(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.matrix is not None
    assert table.matrix.shape == (1 << 10, 1 << 10)
    assert not table.matrix.flags.writeable
    assert peak < 64 << 10
