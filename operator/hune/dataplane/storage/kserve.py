"""Artefacts in any other place that KServe's library can read."""

import errno
import logging
import mimetypes
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from kserve_storage import Storage

from hune.dataplane.storage.errors import Reason, RefusedError

_ARCHIVES = {"application/x-tar", "application/zip"}
# Traces of how it came, not of what came: no two downloads have the same.
_TRACES = {".git", ".cache"}
# The library raises RuntimeError for everything; these are words of its messages.
_SIGNS: tuple[tuple[str, Reason], ...] = (
    ("authentication failed", "AccessDenied"),
    ("access denied", "AccessDenied"),
    ("credentials", "AccessDenied"),
    ("not found", "SourceNotFound"),
    ("does not exist", "SourceNotFound"),
    ("no model found", "SourceNotFound"),
    ("invalid hugging face", "SourceInvalid"),
    ("cannot be empty in uri", "SourceInvalid"),
    ("did not respond with", "SourceInvalid"),
    ("no filename", "SourceInvalid"),
    ("unpack", "SourceInvalid"),
)
_ADVICE: dict[Reason, tuple[str, str]] = {
    "AccessDenied": ("the storage refused", "check the Secret that secretRef names"),
    "SourceNotFound": ("nothing is there", "check the uri"),
    "SourceInvalid": ("it is no model", "check that the uri names files, not a page"),
    "SourceUnreachable": ("the storage does not answer as it should", "check its address"),
}


def fetch(uri: str, directory: Path, pauses: Sequence[float] = (1, 3, 9)) -> None:
    """Download what the uri names; an unreachable storage is asked again after each pause.

    Raises:
        RefusedError: It is not there, not allowed, not reachable, or an archive.
    """
    if mimetypes.guess_type(urlsplit(uri).path)[0] in _ARCHIVES:
        raise RefusedError("SourceInvalid", uri, "it is an archive", "unpack it where it lies")
    for pause in pauses:
        try:
            return _fetch_once(uri, directory)
        except RefusedError as refused:
            if refused.refusal.reason != "SourceUnreachable":
                raise
            time.sleep(pause)
    return _fetch_once(uri, directory)


def _fetch_once(uri: str, directory: Path) -> None:
    # A key with `..` then lands in the scratch directory, which goes; and the root file system
    # is read-only, so that home and temporary files need a place on the volume too.
    scratch = directory / ".hune-scratch"
    arrived = scratch / "files" / "artefact"
    home = scratch / "home"
    for place in (arrived, home):
        place.mkdir(parents=True)
    os.environ.update(HOME=str(home), TMPDIR=str(home), HF_HOME=str(home))
    try:
        _download(uri, arrived)
        for entry in arrived.iterdir():
            if entry.name not in _TRACES:
                entry.rename(directory / entry.name)
    finally:
        shutil.rmtree(scratch)


def _download(uri: str, directory: Path) -> None:
    # Its log lines hold whole uris, and these may hold secrets.
    logging.getLogger("storage.initializer").setLevel(logging.CRITICAL)
    try:
        Storage.download(uri, str(directory))
    except Exception as error:  # the library lets through whatever its clients raise
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise _refusal(uri, error) from None


def _refusal(uri: str, error: Exception) -> RefusedError:
    text = str(error).lower()
    unknown: Reason = "SourceUnreachable"
    reason = next((found for sign, found in _SIGNS if sign in text), unknown)
    found, advice = _ADVICE[reason]
    return RefusedError(reason, uri, f"{found} ({type(error).__name__})", advice)
