"""The directory an artefact is downloaded to."""

import shutil
from pathlib import Path

from hune.dataplane.storage.errors import RefusedError


def prepare(directory: Path, uri: str) -> None:
    """Make the directory exist and be empty; a killed attempt may have left files in it.

    Raises:
        RefusedError: The path lies on no volume. Emptying it is safe only where nothing but a
            download can be.
    """
    if not directory.is_absolute() or ".." in directory.parts or not _is_on_volume(directory):
        found = f"the destination {directory} is on no mounted volume"
        raise RefusedError("SourceInvalid", uri, found, "mount one there")
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


def place(directory: Path, name: str, uri: str) -> Path:
    """Return where a file of this name belongs below the directory.

    Raises:
        RefusedError: The name would lead out of the directory, or is no file's path at all.
    """
    if "\0" in name or any(part in {"", ".", ".."} for part in name.split("/")):
        found = f"the name {name!r} cannot be a file's path"
        raise RefusedError("SourceInvalid", uri, found, "rename or delete the object")
    return directory / name


def _is_on_volume(directory: Path) -> bool:
    above = [directory, *directory.parents][:-1]
    return any(place.is_mount() for place in above)
