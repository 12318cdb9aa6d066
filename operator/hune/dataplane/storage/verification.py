"""What a digest says about what was downloaded."""

import json
import logging
import os
from pathlib import Path

from hune.contract.digest import digest_of
from hune.dataplane.storage.errors import RefusedError, redact

_log = logging.getLogger("hune.storage")


def read_digests(text: str) -> dict[str, str]:
    """Parse the wanted digests, `{"<uri>": "sha256:…"}`; an empty text wants none.

    Raises:
        ValueError: It is something else: then nothing can be checked, so nothing may load.
    """
    if not text.strip():
        return {}
    document = json.loads(text)
    if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
        raise ValueError("not an object of strings")
    return document


def verify(uri: str, place: Path, wanted: str | None) -> None:
    """Check that what lies there has the wanted digest; with none wanted, that something does.

    Raises:
        RefusedError: It has another digest, or nothing is there.
    """
    found = find_digest(uri, place)
    if wanted is None:
        _log.info("%s: no digest is pinned; accepted with %s", redact(uri), found)
    elif found != wanted:
        difference = f"its digest is {found}, wanted is {wanted}"
        advice = "restore the registered files, or register these as a new version"
        raise RefusedError("DigestMismatch", uri, difference, advice)
    else:
        _log.info("%s: %s as wanted", redact(uri), found)


def find_digest(uri: str, place: Path) -> str:
    """Return the digest of what lies there; a uri that names one file has that file's own.

    Raises:
        RefusedError: Nothing is there, or it cannot have a digest, or may not be read.
    """
    try:
        if not place.exists() or (place.is_dir() and not any(place.iterdir())):
            raise RefusedError("SourceNotFound", uri, f"no file is at {place}", "check the uri")
        return digest_of(_single_file(uri, place) or place)
    except ValueError as error:
        raise RefusedError("SourceInvalid", uri, str(error), "then register it again") from None
    except OSError as error:
        unread = f"{error.filename} cannot be read ({error.strerror})"
        raise RefusedError("AccessDenied", uri, unread, f"allow user {os.getuid()}") from None


def _single_file(uri: str, place: Path) -> Path | None:
    if not place.is_dir():
        return None
    match list(place.iterdir()):
        case [entry] if entry.name == redact(uri).rpartition("/")[2] and entry.is_file():
            return entry
    return None
