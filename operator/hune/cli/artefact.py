"""The files of a trained model, and where they are to lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hune.cli.errors import UserError
from hune.contract.digest import digest_of, digest_of_files, files_below


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model's files as they will be stored.

    Attributes:
        uri: What a ModelVersion will name.
        base: The directory that the files go to; the uri itself unless that names one file.
        files: Local files by their name below the base.
        digest: What the initializer will find at the uri.
    """

    uri: str
    base: str
    files: Mapping[str, Path]
    digest: str


def collect(path: Path, destination: str) -> Artefact:
    """Return the artefact that a file or directory becomes at a destination.

    Raises:
        UserError: There is nothing to store, or a link leads out of the directory.
    """
    uri = destination.rstrip("/")
    parent, _, last = uri.rpartition("/")
    if not path.exists():
        raise UserError(f"PATH: {path} does not exist")
    try:
        files = files_below(path) if path.is_dir() else {path.name: path}
    except ValueError as error:
        raise UserError(f"PATH: {error}") from None
    if not files:
        raise UserError(f"PATH: {path} holds no file; train the model first")
    # As the initializer sees it: a uri that ends in the name of its only file is that file.
    if [*files] == [last]:
        base = uri if path.is_dir() else parent
        return Artefact(uri, base, files, digest_of(files[last]))
    return Artefact(uri, uri, files, digest_of_files(files))
