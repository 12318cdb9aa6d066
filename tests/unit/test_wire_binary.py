"""Where the JSON part of a binary body ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hune.dataplane.wire.binary import BadLengthError, json_length


@pytest.mark.parametrize(("header", "body", "length"), [(b"0", 0, 0), (b"7", 7, 7), (b"07", 9, 7)])
def test_a_length_within_the_body_is_taken(header: bytes, body: int, length: int) -> None:
    assert json_length(header, body) == length


@given(st.binary(max_size=20), st.integers(0, 1000))
def test_a_length_is_a_number_within_the_body_or_refused(header: bytes, body: int) -> None:
    if header.isdigit() and int(header) <= body:
        assert json_length(header, body) == int(header)
    else:
        with pytest.raises(BadLengthError, match="Inference-Header-Content-Length"):
            json_length(header, body)


@pytest.mark.parametrize("header", [b"", b"-1", b"1.0", b" 1", b"\xb2", b"9" * 5000])
def test_what_is_no_number_is_refused(header: bytes) -> None:
    with pytest.raises(BadLengthError, match="not a number"):
        json_length(header, 10)
