"""What made a model: the code and the data."""

import re
import subprocess
from pathlib import Path
from typing import Any

from hune.cli.errors import UserError
from hune.contract.digest import digest_of

_PASSWORD = re.compile(r"^(\w+://)[^/@]*@")


def read_git(directory: Path) -> dict[str, Any] | None:
    """Return repository, commit and whether anything was uncommitted; None outside of a repository.

    A repository without a remote is named by its directory.
    """
    commit = _git(directory, "rev-parse", "HEAD")
    if not commit:
        return None
    remote = _git(directory, "remote", "get-url", "origin")
    repository = remote or f"file://{_git(directory, 'rev-parse', '--show-toplevel')}"
    return {
        "repository": _PASSWORD.sub(r"\1", repository),
        "commit": commit,
        "dirty": bool(_git(directory, "status", "--porcelain")),
    }


def read_data(text: str) -> dict[str, str]:
    """Return a data set's uri, and its digest where it can be read here.

    Args:
        text: A local path, `URI=PATH` with a local copy, or only a `URI`.

    Raises:
        UserError: The path does not exist or has no digest.
    """
    uri, _, path = text.rpartition("=") if "=" in text else (text, "", text)
    if "://" in path:
        return {"uri": text}
    try:
        return {"uri": uri, "digest": digest_of(Path(path))}
    except (OSError, ValueError) as error:
        raise UserError(f"--data {text}: {error}") from None


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
