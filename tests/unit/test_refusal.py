import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.contract.refusal import MAXIMUM_BYTES, Refusal


def test_a_refusal_comes_back_as_it_went() -> None:
    refusal = Refusal("DigestMismatch", "s3://models/income/7", "found „a“, wanted b")
    assert Refusal.from_json(refusal.to_json()) == refusal


def test_one_too_long_is_cut_to_a_termination_message() -> None:
    text = Refusal("SourceInvalid", "s3://" + "ü" * 4000, "ü" * 4000).to_json()
    assert len(text.encode()) <= MAXIMUM_BYTES
    assert Refusal.from_json(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "killed",
        "null",
        "[]",
        "7",
        "{}",
        '{"hune": "refusal"}',
        '{"hune": "other", "reason": "A", "uri": "b", "message": "c"}',
        '{"hune": "refusal", "reason": "A", "uri": "b", "message": "c", "more": "d"}',
        '{"hune": "refusal", "reason": 5, "uri": "b", "message": "c"}',
        '{"hune": "refusal", "reason": "A", "uri": [], "message": []}',
        '{"hune": "refusal", "reason": "no word", "uri": "b", "message": "c"}',
        '{"hune": "refusal", "reason": "", "uri": "b", "message": "c"}',
    ],
)
def test_what_is_no_refusal_is_none(text: str) -> None:
    assert Refusal.from_json(text) is None


@given(st.text(), st.text(), st.from_regex(r"[A-Z][A-Za-z]{0,20}", fullmatch=True))
def test_every_refusal_fits_and_is_read_back(uri: str, message: str, reason: str) -> None:
    text = Refusal(reason, uri * 50, message * 50).to_json()
    assert len(text.encode()) <= MAXIMUM_BYTES
    read = Refusal.from_json(text)
    assert read is not None
    assert read.reason == reason
