"""The real authorizer, as a process on loopback."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.guard import ROOT
from tests.support.logged_process import TIMEOUT_SECONDS, LoggedProcess


class AuthorizerProcess(LoggedProcess):
    """Asks the API server that a kubeconfig names.

    Attributes:
        port: Where it listens; the same at every start.
    """

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__()
        self._kubeconfig = kubeconfig
        self.port = 0

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def start(self) -> "AuthorizerProcess":
        before = len(self.log)
        command = [sys.executable, "-m", "hune.cli.main", "authorizer", "--probes-port", "0"]
        command += ["--port", str(self.port), "--drain-seconds", "0"]
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "operator"),
            "KUBECONFIG": str(self._kubeconfig),
        }
        pipe = subprocess.PIPE
        self._follow(subprocess.Popen(command, env=variables, stderr=pipe, text=True))
        line = self.wait_for_line_after("listening on port", before)
        self.port = int(line.rpartition("port ")[2].rstrip('"}'))
        return self

    def kill(self) -> None:
        """End at once, as with a lost node; nobody is told."""
        self.close()

    def terminate(self) -> int:
        """End as kubelet ends it; return the exit status."""
        self._process.terminate()
        return self._process.wait(TIMEOUT_SECONDS)
