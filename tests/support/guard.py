"""The real guard, as a process with mounted files, on loopback."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from hune.contract.access import OPEN, AccessSettings
from hune.contract.guard import GuardSettings

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 30


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


class GuardProcess:
    """Starts with settings for a predictor's port, open to everybody; ends when closed.

    Attributes:
        port: Where it listens.
        key: The key of its prediction ids.
        log: What it wrote to standard error so far.
    """

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
        self.log: list[str] = []
        self._grown = threading.Condition()
        self._settings_mount = Mount(directory / "guard")
        self._key_mount = Mount(directory / "key")
        self._environment = environment
        self.write_settings()
        self.write_key()

    def start(self) -> "GuardProcess":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hune.dataplane.guard"],
            env=self._variables(),
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        self.port = int(self.wait_for_line("listening on").rpartition(":")[2])
        return self

    def run_to_end(self) -> tuple[int, str]:
        """Run a guard that ends by itself; return its status and what it wrote."""
        ended = subprocess.run(
            [sys.executable, "-m", "hune.dataplane.guard"],
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

    def wait_for_line(self, text: str) -> str:
        """Return the first line of the log that holds the text, as soon as there is one."""
        with self._grown:
            found = self._grown.wait_for(lambda: self._find(text), TIMEOUT_SECONDS)
        assert found, f"no {text!r} in the guard's log: {self.log}"
        return found

    def wait_for_line_after(self, text: str, seen: int) -> None:
        """Wait for a line with the text beyond the first `seen` ones."""
        with self._grown:
            found = self._grown.wait_for(
                lambda: any(text in line for line in self.log[seen:]), TIMEOUT_SECONDS
            )
        assert found, f"no {text!r} in the guard's log: {self.log[seen:]}"

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """End it now, as Ctrl-C does; a drain that is under way is cut short."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        return self._process.wait(TIMEOUT_SECONDS)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _find(self, text: str) -> str | None:
        return next((line for line in self.log if text in line), None)

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                with self._grown:
                    self.log.append(line.rstrip("\n"))
                    self._grown.notify_all()

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
