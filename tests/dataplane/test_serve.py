"""`hune serve`: what a deployment's file says, answered on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from hune.contract.digest import digest_of
from tests.support.guard import ROOT
from tests.support.http import ask
from tests.support.local_deployment import edit, write_deployment
from tests.support.logged_process import TIMEOUT_SECONDS

ROW = load_breast_cancer().data[19:20].tolist()


class Serving:
    """A running `hune serve`.

    Attributes:
        said: What it printed, as the lines come.
    """

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hune.cli.main", "serve", *words],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def port(self) -> int:
        assert self._listening.wait(TIMEOUT_SECONDS), self.said
        (line,) = (line for line in self.said if "listening on" in line)
        return int(line.rpartition(":")[2])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(TIMEOUT_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip("\n"))
                if "listening on" in line:
                    self._listening.set()
        self._listening.set()


@contextmanager
def serving(*words: str) -> Iterator[Serving]:
    started = Serving(*words)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_deployment(tmp_path)


def test_a_file_is_served_with_its_guard_until_ctrl_c(file: Path) -> None:
    with serving("-f", str(file), "--port", "0") as started:
        port = started.port()
        body = json.dumps({"instances": ROW}).encode()
        answer = ask(port, "POST", "/v1/models/income:predict", body).json()
        assert answer["predictions"][0]["label"] == 1
        note = answer["hune"]
        # The contract knows one column, and the model takes thirty.
        assert (note["outlier"], note["contract_breaches"]) == (False, 29)
        assert note["model_version"].startswith("income-")
        assert ask(port, "GET", "/docs").status == 200
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(TIMEOUT_SECONDS) == 0
    assert "access is Open, whatever the file says: who reaches the port may ask" in started.said
    assert started.said[0].startswith(f"serving income, version {note['model_version']}, on a port")
    assert not any("Traceback" in line for line in started.said)


def test_with_an_authorizer_access_is_as_the_file_says(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        with serving("-f", str(file), "--port", "0", "--authorizer", address) as started:
            reply = ask(started.port(), "GET", "/v2/models/income")
    assert reply.status == 401
    assert any(f"access is Authorized, decided by {address}" in line for line in started.said)


def test_a_version_in_the_same_file_is_served(file: Path) -> None:
    digest = digest_of(file.parent / "model")
    edit(file, "source: {uri: model/, format: onnx}", "version: income-7")
    source = {"uri": "model", "format": "onnx", "digest": digest}
    spec = {"model": "income", "number": 7, "source": source}
    version = {"kind": "ModelVersion", "metadata": {"name": "income-7"}, "spec": spec}
    file.write_text(f"{file.read_text()}---\n{json.dumps(version)}\n")
    with serving("-f", str(file), "--port", "0") as started:
        metadata = ask(started.port(), "GET", "/v2/models/income").json()
    assert metadata["versions"] == ["income-7"]
