"""A model gets the values that were sent, in its own datatype, or the request is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hune.dataplane.lite.inputs import arrange
from hune.dataplane.lite.signature import Signature, UnservableError
from hune.dataplane.wire.tensor import DATATYPES, Kind, Tensor, WireError

NUMBERS = [d.name for d in DATATYPES.values() if d.kind in (Kind.FLOAT, Kind.INTEGER)]
TARGETS = [name for name in NUMBERS if name != "BF16"]


def tensor(datatype: str, values: Any, name: str = "x") -> Tensor:
    array = np.asarray(values, dtype=DATATYPES[datatype].dtype)
    return Tensor(name, datatype, array.shape, array)


def one(datatype: str, *shape: int) -> list[Signature]:
    return [Signature("x", datatype, shape)]


@given(data=st.data(), source=st.sampled_from(NUMBERS), target=st.sampled_from(TARGETS))
def test_numbers_keep_their_value_or_are_refused(
    data: st.DataObject, source: str, target: str
) -> None:
    elements = arrays.from_dtype(np.dtype(DATATYPES[source].dtype))
    value = data.draw(elements)
    sent = tensor(source, [value])
    wanted = DATATYPES[target]
    try:
        (found,) = arrange([sent], one(target, -1))["x"].tolist()
    except WireError:
        bounds: Any = (np.iinfo if wanted.kind is Kind.INTEGER else np.finfo)(wanted.dtype.name)
        exact = float(sent.values[0])
        whole = wanted.kind is Kind.FLOAT or exact.is_integer()
        assert not (whole and float(bounds.min) < exact < float(bounds.max)), (exact, target)
        return
    if wanted.kind is Kind.INTEGER:
        assert found == sent.values.tolist()[0]
    else:
        np.testing.assert_array_equal(found, sent.values.astype(wanted.dtype).tolist()[0])


@pytest.mark.parametrize(
    ("source", "value", "target"),
    [
        ("FP64", 0.5, "INT64"),
        ("FP64", float("nan"), "INT32"),
        ("FP64", 2.0**63, "INT64"),
        ("FP32", 256.0, "UINT8"),
        ("INT64", -1, "UINT64"),
        ("UINT64", 2**64 - 1, "INT64"),
        ("FP64", 1e39, "FP32"),
    ],
)
def test_what_does_not_fit_is_refused(source: str, value: float, target: str) -> None:
    with pytest.raises(WireError, match=r"at \[0\] does not fit, the model takes"):
        arrange([tensor(source, [value])], one(target, -1))


def test_nothing_is_copied_that_fits_as_it_is() -> None:
    sent = tensor("FP32", [[1, 2]])
    assert arrange([sent], one("FP32", -1, 2))["x"] is sent.values


def test_a_number_between_other_bytes_is_moved_to_where_numbers_begin() -> None:
    values = np.frombuffer(b"\0" + np.array([1.5], "<f4").tobytes(), "<f4", 1, 1)
    (found,) = arrange([Tensor("x", "FP32", (1,), values)], one("FP32", -1)).values()
    assert found.flags.aligned
    assert found.tolist() == [1.5]


def test_a_lone_tensor_may_have_any_name_but_not_any_shape() -> None:
    assert arrange([tensor("FP32", [[1, 2]], "input-0")], one("FP32", -1, 2)).keys() == {"x"}
    with pytest.raises(WireError, match=r"input 'x': shape \[2\] is sent, the model takes FP32"):
        arrange([tensor("FP32", [1, 2])], one("FP32", -1, 2))


def test_texts_must_be_texts() -> None:
    for value, said in ((None, "null stands at element 1"), (b"\xff", "what is not UTF-8")):
        with pytest.raises(WireError, match=said):
            arrange([tensor("BYTES", ["a", value])], one("BYTES", -1))


class Node:
    """What onnxruntime says of an input or output."""

    name = "p"

    def __init__(self, type_: str, *shape: Any) -> None:
        self.type, self.shape = type_, list(shape)


def test_dimensions_without_a_number_are_of_any_size() -> None:
    found = Signature.read(Node("tensor(float)", None, "batch", 3), "input")
    assert found == Signature("p", "FP32", (-1, -1, 3))


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("seq(map(int64,tensor(float)))", "convert it again without ZipMap"),
        ("tensor(bfloat16)", "change the model so that it is a plain tensor"),
        ("seq(tensor(float))", "change the model so that it is a plain tensor"),
    ],
)
def test_what_the_protocol_has_no_form_for_is_named_with_its_fix(type_: str, said: str) -> None:
    with pytest.raises(UnservableError, match=f"the output 'p' is a .*: {said}"):
        Signature.read(Node(type_), "output")
