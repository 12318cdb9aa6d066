"""What is inferred from data holds for that data, and for little else."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.features import DataContract, Feature, check_contract
from hune.dataplane.datacontract.checker import Checker
from hune.dataplane.datacontract.summary import Summary
from hune.dataplane.datacontract.tally import Tally
from hune.dataplane.datacontract.texts import Cells, to_column
from hune.dataplane.wire.table import Column, Table


def inferred(*parts: Cells, at_most: int = 5, margin: float = 0.0) -> Feature:
    summary = Summary(at_most)
    for part in parts:
        summary.add_texts(part)
    feature = summary.feature("f", margin)
    check_contract(DataContract((feature,)), "inferred")
    return feature


def breaches(feature: Feature, column: Column) -> dict[str, int]:
    tally = Tally(limit=0, limit_of_one=0)
    Checker(DataContract((feature,))).check(Table(len(column), None, {"f": column}), tally)
    return {kind: count for (_, kind), count in tally.counts.items()}


@pytest.mark.parametrize(
    ("reason", "cells", "feature"),
    [
        ("whole", ["3", "-1", "+7"], Feature("f", "Integer", minimum="-1", maximum="7")),
        ("points", ["3.0", "1"], Feature("f", "Float", minimum="1", maximum="3")),
        ("small", ["1e-5", "0"], Feature("f", "Float", minimum="0", maximum="1e-05")),
        ("large", ["1e20", "1"], Feature("f", "Float", minimum="1", maximum="1e20")),
        ("beyond", ["-1e200", "1e200"], Feature("f", "Float")),
        ("tiny", ["1e-200", "-1e-200"], Feature("f", "Float", minimum="-1e-99", maximum="1e-99")),
        ("tiny up", ["1e-200", "1"], Feature("f", "Float", minimum="0", maximum="1")),
        ("nulls", ["3", None], Feature("f", "Integer", minimum="3", maximum="3", nullable=True)),
        ("NaN", ["3", "nan"], Feature("f", "Float", minimum="3", maximum="3", nullable=True)),
        ("zero", ["-0.0"], Feature("f", "Float", minimum="0", maximum="0")),
        ("truths", ["true", "False", "TRUE"], Feature("f", "Boolean")),
        ("words", ["b", "a", "b"], Feature("f", "Category", categories=("a", "b"))),
        ("mixed", ["b", "1"], Feature("f", "Category", categories=("1", "b"))),
        ("underscore", ["1_0"], Feature("f", "Category", categories=("1_0",))),
        ("too many", list("abcdef"), Feature("f", "Text")),
        ("too long", ["a" * 64], Feature("f", "Text")),
        ("nothing at all", [None, None], Feature("f", "Text", nullable=True)),
    ],
)
def test_a_column(reason: str, cells: Cells, feature: Feature) -> None:
    assert inferred(cells) == feature, reason


def test_parts_add_up() -> None:
    assert inferred(["1", "2"], ["x"]).categories == ("1", "2", "x")
    assert inferred(["1"], ["2.5"], [None]) == Feature(
        "f", "Float", minimum="1", maximum="2.5", nullable=True
    )
    assert inferred(list("abc"), list("def")).type == "Text"


@pytest.mark.parametrize(
    ("cells", "margin", "bounds"),
    [
        (["10", "20"], 0.1, ("9", "21")),
        (["10", "11"], 0.1, ("9", "12")),
        (["10.0", "11"], 0.1, ("9.9", "11.1")),
        (["1.23456", "2.34567"], 0.5, ("0.679", "2.902")),
        (["5", "5"], 0.1, ("4", "6")),
        (["0", "0"], 0.1, ("0", "0")),
        (["1", "9"], 0.5, ("0", "13")),
        (["-9", "-1"], 0.5, ("-13", "0")),
    ],
)
def test_a_margin_widens_to_round_numbers_but_not_across_zero(
    cells: Cells, margin: float, bounds: tuple[str, str]
) -> None:
    feature = inferred(cells, margin=margin)
    assert (feature.minimum, feature.maximum) == bounds


@pytest.mark.parametrize(
    ("values", "feature"),
    [
        ([1.5, None, 2.0], Feature("f", "Float", minimum="1.5", maximum="2", nullable=True)),
        ([1, 2], Feature("f", "Integer", minimum="1", maximum="2")),
        ([1, 2.0], Feature("f", "Float", minimum="1", maximum="2")),
        ([True, None], Feature("f", "Boolean", nullable=True)),
        (["1", "2"], Feature("f", "Category", categories=("1", "2"))),
        (["true"], Feature("f", "Category", categories=("true",))),
    ],
)
def test_cells_with_a_type_keep_it(values: list[object], feature: Feature) -> None:
    summary = Summary(5)
    summary.add_values(values)
    assert summary.feature("f", 0.0) == feature


@pytest.mark.parametrize("values", [[b"a"], [1, "a"], [True, 1], [[1]]])
def test_cells_that_no_contract_knows_are_refused(values: list[object]) -> None:
    with pytest.raises(ValueError, match=r"bytes|int and str|bool and int|list"):
        Summary(5).add_values(values)


numbers = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53).map(float)
words = st.text(max_size=70) | st.sampled_from(["true", "false", "nan", "inf", "1", "2.5", "1e-5"])
cells = st.lists(st.none() | words | numbers.map(str), min_size=1, max_size=12)


@given(st.lists(cells, min_size=1, max_size=3), st.integers(0, 10), st.floats(0, 2))
def test_the_data_keeps_the_contract_inferred_from_it(
    parts: list[Cells], at_most: int, margin: float
) -> None:
    feature = inferred(*parts, at_most=at_most, margin=margin)
    for part in parts:
        assert breaches(feature, to_column(feature, part)) == {}


@given(st.lists(st.floats(-1e90, 1e90), min_size=1, max_size=8), st.floats(0, 2))
def test_a_value_just_outside_is_a_breach(values: list[float], margin: float) -> None:
    feature = inferred(
        [f"{value!r}e0" if "e" not in repr(value) else repr(value) for value in values],
        margin=margin,
    )
    low, high = float(feature.minimum), float(feature.maximum)
    below, above = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
    assert breaches(feature, np.array([below])) == {"BelowMinimum": 1}
    assert breaches(feature, np.array([above])) == {"AboveMaximum": 1}
    assert breaches(feature, np.array([low, high])) == {}


@given(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1))
def test_a_word_that_was_not_seen_is_a_breach(seen: list[str | None]) -> None:
    feature = inferred(seen)
    assert breaches(feature, to_column(feature, ["violet"])) == {"UnknownCategory": 1}


@given(cells)
def test_null_is_allowed_only_where_it_was_seen(seen: Cells) -> None:
    feature = inferred(seen)
    found = breaches(feature, to_column(feature, [None]))
    assert found == ({} if feature.nullable else {"Null": 1})
