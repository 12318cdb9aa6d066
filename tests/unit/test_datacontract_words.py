from typing import Any

import numpy as np
import pytest

from hune.contract.features import Feature
from hune.dataplane.datacontract.words import describe, show


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (float("nan"), "null"),
        (True, "true"),
        (np.False_, "false"),
        (3, "3"),
        (3.0, "3"),
        (np.float32(0.1), "0.1"),
        (np.float64(1e-300), "1e-300"),
        (float("inf"), "inf"),
        (10**4000, "an integer of 13288 bits"),
        ("a'b", "'a'b'"),
        (b"a\xff", "'a\N{REPLACEMENT CHARACTER}'"),
        ("x\r\nSet-Cookie: y", "'x\\r\\nSet-Cookie: y'"),
        ("\x1b[31m\u202e\ud800", "'\\x1b[31m\\u202e\\ud800'"),
        ("é" * 100, "'" + "é" * 40 + "…'"),
        ([1, 2], "a list"),
        ({}, "a dict"),
    ],
)
def test_a_value_is_shown_short_and_safe(value: Any, shown: str) -> None:
    assert show(value) == shown


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (Feature("f", "Float"), "a number"),
        (Feature("f", "Float", "mm", "0", "30"), "a number from 0 to 30 mm"),
        (Feature("f", "Integer", "", "0"), "a whole number of at least 0"),
        (
            Feature("f", "Float", "K", maximum="1e3", nullable=True),
            "a number of at most 1e3 K or null",
        ),
        (Feature("f", "Boolean", nullable=True), "true or false or null"),
        (Feature("f", "Text"), "a text"),
        (Feature("f", "Category", categories=("a", "b\n")), "one of a, b\\n"),
        (Feature("f", "Category", categories=tuple("abcdefg")), "one of a, b, c, d, e and 2 more"),
    ],
)
def test_what_is_wanted_is_said_with_its_unit(feature: Feature, words: str) -> None:
    assert describe(feature) == words
