"""The real Lite process: guard and model in one, with mounted files, on loopback."""

import os
from pathlib import Path
from typing import Any

from tests.cluster import emulation
from tests.support.guard import GuardProcess
from tests.support.guard_image import Contained
from tests.support.memory_group import MemoryGroup
from tests.support.unpacked import Unpacked

NO_PREDICTOR = 8080


class LiteProcess(GuardProcess):
    """A guard with the model of a file or directory in its own process."""

    module = "hune.dataplane.lite"

    def __init__(self, directory: Path, model: Path, **options: Any) -> None:
        super().__init__(directory, NO_PREDICTOR, HUNE_MODEL_DIRECTORY=str(model), **options)


class LiteImage(Contained, LiteProcess):
    """The same out of its image."""

    def __init__(
        self, image: Unpacked, model: Path, *, group: MemoryGroup | None = None, **options: Any
    ) -> None:
        """Make a process; the model lies below the image's root, too."""
        self._image, self._group = image, group
        super().__init__(self._mounts(image), model, **options)


class ArmImage(LiteImage):
    """The same for ARM, on this machine: qemu is a Raspberry Pi 4, and takes its time."""

    patience = 300.0

    def _steps(self) -> list[str]:
        described = emulation.describe_processor(os.cpu_count() or 1)
        (self._image.root / "run" / "cpuinfo").write_text(described)
        return [*super()._steps(), 'mount --bind "$0/run/cpuinfo" "$0/proc/cpuinfo"']

    def _variables(self) -> dict[str, str]:
        return super()._variables() | {"QEMU_CPU": emulation.PROCESSOR}
