"""What `hune contract` does with the rows of a file."""

import argparse
from typing import Any

import numpy as np

from hune.cli.contract_file import parse_contract, read_contract
from hune.cli.data_file import Chunk, Layout, read_chunks
from hune.cli.errors import UserError
from hune.contract.features import MAXIMUM_FEATURES, DataContract, Feature
from hune.contract.report import ContractReport
from hune.dataplane.datacontract.checker import Checker
from hune.dataplane.datacontract.summary import Summary
from hune.dataplane.datacontract.tally import Tally
from hune.dataplane.datacontract.texts import to_column
from hune.dataplane.wire.table import Column, Table

_EXAMPLES_OF_ONE = 3


def infer_contract(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the `contract` block that the data keeps.

    Raises:
        UserError: The data cannot be read, or no contract can say what it holds.
    """
    summaries: dict[str, Summary] = {}
    for chunk in read_chunks(arguments.data, Layout.of(arguments)):
        _summarise(chunk, summaries, arguments)
    if len(summaries) > MAXIMUM_FEATURES:
        raise UserError(
            f"{arguments.data}: a contract holds at most {MAXIMUM_FEATURES} columns, and there are"
            f" {len(summaries)}; pass some over with --without"
        )
    inferred = [summary.feature(name, arguments.margin) for name, summary in summaries.items()]
    block = {"features": [_document(feature) for feature in inferred], "onBreach": "Flag"}
    parse_contract(block, str(arguments.data))
    return {"contract": block}


def check_data(arguments: argparse.Namespace) -> ContractReport:
    """Return how the data keeps to the contract.

    Raises:
        UserError: The data or the contract cannot be read.
    """
    contract = read_contract(arguments.contract)
    checker = Checker(contract)
    tally = Tally(limit=arguments.examples, limit_of_one=_EXAMPLES_OF_ONE)
    for chunk in read_chunks(arguments.data, Layout.of(arguments)):
        checker.check(_table(chunk, contract), tally)
    return tally.report(str(arguments.data))


def _summarise(chunk: Chunk, summaries: dict[str, Summary], arguments: argparse.Namespace) -> None:
    for name in (*chunk.texts, *chunk.values):
        summaries.setdefault(name, Summary(arguments.categories_at_most))
    for name, cells in chunk.texts.items():
        summaries[name].add_texts(cells)
    for name, values in chunk.values.items():
        try:
            summaries[name].add_values(values)
        except ValueError as error:
            raise UserError(
                f"{arguments.data}: column {name!r} holds {error}, which no contract knows; pass it"
                f" over with --without {name}"
            ) from None


def _table(chunk: Chunk, contract: DataContract) -> Table:
    features = {feature.name: feature for feature in contract.features}
    columns: dict[str, Column] = {}
    for name, cells in chunk.texts.items():
        # A column that the contract does not know is told by its name, whatever it holds.
        feature = features.get(name, Feature(name, "Text"))
        columns[name] = to_column(feature, cells)
    for name, values in chunk.values.items():
        columns[name] = np.empty(len(values), dtype=np.object_)
        columns[name][:] = values
    return Table(chunk.rows, None, columns)


def _document(feature: Feature) -> dict[str, Any]:
    """Return a feature as a person writes it: without what says nothing."""
    return {
        key: value
        for key, value in {
            "name": feature.name,
            "type": feature.type,
            "minimum": feature.minimum,
            "maximum": feature.maximum,
            "categories": list(feature.categories),
            "nullable": feature.nullable,
        }.items()
        if value
    }
