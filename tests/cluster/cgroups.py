"""The control groups under which kubelet keeps the pods of one cluster."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = "+cpuset +cpu +io +memory +pids"


def path(name: str) -> str:
    """Return the group of a cluster, as kubelet's cgroupRoot."""
    return f"/hune-{name}"


def create(name: str) -> None:
    """Create the group in every hierarchy; kubelet refuses to start without it."""
    for hierarchy in _hierarchies():
        group = hierarchy / path(name).lstrip("/")
        group.mkdir(exist_ok=True)
        if (group / "cgroup.subtree_control").exists() and hierarchy == ROOT:
            (ROOT / "cgroup.subtree_control").write_text(CONTROLLERS)
            (group / "cgroup.subtree_control").write_text(CONTROLLERS)
        # A new cpuset of version 1 has no processor and no memory until it is told.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (group / file).exists() and (hierarchy / file).exists():
                (group / file).write_text((hierarchy / file).read_text())


def remove(name: str) -> None:
    """Kill every process in the group and remove it with all groups below."""
    for _ in range(100):
        groups = [group for hierarchy in _hierarchies() for group in _below(hierarchy, name)]
        if not groups:
            return
        for pid in {pid for group in groups for pid in _members(group)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for group in groups:
            with contextlib.suppress(OSError):
                group.rmdir()
        time.sleep(0.05)


def _hierarchies() -> list[Path]:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(mount[1]) for mount in mounts if mount[2] in {"cgroup", "cgroup2"}]


def _below(hierarchy: Path, name: str) -> Iterator[Path]:
    """Yield the groups of a cluster, the innermost first."""
    for folder, _, _ in os.walk(hierarchy / path(name).lstrip("/"), topdown=False):
        yield Path(folder)


def _members(group: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (group / "cgroup.procs").read_text().split()]
    return []
