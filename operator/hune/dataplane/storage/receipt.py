"""What `hune register` sends to a claim."""

import shutil
import tarfile
from pathlib import Path
from typing import IO

from hune.dataplane.storage.directory import place
from hune.dataplane.storage.errors import RefusedError


def receive(uri: str, directory: Path, stream: IO[bytes]) -> None:
    """Replace the directory by the files of a tar stream, at once or not at all.

    Raises:
        RefusedError: The stream holds something other than files below the directory.
    """
    arriving = directory.parent / f".{directory.name}.arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(parents=True)
    try:
        # A stream's end is seen by tar's own mark: what carries it here cannot be closed.
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                _write(archive, member, place(arriving, member.name, uri), uri)
        if directory.exists():
            shutil.rmtree(directory)
        arriving.rename(directory)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path, uri: str) -> None:
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise RefusedError("SourceInvalid", uri, f"{member.name!r} is no file", "send files only")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)
