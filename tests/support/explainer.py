"""The real explainer, as a process on loopback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from hune.contract.digest import digest_of
from tests.support.guard import ROOT
from tests.support.logged_process import TIMEOUT_SECONDS, LoggedProcess


class ExplainerProcess(LoggedProcess):
    """Starts with an artefact and a predictor's port; ends when closed.

    Attributes:
        port: Where it listens.
    """

    def __init__(
        self,
        artefact: Path,
        predictor_port: int = 1,
        *,
        python: str | Path = sys.executable,
        **environment: str,
    ) -> None:
        digest = {"HUNE_EXPLAINER_DIGEST": digest_of(artefact)} if artefact.exists() else {}
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "operator"),
            "HUNE_PORT": "0",
            "HUNE_EXPLAINER_DIRECTORY": str(artefact),
            "HUNE_PREDICTOR_PORT": str(predictor_port),
            "HUNE_DRAIN_SECONDS": "0",
            **digest,
            **environment,
        }
        super().__init__()
        command = [python, "-m", "hune.dataplane.explainer"]
        pipe = subprocess.PIPE
        self._follow(subprocess.Popen(command, env=variables, stderr=pipe, text=True))
        self.port = int(self.wait_for_line("listening on").rpartition(":")[2])

    def terminate(self) -> int:
        """End it as kubelet does; return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(TIMEOUT_SECONDS)
