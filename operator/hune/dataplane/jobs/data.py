"""Reading the rows that a detector is fitted on."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import DataError, MissingPackageError

Numbers = npt.NDArray[np.float64]
_SHOWN: Final = 40
# What float() takes and no spreadsheet means as a number: `1_000`, `nan`, `infinity`.
_NUMBER: Final = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Data:
    """Rows of numbers.

    Attributes:
        rows: Shape (rows, columns), finite.
        names: Names of the columns in their order; empty where the file has none.
    """

    rows: Numbers
    names: tuple[str, ...]


def read_data(path: Path, features: Sequence[str] = ()) -> Data:
    """Read a `.csv` (its first line names the columns), `.parquet` or `.npy` file.

    Args:
        path: The file.
        features: The columns to take, in this order; all by default.

    Raises:
        DataError: It cannot be read, lacks a column, or holds what is no number.
        MissingPackageError: It is parquet, and pyarrow is not installed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: a file that ends in {', '.join(_READERS)} is wanted")
    try:
        data = reader(path, tuple(features))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    if not data.rows.size:
        raise DataError(f"{path}: holds no rows")
    return data


def _read_csv(path: Path, features: tuple[str, ...]) -> Data:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return _read_lines(path, csv.reader(stream), features)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}: not CSV: {error}") from None


def _read_lines(path: Path, lines: Any, features: tuple[str, ...]) -> Data:
    header = [name.strip() for name in next(lines, [])]
    if not header or all(_NUMBER.fullmatch(name) for name in header):
        raise DataError(f"{path}: line 1 must name the columns")
    names, places = _choose(path, header, features)
    rows: list[list[float]] = []
    for cells in filter(None, lines):
        where = f"{path}: line {lines.line_num}"
        if len(cells) != len(header):
            raise DataError(f"{where} has {len(cells)} cells, line 1 names {len(header)} columns")
        rows.append([_number(cells[place], header[place], where) for place in places])
    return Data(np.array(rows, dtype=np.float64).reshape(len(rows), len(names)), names)


def _number(cell: str, name: str, where: str) -> float:
    value = float(cell) if _NUMBER.fullmatch(cell) else np.nan
    if np.isfinite(value):
        return value
    if not cell.strip():
        raise DataError(f"{where}, column {name!r} is empty; leave out rows that are not complete")
    raise DataError(
        f"{where}, column {name!r}: {cell[:_SHOWN]!r} is no finite number; leave the column out "
        "by naming the others in --features"
    )


def _read_parquet(path: Path, features: tuple[str, ...]) -> Data:
    try:
        import pyarrow as pa  # noqa: PLC0415 large, and only parquet needs it
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackageError(f"{path}: parquet is not readable here: {error}") from None
    try:
        file = parquet.ParquetFile(path)
        names, _ = _choose(path, file.schema_arrow.names, features)
        table = file.read(columns=list(names))
        columns = [_parquet_column(path, name, table.column(name)) for name in names]
    except pa.ArrowException as error:
        raise DataError(f"{path}: not usable as parquet: {error}") from None
    return _finite(path, Data(np.column_stack(columns), names))


def _parquet_column(path: Path, name: str, column: Any) -> Numbers:
    kind = np.dtype(column.type.to_pandas_dtype())
    if kind.kind not in "iufb":
        raise DataError(
            f"{path}: column {name!r} holds {column.type}, not numbers; leave it out by naming "
            "the others in --features"
        )
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _read_npy(path: Path, features: tuple[str, ...]) -> Data:
    if features:
        raise DataError(f"{path}: --features names columns, and an .npy file has no names")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(f"{path}: not usable as .npy: {error}") from None
    if array.ndim != 2 or array.dtype.kind not in "iufb":  # noqa: PLR2004 rows and columns
        raise DataError(
            f"{path}: numbers of shape (rows, columns) are wanted; it holds {array.dtype} of "
            f"shape {array.shape}"
        )
    return _finite(path, Data(np.asarray(array, dtype=np.float64), ()))


def _finite(path: Path, data: Data) -> Data:
    bad = np.argwhere(~np.isfinite(data.rows))
    if len(bad):
        row, column = (int(place) for place in bad[0])
        name = repr(data.names[column]) if data.names else str(column)
        raise DataError(
            f"{path}: row {row} (counted from 0), column {name} is null or not finite; leave out "
            "rows that are not complete"
        )
    return data


def _choose(
    path: Path, header: Sequence[str], features: tuple[str, ...]
) -> tuple[tuple[str, ...], list[int]]:
    """Return the names of the wanted columns, and where they stand."""
    for name in features or header:
        if not name:
            raise DataError(f"{path}: a column has no name; name each of them once")
        if name not in header:
            raise DataError(f"{path}: there is no column {name!r}; it has {', '.join(header)}")
        if header.count(name) > 1 or features.count(name) > 1:
            raise DataError(f"{path}: column {name!r} is named twice; name each of them once")
    names = features or tuple(header)
    return names, [header.index(name) for name in names]


_READERS: Final[dict[str, Callable[[Path, tuple[str, ...]], Data]]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".npy": _read_npy,
}
