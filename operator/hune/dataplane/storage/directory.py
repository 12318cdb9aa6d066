"""The directory an artefact is downloaded to."""

import shutil
from pathlib import Path

from hune.dataplane.storage.errors import RefusedError


def prepare(directory: Path, uri: str) -> None:
    """Make the directory exist and be empty; a killed attempt may have left files in it.

    Raises:
        RefusedError: The path is not absolute, or lies on no volume. Emptying it is safe only
            where nothing but a download can be.
    """
    if not directory.is_absolute() or ".." in directory.parts:
        raise RefusedError("SourceInvalid", uri, f"the destination {directory} is not absolute")
    if not _is_on_volume(directory):
        message = f"the destination {directory} is on no mounted volume; mount one there"
        raise RefusedError("SourceInvalid", uri, message)
    directory.mkdir(parents=True, exist_ok=True)
    clear(directory)


def clear(directory: Path) -> None:
    """Remove what the directory holds, not the directory: it may be the volume itself."""
    if not directory.is_dir():
        return
    for entry in directory.iterdir():
        # lost+found belongs to the file system of a volume.
        if entry.name == "lost+found":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _is_on_volume(directory: Path) -> bool:
    above = [directory, *directory.parents][:-1]
    return any(place.is_mount() for place in above)
