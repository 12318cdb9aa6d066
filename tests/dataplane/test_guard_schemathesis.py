"""Schemathesis reads the guard's document and tries to find the guard at odds with it."""

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dataplane.conftest import StartGuard
from tests.support.contracts import METADATA, MIXED, NUMBERS
from tests.support.guard import GuardProcess
from tests.support.predictor import Behaviour, Predictor, Seen, response, serve_model

MODEL = "/v2/models/income"
OUTPUT = {"name": "y", "shape": [2], "datatype": "INT64", "data": [0, 1]}
# Without a contract that rejects, the guard leaves it to the predictor what an input is worth.
_UNPROMISED = ["negative_data_rejection"]
# JSON schema cannot say that a tensor has as many elements as its shape says.
_BEYOND_SCHEMA = [*_UNPROMISED, "positive_data_acceptance"]


@dataclass(frozen=True)
class Case:
    reason: str
    protocol: str
    contract: dict[str, Any] | None
    metadata: bytes

    @property
    def excluded(self) -> list[str]:
        return _UNPROMISED if self.protocol == "V1" else _BEYOND_SCHEMA


CASES = [
    Case("V1", "V1", None, b"{}"),
    Case("V1 with a contract", "V1", {**MIXED, "onBreach": "Flag"}, b"{}"),
    Case("V2", "V2", None, b"{}"),
    Case("V2 with metadata", "V2", None, METADATA),
    Case("V2 with a contract", "V2", {**MIXED, "onBreach": "Flag"}, b"{}"),
    Case("V2 with metadata and a contract", "V2", NUMBERS, METADATA),
]


def serves(metadata: bytes, output: dict[str, Any]) -> Behaviour:
    """Answer as a model that has this metadata and gives this output."""
    answer = json.dumps({"model_name": "income", "outputs": [output]}).encode()

    def behave(seen: Seen, connection: socket.socket) -> bool:
        path = seen.target.partition("?")[0]
        if path == MODEL:
            connection.sendall(response(metadata))
        elif path == f"{MODEL}/infer":
            connection.sendall(response(answer))
        else:
            return serve_model(seen, connection)
        return True

    return behave


def try_out(guard: GuardProcess, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with a fixed seed; its report is the message of a failure."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://127.0.0.1:{guard.port}/openapi.json",
            *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color"),
            *options,
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def start(
    start_guard: StartGuard, predictor: Predictor, case: Case, output: dict[str, Any]
) -> GuardProcess:
    predictor.behaviour = predictor.probed = serves(case.metadata, output)
    guard = start_guard()
    if case.protocol == "V1" or case.contract:
        guard.write_settings(protocol=case.protocol, dataContract=case.contract)
        guard.wait_for_line("is in force")
    return guard


def check(
    case: Case, start_guard: StartGuard, predictor: Predictor, folder: Path, examples: int
) -> None:
    guard = start(start_guard, predictor, case, OUTPUT)
    tried = try_out(
        guard,
        folder,
        *("--max-examples", str(examples), "--exclude-checks", ",".join(case.excluded)),
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    [generated] = re.findall(r"(\d+) generated", tried.stdout)
    assert int(generated) > 100, tried.stdout
    assert any(seen.method == "POST" for seen in predictor.seen)
    assert [line for line in guard.log if "ERROR" in line] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_the_guard_keeps_its_document(
    start_guard: StartGuard, predictor: Predictor, tmp_path: Path, case: Case
) -> None:
    check(case, start_guard, predictor, tmp_path, 10)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_the_guard_keeps_its_document_for_long(
    start_guard: StartGuard, predictor: Predictor, tmp_path: Path, case: Case
) -> None:
    check(case, start_guard, predictor, tmp_path, 500)


def test_a_broken_promise_is_found(
    start_guard: StartGuard, predictor: Predictor, tmp_path: Path
) -> None:
    """A predictor that gives another output than it says shows that the runs above look."""
    case = Case("a lie", "V2", None, METADATA)
    guard = start(start_guard, predictor, case, {**OUTPUT, "datatype": "FP32"})
    tried = try_out(
        guard,
        tmp_path,
        *("--include-operation-id", "predict", "--checks", "response_schema_conformance"),
        *("--max-examples", "1", "--no-shrink"),
    )
    assert tried.returncode == 1, tried.stdout + tried.stderr
    assert "Response violates schema" in tried.stdout
