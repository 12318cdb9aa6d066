"""What a program or a library is loaded with, read from its file, for any machine of 64 bits.

`ldd` would tell it too, by running what may be for another machine. Format: System V ABI, chapters
4 and 5. The standard library only.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little endian
_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRING_TABLE = 1, 5


@dataclass(frozen=True)
class Linkage:
    """What a file asks for.

    Attributes:
        loader: Path of the loader; empty for a library.
        needed: Names of libraries.
    """

    loader: str = ""
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def read(file: Path) -> Linkage:
    """Return what a file asks for: nothing if it is no program or library."""
    data = file.read_bytes()
    if not data.startswith(_MAGIC):
        return Linkage()
    segments = _segments(data)
    loader = next((_text(data, one.offset) for one in segments if one.kind == _INTERPRETER), "")
    dynamic = next((one for one in segments if one.kind == _DYNAMIC), None)
    return Linkage(loader, _needed(data, segments, dynamic) if dynamic else ())


def _segments(data: bytes) -> list[_Segment]:
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for number in range(count):
        kind, _, offset, address, _, length = struct.unpack_from(
            "<IIQQQQ", data, table + number * size
        )
        found.append(_Segment(kind, offset, address, length))
    return found


def _needed(data: bytes, segments: list[_Segment], dynamic: _Segment) -> tuple[str, ...]:
    end = dynamic.offset + dynamic.size
    entries = list(struct.iter_unpack("<qQ", data[dynamic.offset : end]))
    address = next(value for tag, value in entries if tag == _STRING_TABLE)
    holder = next(
        one
        for one in segments
        if one.kind == _LOAD and one.address <= address < one.address + one.size
    )
    strings = address - holder.address + holder.offset
    return tuple(_text(data, strings + value) for tag, value in entries if tag == _NEEDED)


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode()
