"""The ModelVersion that `hune register` makes."""

import argparse
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from hune.cli.errors import UserError
from hune.cli.lineage import read_data, read_git
from hune.contract import names
from hune.controlplane.api.modelversion import KIND, ModelVersionSpec
from hune.controlplane.errors import describe


def build_model_version(arguments: argparse.Namespace, uri: str, digest: str) -> dict[str, Any]:
    """Return the ModelVersion that the arguments describe.

    Raises:
        UserError: The result would be refused by the cluster.
    """
    secret = {"secretRef": {"name": arguments.secret_ref}} if arguments.secret_ref else {}
    spec = {
        "model": arguments.name,
        "number": arguments.number,
        "source": {"uri": uri, "format": arguments.format, "digest": digest} | secret,
        "lineage": _lineage(arguments),
        "metrics": {key: _decimal(key, value) for key, value in _pairs(arguments, "metric")},
    }
    try:
        ModelVersionSpec.model_validate(spec)
    except ValidationError as error:
        raise UserError(describe(error, "spec")) from None
    namespace = {"namespace": arguments.namespace} if arguments.namespace else {}
    return {
        "apiVersion": names.API_VERSION,
        "kind": KIND,
        "metadata": {"name": f"{arguments.name}-{arguments.number}"} | namespace,
        "spec": {key: value for key, value in spec.items() if value},
    }


def _lineage(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.tracker and not arguments.run_id:
        raise UserError("--tracker: it tells where a run is recorded; add the run's --run-id")
    git = read_git(arguments.code)
    if git is None:
        where = arguments.code.absolute()
        print(f"hune: {where} is in no git repository: no code is recorded", file=sys.stderr)
    found = {
        "git": git,
        "data": [read_data(text) for text in arguments.data],
        "parameters": dict(_pairs(arguments, "parameter")),
        "run": {
            key: value
            for key, value in {"id": arguments.run_id, "tracker": arguments.tracker}.items()
            if value
        },
        "parent": arguments.parent,
    }
    return {key: value for key, value in found.items() if value}


def _pairs(arguments: argparse.Namespace, option: str) -> Iterator[tuple[str, str]]:
    for text in getattr(arguments, option):
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UserError(f"--{option} {text}: write it as KEY=VALUE")
        yield key, value


def _decimal(key: str, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UserError(f"--metric {key}={text}: write a decimal number such as 0.95") from None
    if not number.is_finite():
        raise UserError(f"--metric {key}={text}: only finite numbers can be recorded")
    return f"{number:f}"
