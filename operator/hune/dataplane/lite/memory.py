"""Giving back the memory that only starting takes."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_DONT_NEED: Final = 4  # MADV_DONTNEED, of the kernel's interface
_CODE: Final = "r-xp"


def give_back() -> None:
    """Let go of code that ran only once, and of freed memory.

    Importing libraries and loading a model touches most of onnxruntime's code, and serving little
    of it. What is needed again comes back from the page cache. Only code is let go: it is as it is
    in the file, whereas read-only data may have been relocated.
    """
    try:
        library = ctypes.CDLL(None)
        library.malloc_trim(0)
        library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for start, end in _code(_MAPS.read_text()):
            library.madvise(start, end - start, _DONT_NEED)
    except (OSError, AttributeError):
        return  # another system than Linux with glibc keeps what it took


def _code(maps: str) -> Iterator[tuple[int, int]]:
    """Yield where the code of files is mapped."""
    for line in maps.splitlines():
        addresses, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights == _CODE and name and name[0].startswith("/"):
            start, _, end = addresses.partition("-")
            yield int(start, 16), int(end, 16)
