"""Run the initializer: `URI DIRECTORY [URI DIRECTORY …]`, or `verify URI DIRECTORY` for a claim.

`hune register` runs the other two on a claim: `digest` prints the digest of what lies there,
`receive` replaces it by the tar stream on standard input.
"""

import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hune.contract.names import (
    ANNOTATION_DIGESTS,
    ARTEFACT_DIRECTORY,
    REFUSED_FILE,
    VARIABLE_DIGESTS,
)
from hune.dataplane.storage.directory import clear, prepare
from hune.dataplane.storage.errors import RefusedError
from hune.dataplane.storage.receipt import receive
from hune.dataplane.storage.verification import find_digest, read_digests, verify

_TERMINATION_LOG = "HUNE_TERMINATION_LOG"
# What the operator puts before a scheme, by which KServe finds the storage container.
_CONTAINER = re.compile(r"^[a-z0-9.-]+\+(?=[a-z0-9]+://)")
_MODES = ("verify", "digest", "receive")
_USAGE = f"usage: hune.dataplane.storage [{'|'.join(_MODES)}] URI DIRECTORY [URI DIRECTORY ...]"
_log = logging.getLogger("hune.storage")


def main(arguments: Sequence[str]) -> int:
    """Bring every artefact to its directory and check it; return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="hune-storage: %(message)s")
    _log.setLevel(logging.INFO)
    try:
        match arguments:
            case ["digest", uri, directory]:
                sys.stdout.write(find_digest(uri, Path(directory)))
            case ["receive", uri, directory]:
                receive(uri, Path(directory), sys.stdin.buffer)
            case ["verify", uri, directory]:
                verify(uri, Path(directory), _digests(uri).get(uri))
            case [first, _, *rest] if first not in _MODES and len(rest) % 2 == 0:
                uris = (_CONTAINER.sub("", uri) for uri in arguments[::2])
                places = map(Path, arguments[1::2])
                initialize(list(zip(uris, places, strict=True)))
            case _:
                _log.error(_USAGE)
                return 2
    except RefusedError as refused:
        _report(refused)
        return 1
    return 0


def initialize(artefacts: Sequence[tuple[str, Path]]) -> None:
    """Download every artefact, then check every one; whatever fails, leave none of it.

    They are checked after all have come, so that none can change one checked before. What the
    guard needs beside the model never keeps the pod from starting: why it is not there is left in
    its place, and the guard follows its failure policy.

    Raises:
        RefusedError: The model must not be loaded.
    """
    digests = _digests(artefacts[0][0])
    for uri, directory in artefacts:
        prepare(directory, uri)
    try:
        come = [artefact for artefact in artefacts if _attempt(_fetch, *artefact)]
        for uri, directory in come:
            _attempt(partial(verify, wanted=digests.get(uri)), uri, directory)
    except BaseException:
        for _, directory in artefacts:
            clear(directory)
        raise


def _attempt(step: Callable[[str, Path], None], uri: str, directory: Path) -> bool:
    """Take a step for an artefact; tell whether it went well, where it may go otherwise."""
    try:
        step(uri, directory)
    except RefusedError as refused:
        if not directory.is_relative_to(ARTEFACT_DIRECTORY):
            raise
        _log.error("%s: %s", refused.refusal.reason, refused)
        clear(directory)
        (directory / REFUSED_FILE).write_text(refused.refusal.to_json(), encoding="utf-8")
        return False
    return True


def _fetch(uri: str, directory: Path) -> None:
    fetch = _fetcher(uri)
    try:
        fetch(uri, directory)
    except OSError as error:
        failed = f"it cannot be stored in {directory}: {error.strerror}"
        raise RefusedError("SourceInvalid", uri, failed, "check names and sizes") from None


def _fetcher(uri: str) -> Callable[[str, Path], None]:
    # Loaded by need: a claim is verified without either, and each costs memory of every pod.
    match uri.partition("://"):
        case ["s3", "://", _]:
            from hune.dataplane.storage import s3  # noqa: PLC0415

            return s3.fetch
        case ["gs" | "http" | "https" | "hf", "://", _]:
            from hune.dataplane.storage import kserve  # noqa: PLC0415

            return kserve.fetch
    known = "use s3, gs, http, https, hf or pvc"
    raise RefusedError("SourceInvalid", uri, "the scheme is unknown", known)


def _digests(uri: str) -> dict[str, str]:
    try:
        return read_digests(os.environ.get(VARIABLE_DIGESTS, ""))
    except ValueError as error:
        unread = f"the wanted digests in {VARIABLE_DIGESTS} cannot be read: {error}"
        advice = f"check the pod's annotation {ANNOTATION_DIGESTS}"
        raise RefusedError("SourceInvalid", uri, unread, advice) from None


def _report(refused: RefusedError) -> None:
    _log.error("%s: %s", refused.refusal.reason, refused)
    place = Path(os.environ.get(_TERMINATION_LOG, "/dev/termination-log"))
    try:
        place.write_text(refused.refusal.to_json(), encoding="utf-8")
    except OSError as error:
        _log.error("%s: %s", place, error.strerror)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
