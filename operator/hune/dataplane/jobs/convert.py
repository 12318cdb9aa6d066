"""Converting a model: its library's file in, ONNX and a parity report out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.contract.digest import digest_of
from hune.dataplane.jobs import onnx_conversion
from hune.dataplane.jobs.data import read_data
from hune.dataplane.jobs.errors import ConversionError, DataError
from hune.dataplane.jobs.model_file import SKLEARN, find_model
from hune.dataplane.jobs.onnx_conversion import Loaded
from hune.dataplane.jobs.parity import Causes, Missing, OutputParity, Parity, compare
from hune.dataplane.jobs.thresholds import draw_rows

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
MODEL: Final = "model.onnx"
REPORT: Final = "parity.json"
_FIRST_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be converted.

    Attributes:
        model: File or directory of the model.
        library: Which library wrote it; by the file's suffix when empty.
        trust_pickle: Whether a pickle may be loaded.
        to: Directory for ONNX and report; new or empty.
        data: File with rows to compare with; drawn from the thresholds when None.
        features: Columns of the data to take; those that the model names, else all, when empty.
        rows: How many rows to draw.
        seed: The same seed draws the same rows.
        tolerance: A number may differ by this much of max(1, |library's|).
        allowed: How many rows may disagree.
    """

    model: Path
    library: str
    trust_pickle: bool
    to: Path
    data: Path | None
    features: Sequence[str]
    rows: int
    seed: int
    tolerance: float
    allowed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        parity: The report, which is also in the directory.
        digest: Digest of the directory; None when parity does not hold, and no model is written.
    """

    parity: Parity
    digest: str | None


def convert(order: Order) -> Outcome:
    """Convert a model, compare, and write what may be used.

    Raises:
        ConversionError: The order, the model or the directory are not usable.
        DataError: The data are not.
        MissingPackageError: A library is not installed.
    """
    if order.to.exists() and (not order.to.is_dir() or any(order.to.iterdir())):
        raise ConversionError(f"--to {order.to} is there already; name a new or an empty directory")
    model = find_model(order.model, order.library)
    if model.library == SKLEARN and not order.trust_pickle:
        raise ConversionError(
            f"{model.path} is a pickle: loading it runs any code that its author put in it; say "
            "--trust-pickle if you know where it comes from"
        )
    loaded = onnx_conversion.load(model)
    rows, drawn = _rows(order, loaded)
    content = onnx_conversion.convert(loaded)
    parity = _judge(order, loaded, content, rows, drawn)
    order.to.mkdir(parents=True, exist_ok=True)
    (order.to / REPORT).write_text(json.dumps(parity.document(), indent=2) + "\n")
    if not parity.holds:
        return Outcome(parity, None)
    (order.to / MODEL).write_bytes(content)
    return Outcome(parity, digest_of(order.to))


def _rows(order: Order, loaded: Loaded) -> tuple[Numbers, str]:
    """Return the rows to compare with, and where they came from."""
    if order.data is not None:
        return _given(order.data, order.features, loaded), f"of {order.data.name}"
    drawn = draw_rows(loaded.thresholds, loaded.features, order.rows, order.seed)
    rows = np.asarray(loaded.undo(drawn), dtype=np.float32).astype(np.float64)
    beside = (
        "drawn at the split thresholds and one step of single precision beside them"
        if loaded.thresholds.count
        else "normal deviates, since the model has no split thresholds"
    )
    return rows, f"{beside} (seed {order.seed})"


def _given(file: Path, features: Sequence[str], loaded: Loaded) -> Numbers:
    data = read_data(file, features)
    rows = data.rows
    if not features and loaded.names and set(loaded.names) <= set(data.names):
        rows = rows[:, [data.names.index(name) for name in loaded.names]]
    if rows.shape[1] != loaded.features:
        wanted = f" ({', '.join(loaded.names)})" if loaded.names else ""
        raise DataError(
            f"{file}: {rows.shape[1]} columns, the model takes {loaded.features}{wanted}; choose "
            "them, in the model's order, by --features"
        )
    with np.errstate(over="ignore"):
        beyond = np.argwhere(np.isinf(rows.astype(np.float32)))
    if len(beyond):
        row, column = map(int, beyond[0])
        raise DataError(
            f"{file}: row {row} (counted from 0), column {column}: {rows[row, column]:g} is beyond "
            "single precision, which ONNX gets; leave the row out, or scale the column"
        )
    return rows


def _judge(order: Order, loaded: Loaded, content: bytes, rows: Numbers, drawn: str) -> Parity:
    rounded = rows.astype(np.float32)
    answers = onnx_conversion.run(content, rounded)
    outputs, wrong = _compare(order, answers, loaded.predict(rows))
    # Rows that the library itself judges otherwise once they are rounded: ONNX is not at fault.
    _, still_wrong = _compare(order, answers, loaded.predict(rounded.astype(np.float64)))
    places = np.flatnonzero(wrong)
    return Parity(
        library=loaded.versions,
        converter=onnx_conversion.converter_versions(),
        rows=len(rows),
        drawn=drawn,
        tolerance=order.tolerance,
        allowed=order.allowed,
        disagreements=len(places),
        first_rows=tuple(int(place) for place in places[:_FIRST_ROWS]),
        causes=_causes(loaded, rows, wrong, still_wrong),
        thresholds=loaded.thresholds.count,
        rounded_thresholds=loaded.thresholds.rounded,
        outputs=outputs,
        missing=_without_some(order, loaded, content, rounded),
    )


def _without_some(order: Order, loaded: Loaded, content: bytes, rounded: Any) -> Missing:
    """Compare with one value in eight missing, which is NaN: a client may send null."""
    holes = np.random.default_rng(order.seed).random(rounded.shape) < 1 / 8
    rows = np.where(holes, np.float32(np.nan), rounded)
    try:
        library = loaded.predict(rows.astype(np.float64))
    except ConversionError:
        return Missing()
    _, wrong = _compare(order, onnx_conversion.run(content, rows), library)
    return Missing(len(rows), int(wrong.sum()))


def _compare(
    order: Order, answers: Mapping[str, Any], library: Sequence[Any]
) -> tuple[tuple[OutputParity, ...], Flags]:
    try:
        return compare(answers, library, order.tolerance)
    except ValueError as error:
        raise ConversionError(
            f"{order.model}: what was made of it has {error}; it cannot be "
            "compared, so it is not converted"
        ) from None


def _causes(loaded: Loaded, rows: Numbers, wrong: Flags, still_wrong: Flags) -> Causes:
    by_model = wrong & still_wrong
    near = 0
    if by_model.any():
        near = sum(loaded.thresholds.near(row) is not None for row in loaded.redo(rows[by_model]))
    return Causes(int((wrong & ~still_wrong).sum()), near, int(by_model.sum()) - near)
