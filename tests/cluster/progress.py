"""Short lines on standard error that say what takes how long."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(line: str) -> None:
    """Print a line for the person who waits."""
    print(f"cluster: {line}", file=sys.stderr, flush=True)


@contextmanager
def step(what: str, *, expected: str = "") -> Iterator[None]:
    """Time a step; one that is expected to take long is announced as well."""
    if expected:
        say(f"{what} ({expected}) …")
    begin = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - begin:.1f} s")
