"""The contract as a guard reads it: what makes no sense is refused and named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given

from hune.contract.document import to_document
from hune.contract.features import DataContract, Feature
from hune.contract.guard import GuardSettings
from hune.controlplane.api.contract import Contract
from tests.support.generate_specs import specs
from tests.unit.test_guard_settings import SETTINGS

CONTRACT = DataContract(
    (
        Feature("income", "Float", unit="EUR", minimum="0", maximum="2.5e5"),
        Feature("colour", "Category", categories=("red", "green"), nullable=True),
    )
)


def changed(number: int, **fields: Any) -> str:
    document = to_document(replace(SETTINGS, data_contract=CONTRACT))
    document["dataContract"]["features"][number] |= fields
    return json.dumps(document)


def test_a_contract_comes_back_as_it_went() -> None:
    settings = replace(SETTINGS, data_contract=CONTRACT)
    assert GuardSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed(0, name=""), r"features\[0\]: name '' is empty"),
        (changed(0, name="a\nb"), "name 'a\\\\nb' is empty or holds what cannot be shown"),
        (changed(0, name="\ud800"), "holds what cannot be shown"),
        (changed(0, type="Double"), "type must be one of Float, Integer, Boolean, Category, Text"),
        (changed(0, minimum="low"), "minimum 'low' is no decimal number"),
        (changed(0, maximum="1e400"), "maximum '1e400' is no decimal number"),
        (changed(0, maximum=7), r"features\[0\]: maximum must be str"),
        (changed(0, minimum="1e6"), "minimum must not be greater than maximum"),
        (changed(1, minimum="1"), "minimum is for numbers, and its type is Category"),
        (changed(0, categories=["a"]), "categories are for a Category"),
        (changed(1, categories=[]), "categories are for a Category, which needs them"),
        (changed(1, name="income"), "feature 'income' is given more than once"),
        (changed(1, nullable="no"), r"features\[1\]: nullable must be bool"),
    ],
)
def test_what_makes_no_sense_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GuardSettings.from_json(text)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (DataContract(()), "features must be 1 to 1000"),
        (replace(CONTRACT, on_breach="Ignore"), "onBreach must be one of Flag, Reject"),
    ],
)
def test_a_contract_without_sense_is_named(contract: DataContract, message: str) -> None:
    with pytest.raises(ValueError, match=f"dataContract: {message}"):
        GuardSettings.from_json(replace(SETTINGS, data_contract=contract).to_json())


def test_the_longest_contract_fits_a_config_map() -> None:
    """1 MiB is what Kubernetes holds; no contract that is accepted may need more."""
    face = "\N{GRINNING FACE}"  # an escape of 12 bytes in JSON
    features = [
        {
            "name": f"{number:04}" + face * 61,
            "type": "Integer",
            "minimum": "-" + "9" * 31,
            "maximum": "9" * 32,
            "nullable": False,
        }
        for number in range(1000)
    ]
    longest = Contract.model_validate({"features": features})
    settings = replace(SETTINGS, data_contract=longest.plain())
    assert 800_000 < len(settings.to_json()) < 1_000_000
    for feature in features[:9]:
        feature["name"] = f"{feature['name']}{'x' * 60}"
    with pytest.raises(ValueError, match="must not have more than 65536 characters together"):
        Contract.model_validate({"features": features})


@given(specs())
def test_a_guard_takes_every_contract_that_the_operator_writes(spec: dict[str, Any]) -> None:
    assume("contract" in spec)
    contract = Contract.model_validate(spec["contract"]).plain()
    settings = replace(SETTINGS, data_contract=contract)
    assert GuardSettings.from_json(settings.to_json()) == settings
