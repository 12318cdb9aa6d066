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
    found = _digest(uri, place)
    if wanted is None:
        _log.info("%s: no digest is pinned; accepted with %s", redact(uri), found)
    elif found != wanted:
        message = (
            f"its digest is {found}, wanted is {wanted}: the files are not the ones that were "
            "registered; restore them, or register them as a new version"
        )
        raise RefusedError("DigestMismatch", uri, message)
    else:
        _log.info("%s: %s as wanted", redact(uri), found)


def _digest(uri: str, place: Path) -> str:
    try:
        if not place.exists() or (place.is_dir() and not any(place.iterdir())):
            raise RefusedError("SourceNotFound", uri, f"no file is at {place}; check the uri")
        return digest_of(_single_file(uri, place) or place)
    except ValueError as error:
        raise RefusedError("SourceInvalid", uri, str(error)) from None
    except OSError as error:
        message = f"{error.filename} cannot be read ({error.strerror}); allow user {os.getuid()}"
        raise RefusedError("AccessDenied", uri, message) from None


def _single_file(uri: str, place: Path) -> Path | None:
    # A uri that names one file has that file's own digest, as `sha256sum` prints it.
    if not place.is_dir():
        return None
    match list(place.iterdir()):
        case [entry] if entry.name == redact(uri).rpartition("/")[2] and entry.is_file():
            return entry
    return None
