"""A control group that bounds memory, as kubelet makes one for pods and one for each pod."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.eventually import eventually

_UNIFIED = Path("/sys/fs/cgroup")
_SEPARATE = _UNIFIED / "memory"


class MemoryGroup:
    """One group of either version of the kernel's interface.

    Attributes:
        folder: Where the kernel shows it; who writes a process to `cgroup.procs` puts it in.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Make the group.

        Args:
            folder: Its place below the hierarchy.
            limit: Bytes that its processes and their cached files may take.
        """
        self.folder = folder
        self._inner: list[MemoryGroup] = []
        self._separate = folder.is_relative_to(_SEPARATE)
        folder.mkdir()
        file = "memory.limit_in_bytes" if self._separate else "memory.max"
        (folder / file).write_text(str(limit))

    def inner(self, name: str, limit: int) -> Self:
        """Make a group inside, with a limit of its own."""
        if not self._separate:
            (self.folder / "cgroup.subtree_control").write_text("+memory")
        group = type(self)(self.folder / name, limit)
        self._inner.append(group)
        return group

    def kills(self) -> int:
        """Return how many processes here and inside the kernel has killed for memory."""
        file = "memory.oom_control" if self._separate else "memory.events.local"
        lines = [line.split() for line in (self.folder / file).read_text().splitlines()]
        (own,) = (int(value) for name, value in lines if name == "oom_kill")
        return own + sum(group.kills() for group in self._inner)

    def peak(self) -> int:
        """Return the most bytes that it ever held, cached files included."""
        file = "memory.max_usage_in_bytes" if self._separate else "memory.peak"
        return int((self.folder / file).read_text())

    def close(self) -> None:
        """End what runs in it, and remove it."""
        for group in self._inner:
            group.close()
        for pid in self._members():
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self._members(), 10)
        self.folder.rmdir()

    def _members(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]


@contextmanager
def memory_group(name: str, limit: int) -> Iterator[MemoryGroup]:
    """Make a group for the time of a test."""
    root = _SEPARATE if _SEPARATE.is_dir() else _UNIFIED
    if root == _UNIFIED:
        (root / "cgroup.subtree_control").write_text("+memory")
    group = MemoryGroup(root / f"hune-{name}-{os.getpid()}", limit)
    try:
        yield group
    finally:
        group.close()
