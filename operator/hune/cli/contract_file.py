"""A data contract out of a YAML file: a block of its own, or part of a ModelDeployment."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hune.cli.errors import UserError
from hune.contract.features import DataContract
from hune.controlplane.api.contract import Contract
from hune.controlplane.errors import describe

_MAXIMUM_MESSAGE = 2000


def read_contract(name: str) -> DataContract:
    """Return the contract in a file.

    Args:
        name: The file; `-` for standard input.

    Raises:
        UserError: There is none, more than one, or one that a cluster would refuse.
    """
    found = [contract for document in _documents(name) for contract in _contracts(document)]
    if not found:
        raise UserError(f"--contract {name}: it holds neither a contract nor a ModelDeployment's")
    if len(found) > 1:
        raise UserError(f"--contract {name}: it holds {len(found)} contracts; leave one in it")
    return parse_contract(found[0], f"--contract {name}")


def parse_contract(document: Any, where: str) -> DataContract:
    """Return a contract as a guard is told it.

    Raises:
        UserError: A cluster would refuse it; the message names the field.
    """
    try:
        return Contract.model_validate(document).plain()
    except ValidationError as error:
        raise UserError(f"{where}: {describe(error, 'contract')[:_MAXIMUM_MESSAGE]}") from None


def _documents(name: str) -> list[Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except OSError as error:
        raise UserError(f"--contract {name}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UserError(f"--contract {name}: not YAML: {problem}") from None


def _contracts(document: Any) -> Iterator[Any]:
    if not isinstance(document, dict):
        return
    spec = document.get("spec")
    if "kind" in document and isinstance(spec, dict) and "contract" in spec:
        yield spec["contract"]
    elif "contract" in document:
        yield document["contract"]
    elif "features" in document:
        yield document
