"""Programs that stay: started in the cluster's network, recorded, stopped by process id."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster.command import LAST_LINES, ClusterError

NSENTER = "/usr/bin/nsenter"


@dataclass(frozen=True)
class Record:
    """What is written down about a process; a process id alone may have been given to another."""

    pid: int
    started: str
    argv: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Process:
    """A program of the cluster, which another run of ours can find and stop."""

    name: str
    state: Path

    @property
    def log(self) -> Path:
        """Return where its output goes."""
        return self.state / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Return its process id; 0 when it never started."""
        record = self._read()
        return record.pid if record else 0

    @property
    def _record(self) -> Path:
        return self.state / "processes" / f"{self.name}.json"

    def start(
        self,
        argv: Sequence[str | Path],
        namespace: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it in a network namespace.

        It is entered with nsenter: ``ip netns exec`` would remount /sys and hide the cgroups.
        """
        words = [NSENTER, f"--net={namespace}", "--", *(str(word) for word in argv)]
        self._spawn(words, dict(environment or {}))

    def restart(self) -> None:
        """Start it again as it was started before."""
        record = self._read()
        if record is None:
            raise ClusterError(f"{self.name} was never started here")
        self.stop()
        self._spawn(record.argv, record.environment)

    def alive(self) -> bool:
        """Say whether exactly the recorded process still runs."""
        record = self._read()
        return record is not None and _started(record.pid) == record.started != ""

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to stop, and kill it after the grace period."""
        for sent, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            record = self._read()
            if record is None or not self.alive():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, sent)
            deadline = time.monotonic() + patience
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)

    def remove(self) -> None:
        """Stop it and forget it, so that the cluster is whole without it."""
        self.stop()
        self._record.unlink(missing_ok=True)

    def last_lines(self) -> str:
        """Return the end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LAST_LINES:])

    def _spawn(self, words: list[str], environment: dict[str, str]) -> None:
        for folder in (self.log.parent, self._record.parent):
            folder.mkdir(parents=True, exist_ok=True)
        output = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        # posix_spawn leaves no object behind that would warn about a child still running.
        pid = os.posix_spawn(
            words[0],
            words,
            {**os.environ, **environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), output, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        record = Record(pid, _started(pid), words, environment)
        self._record.write_text(json.dumps(asdict(record)))

    def _read(self) -> Record | None:
        return Record(**json.loads(self._record.read_text())) if self._record.exists() else None


def recorded(state: Path) -> list[Process]:
    """Return the processes recorded in a state folder, the latest started first."""
    files = sorted((state / "processes").glob("*.json"), key=lambda file: -file.stat().st_mtime)
    return [Process(file.stem, state) for file in files]


def _started(pid: int) -> str:
    """Return when a process started, or nothing if it is gone or only waits to be reaped."""
    try:
        # The name, in brackets, may hold spaces; the fields after it do not.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if fields[0] == "Z" else f"{boot}/{fields[19]}"


def wait_for(
    what: str, ready: Callable[[], bool], timeout: float = 60.0, processes: Iterable[Process] = ()
) -> None:
    """Wait until something is so.

    Args:
        what: Named in the error.
        ready: Asked ten times a second.
        timeout: In seconds.
        processes: Those it depends on; when one of them ends, waiting is over.

    Raises:
        ClusterError: It did not happen; the message carries the logs' last lines.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        dead = [process for process in processes if not process.alive()]
        if dead or time.monotonic() > deadline:
            reason = f"{dead[0].name} ended" if dead else f"{what} took more than {timeout:.0f} s"
            logs = [f"--- {each.log}\n{each.last_lines()}" for each in dead or processes]
            raise ClusterError("\n".join([reason, *logs]))
        time.sleep(0.1)
