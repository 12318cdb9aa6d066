"""Where built things live: outside the checkout, each in a folder named after its inputs."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

IGNORED = {"__pycache__", ".venv", ".git"}


def root() -> Path:
    """Return the cache folder: HUNE_CACHE, or the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hune"
    return Path(os.environ.get("HUNE_CACHE") or default)


def fingerprint(inputs: Iterable[str | Path]) -> str:
    """Hash words, files and whole folders to the twelve characters that name a result."""
    digest = hashlib.sha256()
    for entry in inputs:
        if isinstance(entry, str):
            digest.update(entry.encode() + b"\0")
            continue
        for file in sorted(_files(entry)):
            name, mode = file.relative_to(entry.parent), file.stat().st_mode & 0o111
            digest.update(f"{name}\0{mode}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if name not in IGNORED]
        yield from (Path(folder, file) for file in files if not file.endswith(".pyc"))


def once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return ``target``, built unless it is there.

    It is built beside its place and renamed when complete, so an interrupted build leaves nothing
    that looks finished; a lock makes a second process wait for the first one's result.
    """
    if target.exists():
        return target
    with lock(root() / "locks" / target.name):
        if target.exists():
            return target
        unfinished = target.with_name(f".unfinished-{target.name}")
        _remove(unfinished)
        target.parent.mkdir(parents=True, exist_ok=True)
        build(unfinished)
        unfinished.rename(target)
    return target


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock against every other process that names the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
