"""Files that Kubernetes mounts and exchanges under a running process."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NoReturn, TypeVar

_LOG: Final = logging.getLogger(__name__)
_INTERVAL_SECONDS: Final = 0.25

T = TypeVar("T")
Stamp = tuple[str, int, int, int]


class UnusableFileError(Exception):
    """A file is missing or broken; the message says which, what and how to mend it."""


class MountedFile(Generic[T]):
    """One mounted file, parsed; it keeps its last good value when a later one is broken.

    A volume of a ConfigMap or Secret changes by exchanging a link above the file, so the file is
    polled by its real path; a watch on the path itself would never fire.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], T], fix: str) -> None:
        """Read the file for the first time.

        Args:
            path: The file.
            parse: Turns its bytes into the value; a ValueError's message names the field.
            fix: What a person does about a missing or broken file.

        Raises:
            UnusableFileError: There is no good value to begin with.
        """
        self.path = path
        self._parse = parse
        self._fix = fix
        self._stamp = _stamp(path)
        self.value: T = self._read()

    def refresh(self) -> bool:
        """Read the file again where it changed; tell whether the value is another one.

        Raises:
            UnusableFileError: The file changed and is broken now; said once per change.
        """
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        before, self.value = self.value, self._read()
        return before != self.value

    def _read(self) -> T:
        try:
            return self._parse(self.path.read_bytes())
        except OSError as error:
            raise UnusableFileError(f"{self.path}: {error.strerror}; {self._fix}") from None
        except ValueError as error:
            raise UnusableFileError(f"{self.path}: {error}; {self._fix}") from None


async def follow(
    files: Sequence[MountedFile[Any]],
    changed: Callable[[], None],
    failed: Callable[[Path], None],
) -> NoReturn:
    """Keep the files' values current, for ever.

    Args:
        files: What to poll.
        changed: Called after a value became another one.
        failed: Called with the path of a file that became unusable.
    """
    while True:
        await asyncio.sleep(_INTERVAL_SECONDS)
        for file in files:
            try:
                if file.refresh():
                    _LOG.info("%s changed and is in force", file.path)
                    changed()
            except UnusableFileError as error:
                _LOG.error("%s; the last good content stays in force", error)
                failed(file.path)


def _stamp(path: Path) -> Stamp | None:
    real = os.path.realpath(path)
    try:
        status = os.stat(real)  # noqa: PTH116 this runs four times a second
    except OSError:
        return None
    return real, status.st_ino, status.st_mtime_ns, status.st_size
