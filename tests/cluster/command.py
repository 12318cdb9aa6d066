"""Commands run to their end, and the one error a person gets to see."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

LAST_LINES = 25


class ClusterError(Exception):
    """The cluster cannot do what was asked; the message says what to do about it."""


def run(
    argv: Sequence[str | Path],
    *,
    text: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Run a command and return what it printed.

    Args:
        argv: The program and its arguments.
        text: What it reads on standard input.
        environment: Variables added to ours.
        folder: Where it runs.

    Returns:
        Its standard output.

    Raises:
        ClusterError: It failed; the message ends with its last lines.
    """
    words = [str(word) for word in argv]
    done = subprocess.run(
        words,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()[-LAST_LINES:]
        raise ClusterError("\n".join([f"`{' '.join(words)[:300]}` failed:", *lines]))
    return done.stdout


def try_run(argv: Sequence[str | Path]) -> bool:
    """Run a command whose failure is an answer, not an error."""
    words = [str(word) for word in argv]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
