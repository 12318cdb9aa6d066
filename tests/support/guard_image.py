"""The real guard out of its image, with nothing else of this machine's files in sight."""

from pathlib import Path
from typing import Any

from tests.support.guard import GuardProcess
from tests.support.memory_group import MemoryGroup
from tests.support.unpacked import Unpacked


class Contained(GuardProcess):
    """A process out of an unpacked image; paths that the options name lie below its root."""

    _image: Unpacked
    _group: MemoryGroup | None = None

    @staticmethod
    def _mounts(image: Unpacked) -> Path:
        """Return a new folder for what a cluster would mount."""
        directory = image.root / "run" / "mounts"
        directory.mkdir(parents=True)
        return directory

    def _command(self) -> list[str]:
        return self._image.command(*self._image.entrypoint, steps=self._steps())

    def _steps(self) -> list[str]:
        """Return what the shell does before it starts."""
        return [f"echo $$ > {self._group.folder}/cgroup.procs"] if self._group else []

    def _variables(self) -> dict[str, str]:
        root = str(self._image.root)
        given = {name: value.removeprefix(root) for name, value in super()._variables().items()}
        return given | self._image.environment


class GuardImage(Contained):
    """The guard, before a predictor on this machine."""

    def __init__(self, image: Unpacked, predictor_port: int, **options: Any) -> None:
        self._image = image
        super().__init__(self._mounts(image), predictor_port, **options)
