"""Rows out of a CSV or Parquet file, part by part, so that any size fits into memory."""

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from hune.cli.errors import UserError

if TYPE_CHECKING:
    from hune.dataplane.datacontract.texts import Cells

_PARQUET: Final = (".parquet", ".pq")
_MAXIMUM_COLUMNS: Final = 10_000
_MAXIMUM_ROW: Final = 16 << 20
_CHUNK_ROWS: Final = 8192
_CHUNK_CELLS: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        rows: How many.
        texts: Columns as they are written, None for null, by name; empty where they have a type.
        values: Columns whose cells have a type, by name; empty where they are texts.
    """

    rows: int
    texts: "dict[str, Cells]" = field(default_factory=dict)
    values: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a file.

    Attributes:
        delimiter: What stands between the cells of a CSV file.
        nulls: Texts that mean null there.
        without: Columns that are passed over.
    """

    delimiter: str
    nulls: frozenset[str]
    without: frozenset[str]

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Layout":
        """Return what the arguments say.

        Raises:
            UserError: The delimiter is no single character.
        """
        delimiter = arguments.delimiter.replace("\\t", "\t")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise UserError(f"--delimiter {arguments.delimiter!r}: one character is wanted")
        return cls(delimiter, frozenset({"", *arguments.null}), frozenset(arguments.without))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how data is read."""
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="a CSV file with a header, or a .parquet file")
    add("--without", action="append", default=[], metavar="COLUMN", help="pass a column over")
    nulls = "text that means null in a CSV file, beside the empty cell"
    add("--null", action="append", default=[], metavar="TEXT", help=nulls)
    add("--delimiter", default=",", help="what stands between the cells of a CSV file (,)")


def read_chunks(file: Path, layout: Layout) -> Iterator[Chunk]:
    """Yield a file's rows.

    Raises:
        UserError: It cannot be read, or is no such file; the message names the line.
    """
    read = _read_parquet if file.suffix.lower() in _PARQUET else _read_csv
    rows = 0
    for chunk in read(file, layout):
        rows += chunk.rows
        yield chunk
    if not rows:
        raise UserError(f"{file}: it holds no rows")


def _read_csv(file: Path, layout: Layout) -> Iterator[Chunk]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield from _read_stream(stream, file, layout)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None


def _read_stream(stream: TextIO, file: Path, layout: Layout) -> Iterator[Chunk]:
    lines = _Lines(stream, file)
    rows = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header, file, layout)
        for part in _parts(rows, lines, len(header)):
            columns = zip(header, zip(*part, strict=True), strict=True)
            yield Chunk(
                len(part),
                {
                    name: [None if cell in layout.nulls else cell for cell in cells]
                    for name, cells in columns
                    if name not in layout.without
                },
            )
    except csv.Error as error:
        raise UserError(f"{file}: line {lines.number}: {error}") from None


def _parts(rows: Iterable[list[str]], lines: "_Lines", width: int) -> Iterator[list[list[str]]]:
    part: list[list[str]] = []
    characters = 0
    limit = max(1, min(_CHUNK_ROWS, _CHUNK_CELLS // width))
    for row in rows:
        characters += lines.take_count()
        if not row:  # an empty line
            continue
        if len(row) != width:
            raise UserError(
                f"{lines.file}: line {lines.number} has {len(row)} cells, the header has {width}"
            )
        part.append(row)
        if len(part) >= limit or characters > _MAXIMUM_ROW:
            yield part
            part, characters = [], 0
    if part:
        yield part


class _Lines:
    """The lines of a file, none of them too long to be held, nor too many for one row."""

    def __init__(self, stream: TextIO, file: Path) -> None:
        self._stream = stream
        self._characters = 0
        self.file = file
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1
        try:
            line = self._stream.readline(_MAXIMUM_ROW)
        except UnicodeDecodeError:
            raise UserError(
                f"{self.file}: line {self.number} or one after it is not UTF-8; save it as UTF-8"
            ) from None
        if not line:
            raise StopIteration
        self._characters += len(line)
        if self._characters >= _MAXIMUM_ROW:
            raise UserError(f"{self.file}: line {self.number}: a row is longer than 16 MiB")
        if "\0" in line:
            raise UserError(
                f"{self.file}: line {self.number} holds a NUL character; is it a CSV file?"
            )
        return line

    def take_count(self) -> int:
        """Return the characters of the row that just ended."""
        taken, self._characters = self._characters, 0
        return taken


def _check_header(header: list[str], file: Path, layout: Layout) -> None:
    if not header:
        raise UserError(f"{file}: it is empty; a header with the columns' names is wanted")
    if len(header) > _MAXIMUM_COLUMNS:
        raise UserError(f"{file}: {len(header)} columns are more than the {_MAXIMUM_COLUMNS} read")
    if "" in header:
        raise UserError(f"{file}: column {header.index('') + 1} has no name in the header")
    name, count = Counter(header).most_common(1)[0]
    if count > 1:
        raise UserError(f"{file}: the header names column {name[:80]!r} {count} times")
    for unknown in layout.without.difference(header):
        raise UserError(f"--without {unknown}: {file} has no such column")


def _read_parquet(file: Path, layout: Layout) -> Iterator[Chunk]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError(
            f"{file}: Parquet is read by pyarrow, which is not installed: `pip install pyarrow`,"
            " or give a CSV file"
        ) from None
    try:
        with parquet.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            _check_header(list(names), file, layout)
            wanted = [name for name in names if name not in layout.without]
            size = max(1, min(_CHUNK_ROWS, _CHUNK_CELLS // len(names)))
            for batch in opened.iter_batches(batch_size=size, columns=wanted):
                pairs = zip(wanted, batch.columns, strict=True)
                yield Chunk(len(batch), values={name: a.to_pylist() for name, a in pairs})
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}") from None
    except pa.ArrowException as error:
        raise UserError(f"{file}: no Parquet file: {error}") from None
