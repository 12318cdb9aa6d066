"""Filling in the digests that a file's sources lack, or have wrong."""

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

from hune.cli.documents import Document, read_field
from hune.cli.errors import UserError


def pin(document: Document) -> Document:
    """Return a ModelDeployment or ModelVersion with the digest of what lies at its uri.

    Raises:
        UserError: The artefact cannot be read from here.
    """
    path = ("spec",) if document["kind"] == "ModelVersion" else ("spec", "model")
    uri = read_field(document, *path, "source", "uri")
    if uri is None:
        return document
    pinned = deepcopy(document)
    read_field(pinned, *path, "source")["digest"] = _digest_at(str(uri))
    return pinned


def _digest_at(uri: str) -> str:
    from hune.dataplane.storage import s3
    from hune.dataplane.storage.errors import RefusedError
    from hune.dataplane.storage.verification import find_digest

    if not uri.startswith("s3://"):
        raise UserError(
            f"source.uri: {uri!r} cannot be read from here, only s3:// can; `hune register` stores "
            "the artefact and prints its digest"
        )
    with TemporaryDirectory(prefix="hune-") as folder:
        try:
            s3.fetch(uri, Path(folder))
        except RefusedError as refused:
            raise UserError(
                f"{refused.found}; check the uri, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                "AWS_ENDPOINT_URL"
            ) from None
        return find_digest(uri, Path(folder))
