"""Which rows break a contract, and how: whole results, whatever form the rows come in."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.features import DataContract, Feature
from hune.dataplane.datacontract.checker import Checker
from hune.dataplane.datacontract.tally import Tally
from hune.dataplane.wire.table import Table

AGE = Feature("age", "Integer", unit="years", minimum="0", maximum="120")
INCOME = Feature("income", "Float", unit="EUR", minimum="0", nullable=True)
MEMBER = Feature("member", "Boolean")
COLOUR = Feature("colour", "Category", categories=("red", "green"))
GRADE = Feature("grade", "Category", categories=("1", "2.5"))
REMARK = Feature("remark", "Text")


def objects(values: list[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def checked(table: Table, *features: Feature) -> Tally:
    tally = Tally(limit=10, limit_of_one=2)
    Checker(DataContract(features)).check(table, tally)
    return tally


def of_column(feature: Feature, column: np.ndarray[Any, Any]) -> dict[str, int]:
    """Check one column in both forms; both must agree."""
    named = checked(Table(len(column), None, {feature.name: column}), feature)
    matrix = checked(Table(len(column), column.reshape(-1, 1), {}), feature)
    assert named.counts == matrix.counts
    assert named.examples == matrix.examples
    return {kind: count for (_, kind), count in named.counts.items()}


NAN = float("nan")
INF = float("inf")


@pytest.mark.parametrize(
    ("reason", "feature", "column", "found"),
    [
        ("bounds belong to the range", AGE, np.array([0.0, 120.0]), {}),
        ("integers are integers", AGE, np.array([0, 120], dtype=np.uint8), {}),
        ("a fraction is no integer", AGE, np.array([1.5, 2.0]), {"WrongType": 1}),
        ("infinity is no integer", AGE, np.array([INF, -INF]), {"WrongType": 2}),
        ("over the maximum", AGE, np.array([121, 122, 3]), {"AboveMaximum": 2}),
        ("under the minimum", AGE, np.array([-1, 3]), {"BelowMinimum": 1}),
        ("NaN is null", AGE, np.array([NAN, 3]), {"Null": 1}),
        ("null is null", AGE, objects([None, 3]), {"Null": 1}),
        ("nullable", INCOME, np.array([NAN, 3]), {}),
        ("nullable objects", INCOME, objects([None, 3]), {}),
        ("no maximum", INCOME, np.array([INF, 1e300]), {}),
        ("still a minimum", INCOME, np.array([-INF]), {"BelowMinimum": 1}),
        ("a text is no number", INCOME, objects(["3", 3.0, None]), {"WrongType": 1}),
        ("a truth is no number", INCOME, np.array([True, False]), {"WrongType": 2}),
        ("a truth among numbers", INCOME, objects([True, 3]), {"WrongType": 1}),
        ("texts are no numbers", INCOME, np.array(["1", "2"]), {"WrongType": 2}),
        ("lists are no numbers", INCOME, objects([[1], {"a": 1}]), {"WrongType": 2}),
        ("a huge integer", INCOME, objects([10**400, -(10**400)]), {"BelowMinimum": 1}),
        ("a huge integer, bounded", AGE, objects([10**400]), {"WrongType": 1}),
        ("truths", MEMBER, np.array([True, False]), {}),
        ("truths as numbers", MEMBER, np.array([0.0, 1.0]), {}),
        ("truths as objects", MEMBER, objects([True, 0, 1.0]), {}),
        ("no truth", MEMBER, np.array([2.0, 0.5]), {"WrongType": 2}),
        ("no truth either", MEMBER, objects(["true", None]), {"WrongType": 1, "Null": 1}),
        ("truths are not null", MEMBER, np.array([NAN]), {"Null": 1}),
        ("categories", COLOUR, objects(["red", "green"]), {}),
        ("categories as bytes", COLOUR, objects([b"red", b"green"]), {}),
        ("unknown ones", COLOUR, objects(["red", "Red", ""]), {"UnknownCategory": 2}),
        ("no category", COLOUR, objects([None, True, ["red"]]), {"Null": 1, "WrongType": 2}),
        ("a number is none of them", COLOUR, np.array([1.0]), {"UnknownCategory": 1}),
        ("categories as numbers", GRADE, np.array([1, 2.5]), {}),
        ("in single precision", GRADE, np.array([1, 2.5], dtype=np.float32), {}),
        ("as objects", GRADE, objects([1, 2.5, "1", "2.5"]), {}),
        ("unknown numbers", GRADE, objects([2, 2.5, "1.0"]), {"UnknownCategory": 2}),
        ("NaN is no category", GRADE, np.array([NAN, 3]), {"Null": 1, "UnknownCategory": 1}),
        ("texts", REMARK, objects(["a", b"b", ""]), {}),
        ("a number is no text", REMARK, np.array([1.0, NAN]), {"WrongType": 1, "Null": 1}),
        ("an object is no text", REMARK, objects(["a", 1, None]), {"WrongType": 1, "Null": 1}),
        ("no rows, no breach", AGE, np.array([]), {}),
        ("no objects, no breach", COLOUR, objects([]), {}),
    ],
)
def test_a_column(
    reason: str, feature: Feature, column: np.ndarray[Any, Any], found: dict[str, int]
) -> None:
    assert of_column(feature, column) == found, reason


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_bound_may_be_sent_in_any_precision(dtype: type[np.floating[Any]]) -> None:
    feature = Feature("f", "Float", minimum="-0.3", maximum="0.1")
    column = np.array(["-0.3", "0.1"], dtype=np.float64).astype(dtype)
    assert of_column(feature, column) == {}
    outside = np.array([np.nextafter(column[0], dtype(-1)), np.nextafter(column[1], dtype(1))])
    assert of_column(feature, outside) == {"BelowMinimum": 1, "AboveMaximum": 1}


def test_what_breaks_is_told_with_row_value_and_what_is_wanted() -> None:
    table = Table(
        3, None, {"age": np.array([7, -1, 200]), "colour": objects(["red", "x\x1b[2J\n", None])}
    )
    tally = checked(table, AGE, COLOUR)
    assert sorted(map(str, tally.examples)) == [
        "row 1, 'age': -1 is below the minimum; wanted is a whole number from 0 to 120 years",
        "row 1, 'colour': 'x\\x1b[2J\\n' is an unknown category; wanted is one of red, green",
        "row 2, 'age': 200 is above the maximum; wanted is a whole number from 0 to 120 years",
        "row 2, 'colour': null is not allowed; wanted is one of red, green",
    ]


def test_columns_that_are_missing_or_too_many_are_named() -> None:
    columns = {"age": np.array([1]), "z\n": np.array([1]), "a": np.array([1])}
    tally = checked(Table(1, None, columns), AGE, INCOME)
    assert tally.counts == {("income", "MissingColumn"): 1, ("", "ExtraColumn"): 2}
    assert [str(example) for example in tally.examples] == [
        "column 'income' is missing",
        "column 'a' is not in the contract",
        "column 'z\\n' is not in the contract",
    ]


def test_columns_without_names_are_told_by_position() -> None:
    narrow = checked(Table(1, np.array([[1.0]]), {}), AGE, INCOME)
    assert narrow.counts == {("income", "MissingColumn"): 1}
    wide = checked(Table(1, np.array([[1.0, 2.0, 3.0, 4.0]]), {}), AGE, INCOME)
    assert wide.counts == {("", "ExtraColumn"): 2}
    assert [example.feature for example in wide.examples] == ["2", "3"]


def test_what_is_kept_of_hostile_data_is_bounded() -> None:
    columns = {f"{number}" * 1000: np.array([number] * 50) for number in range(1000)}
    tally = checked(Table(50, None, columns | {"age": np.full(50, -1)}), AGE)
    assert tally.counts == {("age", "BelowMinimum"): 50, ("", "ExtraColumn"): 1000}
    assert len(tally.examples) == 10
    assert all(len(str(example)) < 150 for example in tally.examples)


def test_rows_of_several_tables_are_counted_on() -> None:
    tally = Tally(limit=10, limit_of_one=2)
    checker = Checker(DataContract((AGE, INCOME)))
    for start in (0, 100, 200):
        checker.check(Table(2, None, {"age": np.array([1, start])}), tally)
    report = tally.report("d")
    assert (report.rows, report.breaches) == (6, 2)
    assert [example.row for example in report.examples] == [None, 5]
    assert report.counts[0].kind in {"MissingColumn", "AboveMaximum"}


FEATURES = (AGE, INCOME, MEMBER, GRADE)
cells = st.sampled_from([0.0, 1.0, 2.5, -1.0, 1.5, 121.0, 1e9, NAN, INF, -INF])
rows = st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=5)


@given(rows, st.sampled_from([np.float32, np.float64, np.object_]))
def test_the_form_of_the_rows_does_not_matter(
    values: list[list[float]], dtype: type[np.generic]
) -> None:
    matrix = np.array(values, dtype=dtype)
    columns = {f.name: matrix[:, position] for position, f in enumerate(FEATURES)}
    one = checked(Table(len(values), matrix, {}), *FEATURES)
    named = checked(Table(len(values), None, columns), *FEATURES)
    assert one.counts == named.counts
    alone: dict[tuple[str, str], int] = {}
    for feature in FEATURES:
        table = Table(len(values), None, {feature.name: columns[feature.name]})
        alone |= checked(table, feature).counts
    assert one.counts == alone, "one column's breach hides none of another's"
