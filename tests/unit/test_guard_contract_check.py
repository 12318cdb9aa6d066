"""The contract as a check of the guard: what it says beside a prediction, and what it counts."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.features import DataContract, Feature
from hune.dataplane.guard.contract_check import ContractCheck
from hune.dataplane.guard.finding import Check, Finding
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.wire.table import Column, Table

FEATURES = (
    Feature("income", "Float", unit="EUR", minimum="0", maximum="250000"),
    Feature("debt", "Float", unit="EUR", minimum="0"),
)
GOOD = Table(2, np.array([[60000.0, 5000.0], [24000.0, 0.0]]), {})
BAD = Table(2, np.array([[60000.0, -1.0], [900000.0, -1.0]]), {})
REPORT = (
    "row 1, 'income': 900000 is above the maximum; wanted is a number from 0 to 250000 EUR; "
    "row 0, 'debt': -1 is below the minimum; wanted is a number of at least 0 EUR; and 1 more"
)


def ignore(counts: Mapping[tuple[str, str], int]) -> None:
    del counts


def test_rows_that_keep_the_contract_are_said_to() -> None:
    check: Check = ContractCheck(DataContract(FEATURES), ignore)
    assert check.inspect(GOOD) == Finding(
        {"contract_breaches": 0}, ((b"x-hune-contract-breaches", b"0"),)
    )


@pytest.mark.parametrize(
    ("on_breach", "rejected"),
    [
        ("Flag", ""),
        ("Reject", f"the request breaks the model's data contract (3 times): {REPORT}"),
    ],
)
def test_rows_that_break_it_are_flagged_or_rejected(on_breach: str, rejected: str) -> None:
    check = ContractCheck(DataContract(FEATURES, on_breach), ignore)
    assert check.inspect(BAD) == Finding(
        {"contract_breaches": 3, "contract_report": REPORT},
        ((b"x-hune-contract-breaches", b"3"),),
        rejected,
    )


def test_breaches_are_counted_by_the_contracts_words_only() -> None:
    telemetry = Telemetry(lambda: 0)
    check = ContractCheck(DataContract(FEATURES), telemetry.broke_contract)
    for table in (GOOD, BAD, BAD):
        check.inspect(table)
    for hostile in ('a"b\n', "c"):
        check.inspect(Table(1, None, {hostile: np.array([1.0])}))
    lines = telemetry.render().decode().splitlines()
    assert sorted(line for line in lines if line.startswith("hune_guard_contract")) == [
        'hune_guard_contract_breaches_total{feature="",kind="ExtraColumn"} 2.0',
        'hune_guard_contract_breaches_total{feature="debt",kind="BelowMinimum"} 4.0',
        'hune_guard_contract_breaches_total{feature="debt",kind="MissingColumn"} 2.0',
        'hune_guard_contract_breaches_total{feature="income",kind="AboveMaximum"} 2.0',
        'hune_guard_contract_breaches_total{feature="income",kind="MissingColumn"} 2.0',
    ]


def test_a_report_stays_short_whatever_is_sent() -> None:
    check = ContractCheck(DataContract(FEATURES, "Reject"), ignore)
    columns = {f"{number}" * 1000: np.array(["x" * 10_000] * 50) for number in range(500)}
    finding = check.inspect(Table(50, None, columns))
    assert len(finding.rejected) < 1000
    assert "and 497 more" in finding.rejected


EVERY_TYPE = (
    Feature("a", "Float", minimum="0", maximum="1"),
    Feature("b", "Integer", minimum="0", nullable=True),
    Feature("c", "Boolean"),
    Feature("d", "Category", categories=("1", "x")),
    Feature("e", "Text"),
)
scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary()
cells = (
    scalars
    | st.integers(10**399, 10**400)
    | st.lists(scalars, max_size=2)
    | st.dictionaries(st.text(max_size=2), scalars, max_size=2)
)
columns = st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=6)


@given(columns, st.sampled_from(["O", "f2", "f4", "f8", "i1", "U", "S", "?", "c16"]))
def test_whatever_a_client_sends_there_is_a_finding(values: list[list[Any]], dtype: str) -> None:
    matrix = np.empty((2, len(values)), dtype=np.object_)
    for position, column in enumerate(values):
        matrix[:, position] = column
    with suppress(ValueError, TypeError, OverflowError), np.errstate(all="ignore"):
        matrix = matrix.astype(dtype)
    check = ContractCheck(DataContract(EVERY_TYPE, "Reject"), ignore)
    named: dict[str, Column] = dict(zip("abcdez", matrix.T, strict=False))
    for table in (Table(2, matrix, {}), Table(2, None, named)):
        finding = check.inspect(table)
        assert bool(finding.rejected) is bool(finding.note["contract_breaches"])
        json.dumps(dict(finding.note))
