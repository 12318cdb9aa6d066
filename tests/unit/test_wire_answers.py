"""What is written as an answer is read as the same values by anybody else's reader."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hune.dataplane.wire.tensor import DATATYPES, Tensor, WireError
from hune.dataplane.wire.v1_answer import write_v1
from hune.dataplane.wire.v2_answer import write_v2
from hune.dataplane.wire.v2_wanted import Wanted, read_wanted
from tests.support.tensors import from_raw

NUMBERS = [d.name for d in DATATYPES.values() if d.name not in ("BF16", "BYTES")]


def tensor(name: str, datatype: str, values: Any) -> Tensor:
    array = np.asarray(values, dtype=DATATYPES[datatype].dtype)
    return Tensor(name, datatype, array.shape, array)


@given(data=st.data(), datatype=st.sampled_from(NUMBERS))
def test_numbers_come_back_bit_by_bit(data: st.DataObject, datatype: str) -> None:
    dtype = np.dtype(DATATYPES[datatype].dtype)
    shape = data.draw(arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    finite = arrays.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    values = data.draw(arrays.arrays(dtype, shape, elements=finite))
    sent = tensor("y", datatype, values)
    body, length = write_v2({"model_name": "m"}, [(sent, True), (sent, False)])
    assert length is not None
    first, second = json.loads(body[:length])["outputs"]
    assert first["parameters"]["binary_data_size"] == len(body) - length
    np.testing.assert_array_equal(from_raw(body[length:], datatype, shape), values)
    np.testing.assert_array_equal(np.array(second["data"], dtype).reshape(shape), values)


def test_texts_come_back_in_both_forms() -> None:
    sent = tensor("y", "BYTES", [["a", "ä€"], ["", "b"]])
    body, length = write_v2({}, [(sent, False), (sent, True)])
    assert json.loads(body[:length])["outputs"][0]["data"] == ["a", "ä€", "", "b"]
    assert from_raw(body[length:], "BYTES", [4]).tolist() == ["a", "ä€", "", "b"]


def test_json_says_null_for_what_it_has_no_number_for() -> None:
    sent = tensor("y", "FP32", [np.nan, np.inf, 1])
    body, length = write_v2({}, [(sent, False)])
    assert length is None
    assert json.loads(body)["outputs"][0]["data"] == [None, None, 1]


@pytest.mark.parametrize(
    ("outputs", "predictions"),
    [
        ([tensor("y", "FP64", [[1.5], [2]])], [[1.5], [2]]),
        (
            [tensor("a", "INT64", [1, 2]), tensor("b", "BYTES", ["x", "y"])],
            [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        ),
        (
            [tensor("a", "INT64", [1, 2]), tensor("b", "INT64", 7)],
            {"a": [1, 2], "b": 7},
        ),
    ],
)
def test_v1_has_a_prediction_per_row(outputs: list[Tensor], predictions: Any) -> None:
    assert json.loads(write_v1(outputs)) == {"predictions": predictions}


def test_a_request_says_what_it_wants() -> None:
    head = json.dumps(
        {
            "id": "7",
            "inputs": [],
            "parameters": {"binary_data_output": True, "more": 1},
            "outputs": [{"name": "b", "parameters": {"binary_data": False}}, {"name": "a"}],
        }
    ).encode()
    wanted = read_wanted(head)
    assert wanted == Wanted("7", {"b": False, "a": True}, binary=True)
    assert wanted.choose(["a", "b"]) == [(1, False), (0, True)]
    assert read_wanted(b"{}").choose(["a", "b"]) == [(0, False), (1, False)]
    with pytest.raises(WireError, match=r"there is no output 'b'; the model has 'a'"):
        wanted.choose(["a"])
