"""Digests of model artefacts, computed alike by `hune register` and by the initializer."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PATTERN: Final = r"^sha256:[0-9a-f]{64}$"
_CHUNK: Final = 1 << 20


def digest_of(path: Path) -> str:
    r"""Return the digest of a file or of a directory.

    A file's digest is the sha256 of its bytes. A directory's is the sha256 over the sorted list
    of its files, one line `<relative path>\0<sha256 hex>\n` each, so that neither the order nor
    the times of a download matter.

    Args:
        path: An existing file or directory.

    Returns:
        `sha256:<64 hex>`.

    Raises:
        FileNotFoundError: Nothing is there.
        ValueError: The directory holds no file, or a link out of it or to a directory.
    """
    if path.is_file():
        return f"sha256:{_file_hash(path)}"
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such file or directory")
    files = files_below(path)
    if not files:
        raise ValueError(f"{path}: the directory holds no file, so it has no digest")
    return digest_of_files(files)


def digest_of_files(files: Mapping[str, Path]) -> str:
    """Return the digest of a directory that would hold these files under these names."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{_file_hash(files[name])}\n".encode())
    return f"sha256:{total.hexdigest()}"


def files_below(directory: Path) -> dict[str, Path]:
    """Return a directory's files by their path in it, with `/` between parts.

    Raises:
        ValueError: It holds a link out of it or to a directory.
    """
    root = directory.resolve()
    entries = list(directory.rglob("*"))
    for link in filter(Path.is_symlink, entries):
        # A linked directory is not walked into, so the digest would not cover what it shows.
        if link.is_dir() or not link.resolve().is_relative_to(root):
            raise ValueError(f"{link}: a link to a directory or out of {directory}; copy it in")
    return {e.relative_to(directory).as_posix(): e for e in entries if e.is_file()}


def _file_hash(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
