"""The inputs of a V2 request reach a Seldon component as the arrays that they are."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire.array import MAXIMUM_OBJECTS
from hune.dataplane.wire.seldon_request import build_seldon_request
from hune.dataplane.wire.tensor import Tensor, WireError
from hune.dataplane.wire.v2_request import read_v2

NAN = float("nan")


def tensor(name: str, datatype: str, data: list[Any], *shape: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape), "data": data}


def message_of(*tensors: dict[str, Any]) -> Any:
    body = json.dumps({"inputs": tensors}).encode()
    # Python's own reader, as in the component.
    return json.loads(build_seldon_request(read_v2(body)))


@pytest.mark.parametrize(
    ("reason", "tensors", "names", "ndarray"),
    [
        (
            "a matrix keeps its shape",
            [tensor("x", "FP64", [1, 2.5, 3, 4], 2, 2)],
            [],
            [[1.0, 2.5], [3.0, 4.0]],
        ),
        ("integers stay integers", [tensor("x", "INT32", [1, 2], 1, 2)], [], [[1, 2]]),
        ("so does an image", [tensor("x", "UINT8", [1, 2], 1, 2, 1)], [], [[[1], [2]]]),
        ("texts", [tensor("x", "BYTES", ["a", "é"], 2)], [], ["a", "é"]),
        ("booleans", [tensor("x", "BOOL", [True, False], 2, 1)], [], [[True], [False]]),
        (
            "columns of different types become rows with names",
            [tensor("age", "INT64", [39, 50], 2), tensor("job", "BYTES", ["a", "b"], 2, 1)],
            ["age", "job"],
            [[39, "a"], [50, "b"]],
        ),
        ("no rows", [tensor("x", "FP32", [], 0, 3)], [], []),
    ],
)
def test_inputs_become_an_array(
    reason: str, tensors: list[dict[str, Any]], names: list[str], ndarray: list[Any]
) -> None:
    assert message_of(*tensors) == {"data": {"names": names, "ndarray": ndarray}}, reason


def test_what_is_not_known_is_not_a_number_to_numpy() -> None:
    rows = np.array(message_of(tensor("x", "FP64", [1, None], 1, 2))["data"]["ndarray"])
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, [[1, NAN]])


def test_the_id_travels() -> None:
    given = (Tensor("x", "FP64", (1,), np.ones(1)),)
    assert json.loads(build_seldon_request(given, 'a"7'))["meta"] == {"puid": 'a"7'}


@pytest.mark.parametrize(
    ("reason", "tensors", "said"),
    [
        (
            "columns of different lengths",
            (Tensor("a", "FP64", (1,), np.ones(1)), Tensor("b", "FP64", (2,), np.ones(2))),
            "input b: has the shape [2]",
        ),
        (
            "no text",
            (Tensor("a", "BYTES", (1,), np.array([b"\xff"], dtype=object)),),
            "input a: holds bytes that are not UTF-8",
        ),
        (
            "more than Python should hold",
            (Tensor("a", "FP32", (MAXIMUM_OBJECTS + 1,), np.ones(MAXIMUM_OBJECTS + 1)),),
            "send smaller batches",
        ),
    ],
)
def test_what_cannot_be_sent_is_named(reason: str, tensors: tuple[Tensor, ...], said: str) -> None:
    with pytest.raises(WireError) as error:
        build_seldon_request(tensors)
    assert said in str(error.value), reason


@given(st.lists(st.lists(st.floats(allow_infinity=False), min_size=2, max_size=2), min_size=1))
def test_every_number_arrives_as_it_was_sent(rows: list[list[float]]) -> None:
    values = np.array(rows)
    built = build_seldon_request((Tensor("x", "FP64", values.shape, values),))
    np.testing.assert_array_equal(json.loads(built)["data"]["ndarray"], values)
