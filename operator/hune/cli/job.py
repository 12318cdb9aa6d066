"""What the commands share whose work a job does, of which not all is installed everywhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from hune.cli.errors import UserError


@contextmanager
def job(elsewhere: str) -> Iterator[None]:
    """Say in one line what keeps a job from being done.

    Args:
        elsewhere: What to do where a package is missing here.

    Raises:
        UserError: A package is missing, or the job cannot be done as asked.
    """
    try:
        from hune.dataplane.jobs.errors import JobError, MissingPackageError
    except ImportError as error:
        raise UserError(f"{error}; {elsewhere}") from None
    try:
        yield
    except (ImportError, MissingPackageError) as error:
        raise UserError(f"{error}; {elsewhere}") from None
    except JobError as error:
        raise UserError(str(error)) from None


def listed(text: str) -> list[str]:
    """Return what stands between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def pairs(words: list[str]) -> dict[str, str]:
    """Return what stands in KEY=VALUE words.

    Raises:
        UserError: A word is none, or a key is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or name in found:
            raise UserError(f"--parameter {word}: KEY=VALUE is wanted, each key once")
        found[name] = value
    return found
