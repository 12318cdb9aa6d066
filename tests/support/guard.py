"""The real guard, as a process with mounted files, on loopback."""

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from hune.contract.access import OPEN, AccessSettings
from hune.contract.guard import GuardSettings
from tests.support.logged_process import TIMEOUT_SECONDS, LoggedProcess

ROOT = Path(__file__).parents[2]


class Mount:
    """A directory that changes as kubelet changes one: a link to a new folder, exchanged."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._count = 0

    def write(self, name: str, content: bytes) -> Path:
        self._count += 1
        folder = self._directory / f"..{self._count}"
        folder.mkdir()
        (folder / name).write_bytes(content)
        fresh = self._directory / "..fresh"
        fresh.symlink_to(folder.name)
        fresh.rename(self._directory / "..data")
        file = self._directory / name
        if not file.is_symlink():
            file.symlink_to(f"..data/{name}")
        return file


class GuardProcess(LoggedProcess):
    """Starts with settings for a predictor's port, open to everybody; ends when closed.

    Attributes:
        port: Where it listens.
        key: The key of its prediction ids.
        patience: Seconds that its start, or an answer of it, may take.
    """

    module = "hune.dataplane.guard"
    patience: float = TIMEOUT_SECONDS

    def __init__(
        self,
        directory: Path,
        predictor_port: int,
        *,
        access: AccessSettings = AccessSettings(OPEN),  # noqa: B008 immutable
        **environment: str,
    ) -> None:
        self.settings = GuardSettings(
            deployment="income",
            namespace="default",
            model_version="income-7",
            revision="income-1a2b3c4d",
            protocol="V2",
            predictor_port=predictor_port,
            access=access,
        )
        self.key = secrets.token_bytes(32)
        super().__init__()
        self._settings_mount = Mount(directory / "guard")
        self._key_mount = Mount(directory / "key")
        self._environment = environment
        self.write_settings()
        self.write_key()

    def start(self) -> Self:
        pipe, variables = subprocess.PIPE, self._variables()
        self._follow(subprocess.Popen(self._command(), env=variables, stderr=pipe, text=True))
        self.port = int(self.wait_for_line("listening on", self.patience).rpartition(":")[2])
        return self

    def run_to_end(self) -> tuple[int, str]:
        """Run a guard that ends by itself; return its status and what it wrote."""
        ended = subprocess.run(
            self._command(),
            env=self._variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return ended.returncode, ended.stderr

    def write_settings(self, **changes: Any) -> None:
        document = json.loads(self.settings.to_json()) | changes
        self.write_settings_bytes(json.dumps(document).encode())

    def write_settings_bytes(self, content: bytes) -> None:
        self._settings_file = self._settings_mount.write("guard.json", content)

    def write_key(self, key: bytes | None = None) -> None:
        self._key_file = self._key_mount.write("key", self.key if key is None else key)

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def peak_bytes(self) -> int:
        """Return the most that it ever had in memory."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(kibibytes) << 10

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """End it now, as Ctrl-C does; a drain that is under way is cut short."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        return self._process.wait(TIMEOUT_SECONDS)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", self.module]

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "operator"),
            "HUNE_PORT": "0",
            "HUNE_GUARD_FILE": str(self._settings_file),
            "HUNE_PREDICTION_KEY_FILE": str(self._key_file),
            "HUNE_DRAIN_SECONDS": "0",
            **self._environment,
        }
