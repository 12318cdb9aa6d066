"""Whole plans, compared with the files that `make golden` writes."""

from typing import Any

import pytest
import yaml

from tests.support import golden


@pytest.mark.parametrize("case", golden.cases(), ids=lambda case: case.name)
def test_a_plan_is_the_golden_one(case: golden.Case) -> None:
    assert case.output.exists(), "run `make golden` and read what it wrote"
    assert golden.to_text(golden.read(case).plan()) == case.output.read_text()


@pytest.mark.parametrize("case", golden.cases(), ids=lambda case: case.name)
def test_an_input_shows_what_its_name_says(case: golden.Case) -> None:
    """Guard against a golden file that was written from a mistake: the reason is spelt out."""
    wanted = yaml.safe_load(case.input.read_text().split("\n", 1)[0].removeprefix("# shows: "))
    conditions: list[dict[str, Any]] = golden.read(case).plan().status.document()["conditions"]
    assert {c["type"]: c["reason"] for c in conditions if c["type"] in wanted} == wanted
