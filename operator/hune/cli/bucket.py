"""A model's place in S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hune.cli.artefact import Artefact
from hune.cli.errors import UserError
from hune.dataplane.storage import s3
from hune.dataplane.storage.errors import RefusedError
from hune.dataplane.storage.verification import find_digest

_ADVICE = {
    "AccessDenied": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may do this",
    "SourceUnreachable": "check --endpoint-url and the network",
}


class Bucket:
    """Where an artefact lies, or will lie, in S3."""

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact

    def find_digest(self) -> str | None:
        """Return the digest of what is stored, read back as an initializer does; None: nothing.

        Raises:
            UserError: It cannot be read.
        """
        uri = self._artefact.uri
        with _told(), TemporaryDirectory(prefix="hune-") as directory:
            try:
                s3.fetch(uri, Path(directory))
            except RefusedError as refused:
                if refused.refusal.reason == "SourceNotFound":
                    return None
                raise
            return find_digest(uri, Path(directory))

    def store(self) -> None:
        """Upload the files, then remove what else lay there.

        Raises:
            UserError: The storage does not let us.
        """
        files = self._artefact.files
        bucket, prefix = s3.locate(self._artefact.base)
        wanted = {f"{prefix}/{name}".lstrip("/"): path for name, path in files.items()}
        with _told(), s3.explained(self._artefact.uri):
            client = s3.connect()
            for key, path in wanted.items():
                with path.open("rb") as content:
                    client.upload_fileobj(content, bucket, key)
            if self._artefact.base == self._artefact.uri:
                for key in {*s3.keys(client, bucket, f"{prefix}/".lstrip("/"))} - {*wanted}:
                    client.delete_object(Bucket=bucket, Key=key)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        advice = _ADVICE.get(refused.refusal.reason, "check --to")
        raise UserError(f"{refused.found}; {advice}") from None
