"""The real authorizer, as a process on loopback."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.guard import ROOT, TIMEOUT_SECONDS


class AuthorizerProcess:
    """Asks the API server that a kubeconfig names.

    Attributes:
        port: Where it listens; the same at every start.
        log: What it wrote to standard error so far.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self.port = 0
        self.log: list[str] = []

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def start(self) -> "AuthorizerProcess":
        before = len(self.log)
        command = [sys.executable, "-m", "hune.cli.main", "authorizer", "--probes-port", "0"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--drain-seconds", "0"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "operator"),
                "KUBECONFIG": str(self._kubeconfig),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        eventually(lambda: self._listens(before), TIMEOUT_SECONDS, seen=lambda: self.log)
        return self

    def kill(self) -> None:
        """End at once, as with a lost node; nobody is told."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """End as kubelet ends it; return the exit status."""
        self._process.terminate()
        return self._process.wait(TIMEOUT_SECONDS)

    def _listens(self, before: int) -> bool:
        found = [line for line in self.log[before:] if "listening on port" in line]
        if found:
            self.port = int(found[0].rpartition("port ")[2].rstrip('"}'))
        return bool(found)

    def _read_log(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        with stream:
            for line in stream:
                self.log.append(line.rstrip("\n"))
