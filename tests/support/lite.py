"""The real Lite process: guard and model in one, with mounted files, on loopback."""

import os
from pathlib import Path
from typing import Any

from tests.cluster import emulation
from tests.support.guard import GuardProcess
from tests.support.memory_group import MemoryGroup
from tests.support.unpacked import Unpacked

NO_PREDICTOR = 8080


class LiteProcess(GuardProcess):
    """A guard with the model of a file or directory in its own process."""

    module = "hune.dataplane.lite"

    def __init__(self, directory: Path, model: Path, **options: Any) -> None:
        super().__init__(directory, NO_PREDICTOR, HUNE_MODEL_DIRECTORY=str(model), **options)


class LiteImage(LiteProcess):
    """The same out of its image, with nothing else of this machine's files in sight."""

    def __init__(
        self, image: Unpacked, model: Path, *, group: MemoryGroup | None = None, **options: Any
    ) -> None:
        """Make a process; the model, and what the options name, lie below the image's root."""
        self._image = image
        self._group = group
        directory = image.root / "run" / "mounts"
        directory.mkdir(parents=True)
        super().__init__(directory, model, **options)

    def _command(self) -> list[str]:
        return self._image.command(*self._image.entrypoint, steps=self._steps())

    def _steps(self) -> list[str]:
        """Return what the shell does before it starts."""
        return [f"echo $$ > {self._group.folder}/cgroup.procs"] if self._group else []

    def _variables(self) -> dict[str, str]:
        root = str(self._image.root)
        given = {name: value.removeprefix(root) for name, value in super()._variables().items()}
        return given | self._image.environment


class ArmImage(LiteImage):
    """The same for ARM, on this machine: qemu is a Raspberry Pi 4, and takes its time."""

    patience = 300.0

    def _steps(self) -> list[str]:
        described = emulation.describe_processor(os.cpu_count() or 1)
        (self._image.root / "run" / "cpuinfo").write_text(described)
        return [*super()._steps(), 'mount --bind "$0/run/cpuinfo" "$0/proc/cpuinfo"']

    def _variables(self) -> dict[str, str]:
        return super()._variables() | {"QEMU_CPU": emulation.PROCESSOR}
