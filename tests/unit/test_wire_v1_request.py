"""V1 requests, as rows and as columns, become tensors of the types that JSON says."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.table import TableError
from hune.dataplane.wire.tensor import Tensor, WireError
from hune.dataplane.wire.v1_request import read_v1
from tests.support.hostile import BODIES

NAN = float("nan")


def seen(tensors: tuple[Tensor, ...]) -> list[tuple[str, str, Any]]:
    # As text, since NaN is not equal to itself.
    return [(tensor.name, tensor.datatype, repr(tensor.values.tolist())) for tensor in tensors]


@pytest.mark.parametrize(
    ("body", "tensors"),
    [
        ({"instances": [[1, 2], [3, None]]}, [("", "FP64", [[1.0, 2.0], [3.0, NAN]])]),
        ({"instances": [1, 2]}, [("", "FP64", [1.0, 2.0])]),
        ({"instances": []}, [("", "FP64", [])]),
        ({"instances": [[]]}, [("", "FP64", [[]])]),
        ({"instances": [[[1], [2]]]}, [("", "FP64", [[[1.0], [2.0]]])]),
        ({"instances": [True, False]}, [("", "BOOL", [True, False])]),
        ({"instances": ["a", None]}, [("", "BYTES", ["a", None])]),
        ({"instances": [["a", 1, True, None]]}, [("", "MIXED", [["a", 1, True, None]])]),
        ({"instances": [{"b64": "aGk="}]}, [("", "BYTES", [b"hi"])]),
        (
            {"instances": [{"age": 39, "job": "clerk"}, {"age": 50, "job": None}]},
            [("age", "INT64", [39, 50]), ("job", "BYTES", ["clerk", None])],
        ),
        (
            {"instances": [{"wage": 1, "on": True}, {"on": False, "wage": None}]},
            [("wage", "FP64", [1.0, NAN]), ("on", "BOOL", [True, False])],
        ),
        ({"instances": [{"x": [1, 2]}, {"x": [3, 4]}]}, [("x", "INT64", [[1, 2], [3, 4]])]),
        ({"instances": [{"x": {"b64": "aGk="}}]}, [("x", "BYTES", [b"hi"])]),
        ({"instances": [{"x": 2**64}]}, [("x", "FP64", [float(2**64)])]),
        ({"instances": [{"x": 1}], "signature_name": "s"}, [("x", "INT64", [1])]),
        ({"inputs": [[1.5, 2]]}, [("", "FP64", [[1.5, 2.0]])]),
        (
            {"inputs": {"age": [39, 50], "job": ["clerk", "nurse"]}},
            [("age", "FP64", [39.0, 50.0]), ("job", "BYTES", ["clerk", "nurse"])],
        ),
        ({"inputs": {"x": [[1], [2]]}}, [("x", "FP64", [[1.0], [2.0]])]),
    ],
)
def test_a_request_becomes_tensors(body: object, tensors: list[tuple[str, str, Any]]) -> None:
    expected = [(name, datatype, repr(values)) for name, datatype, values in tensors]
    assert seen(read_v1(json.dumps(body).encode())) == expected


def test_an_integer_keeps_every_digit_as_long_as_it_fits() -> None:
    [tensor] = read_v1(b'{"instances":[{"x":9007199254740993}]}')
    assert tensor.values.tolist() == [9007199254740993]


NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("instances", [[{"x": 10**400}], [{"x": None}, {"x": 10**400}]])
def test_a_number_that_no_datatype_holds_is_refused(instances: list[Any]) -> None:
    with pytest.raises(
        WireError, match=r"instances\[\*\].x: holds a number that does not fit FP64"
    ):
        read_v1(json.dumps({"instances": instances}).encode())


def test_such_a_number_among_other_things_is_refused_where_numbers_are_wanted() -> None:
    table = table_of(read_v1(json.dumps({"instances": [[10**400, True]]}).encode()))
    with pytest.raises(TableError, match="should hold numbers holds something else"):
        table.numbers((), 2)


@given(
    st.integers(1, 4).flatmap(
        lambda count: st.lists(st.lists(NUMBERS, min_size=count, max_size=count), min_size=1)
    )
)
def test_rows_of_numbers_are_a_matrix(rows: list[list[float | None]]) -> None:
    table = table_of(read_v1(json.dumps({"instances": rows}).encode()))
    assert table.matrix is not None
    np.testing.assert_array_equal(table.matrix, np.array(rows, np.float64))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, st.text(max_size=3))


@given(
    st.sets(st.text(min_size=1, max_size=3).filter(lambda key: key != "b64"), min_size=1).flatmap(
        lambda keys: st.lists(st.fixed_dictionaries(dict.fromkeys(keys, VALUES)), min_size=1)
    )
)
def test_objects_are_rows_of_named_columns(rows: list[dict[str, Any]]) -> None:
    table = table_of(read_v1(json.dumps({"instances": rows}).encode()))
    assert table.rows == len(rows)
    assert list(table.columns) == list(rows[0])
    for name, column in table.columns.items():
        for found, row in zip(column.tolist(), rows, strict=True):
            meant = row[name]
            assert found == meant or (meant is None and np.isnan(found)) or found == float(meant)


ANY = st.recursive(
    VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner)
)


@given(st.sampled_from(["instances", "inputs"]), ANY)
def test_any_json_is_read_or_refused(key: str, value: object) -> None:
    with suppress(WireError):
        assert table_of(read_v1(json.dumps({key: value}).encode())).rows >= 0


SMALL = [body.sent for body in BODIES if body.protocol == "V1" and len(body.sent) < 1000]


@given(st.sampled_from(SMALL), st.data())
def test_nothing_but_a_wire_error_is_raised(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(at, len(body)))
    put = data.draw(st.text('{}[]",:-0129.eEtruefalsn ', max_size=6))
    with suppress(WireError):
        assert table_of(read_v1(body[:at] + put.encode() + body[end:])).rows >= 0
