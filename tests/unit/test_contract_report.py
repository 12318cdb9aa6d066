import json

import pytest

from hune.contract.report import KINDS, MAXIMUM_BYTES, Breach, ContractReport, Count

REPORT = ContractReport(
    data="new.csv",
    rows=100,
    breaches=3,
    counts=(Count("income", "BelowMinimum", 2), Count("", "ExtraColumn", 1)),
    examples=(
        Breach("income", "BelowMinimum", "-5", "a number of at least 0 EUR", 17),
        Breach("label", "ExtraColumn"),
    ),
)


def test_a_person_reads_where_what_and_what_is_wanted() -> None:
    assert list(REPORT.lines()) == [
        "new.csv: 100 rows, 3 breaches of the contract",
        "         2  BelowMinimum     'income'",
        "         1  ExtraColumn      unknown columns",
        "for example (rows are counted from 0):",
        "  row 17, 'income': -5 is below the minimum; wanted is a number of at least 0 EUR",
        "  column 'label' is not in the contract",
    ]
    assert list(ContractReport("new.csv", 100, 0).lines()) == [
        "new.csv: 100 rows keep the contract"
    ]


def test_every_kind_has_words() -> None:
    assert [kind for kind in KINDS if kind in str(Breach("a", kind, "1", "2", 0))] == []


def test_a_report_comes_back_as_it_went() -> None:
    assert ContractReport.from_json(REPORT.to_json()) == REPORT
    assert REPORT.to_termination_message() == REPORT.to_json()


@pytest.mark.parametrize("name", ["x", "é", "\N{GRINNING FACE}", '"'])
def test_a_termination_message_fits_and_keeps_the_sums(name: str) -> None:
    long = ContractReport(
        data=name * 5000,
        rows=10**12,
        breaches=10**12,
        counts=tuple(Count(name * 128, kind, 1) for kind in KINDS for _ in range(1000)),
        examples=tuple(Breach(name * 128, kind, name * 40, name * 400, 1) for kind in KINDS),
    )
    text = long.to_termination_message()
    assert len(text.encode()) <= MAXIMUM_BYTES
    assert "\n" not in text
    read = ContractReport.from_json(text)
    assert read is not None
    assert (read.rows, read.breaches, read.truncated) == (10**12, 10**12, True)


def test_examples_go_before_counts() -> None:
    long = ContractReport("d", 1, 1, REPORT.counts, REPORT.examples * 100)
    read = ContractReport.from_json(long.to_termination_message())
    assert read is not None
    assert read.counts == REPORT.counts
    assert 0 < len(read.examples) < 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "out of memory",
        "null",
        "[]",
        "7",
        '{"hune": "refusal", "reason": "DigestMismatch", "uri": "", "message": ""}',
        '{"hune": "contract-report"}',
        '{"hune": "contract-report", "data": "a", "rows": "many", "breaches": 0}',
        json.dumps({"hune": "contract-report", "data": "", "rows": 1, "breaches": 1, "counts": 1}),
        "[" * 100_000,
    ],
)
def test_what_is_no_report_is_none(text: str) -> None:
    assert ContractReport.from_json(text) is None
