"""How far a converted model's answers are from its library's own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.contract.document import camel

Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
_GREATEST: Final = float(np.finfo(np.float64).max)
_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class OutputParity:
    """One output compared.

    Attributes:
        name: What ONNX calls it.
        kind: `Label` or `Numbers`.
        disagreements: Rows with another label, or with a number beyond the tolerance.
        ties: Rows with another label where the library's own numbers for the best two are within
            the tolerance of each other, so that neither is wrong; not among the disagreements.
        largest_absolute: Largest |library - ONNX|; 0 for labels.
        largest_relative: Largest |library - ONNX| / max(1e-6, |library|); 0 for labels.
    """

    name: str
    kind: str
    disagreements: int
    ties: int = 0
    largest_absolute: float = 0.0
    largest_relative: float = 0.0


@dataclass(frozen=True, slots=True)
class Causes:
    """Why rows disagree, as far as it can be seen.

    Attributes:
        rounded_inputs: The library itself answers otherwise once the row is in single precision.
        at_a_threshold: A value lies within one step of single precision of a split threshold.
        unknown: Neither.
    """

    rounded_inputs: int = 0
    at_a_threshold: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows of which some values are missing; they do not decide whether parity holds.

    Attributes:
        rows: How many were compared; 0 where the library takes none.
        disagreements: How many of them disagree.
    """

    rows: int = 0
    disagreements: int = 0


@dataclass(frozen=True, slots=True)
class Parity:
    """The parity of one conversion.

    Attributes:
        library: What made the model, with versions.
        converter: What converted it and ran the result, with versions.
        rows: How many rows were compared.
        drawn: Where they came from.
        tolerance: A number may differ by this much of max(1, |library's|).
        allowed: How many rows may disagree.
        disagreements: How many rows disagree in any output.
        first_rows: The first few of them, counted from 0.
        causes: Why they do.
        thresholds: How many split thresholds the model has.
        rounded_thresholds: How many of these single precision cannot hold.
        outputs: Output by output.
        missing: The same rows with some of their values missing.
    """

    library: str
    converter: str
    rows: int
    drawn: str
    tolerance: float
    allowed: int
    disagreements: int
    first_rows: tuple[int, ...]
    causes: Causes
    thresholds: int
    rounded_thresholds: int
    outputs: tuple[OutputParity, ...]
    missing: Missing = Missing()

    @property
    def holds(self) -> bool:
        """Tell whether the model may be used in place of the library's."""
        return self.disagreements <= self.allowed

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {"holds": self.holds, **_camelled(asdict(self))}

    def text(self) -> str:
        """Return the report for a person."""
        lines = [
            f"{self.library}; {self.converter}",
            f"{self.rows} rows compared: {self.drawn}",
            *(_line(output) for output in self.outputs),
            f"{self.rounded_thresholds} of {self.thresholds} split thresholds are rounded for ONNX",
        ]
        if self.disagreements:
            listed = ", ".join(map(str, self.first_rows))
            more = ", …" if self.disagreements > len(self.first_rows) else ""
            lines += [f"rows that disagree, counted from 0: {listed}{more}", _blame(self.causes)]
        lines.append(_about_missing(self.missing))
        verdict = "parity holds" if self.holds else "PARITY DOES NOT HOLD"
        lines.append(
            f"{verdict}: {self.disagreements} rows disagree by more than {self.tolerance:g}, "
            f"{self.allowed} may"
        )
        return "\n".join(lines)


def compare(
    onnx: Mapping[str, Array], library: Sequence[Array], tolerance: float
) -> tuple[tuple[OutputParity, ...], Flags]:
    """Compare a converted model's answers with the library's.

    Args:
        onnx: Each output by name, shape (rows,) or (rows, columns).
        library: The library's, in the same order, of as many numbers each; a label first where
            there is one, then the numbers that it is chosen by.
        tolerance: A number may differ by this much of max(1, |library's|).

    Returns:
        What was found, output by output, and which rows disagree, shape (rows,).

    Raises:
        ValueError: The answers are not comparable.
    """
    if len(onnx) != len(library):
        raise ValueError(f"{len(onnx)} outputs ({', '.join(onnx)}), the library has {len(library)}")
    outputs = []
    wrong = np.zeros(len(library[0]), dtype=bool)
    tied = _tied(library[-1], tolerance)
    for (name, ours), theirs in zip(onnx.items(), library, strict=True):
        if ours.size != theirs.size or len(ours) != len(theirs):
            raise ValueError(
                f"output {name!r} has shape {ours.shape}, the library's {theirs.shape}"
            )
        if theirs.dtype.kind == ours.dtype.kind == "f":
            found, beyond = _compare_numbers(name, ours, theirs, tolerance)
        else:
            found, beyond = _compare_labels(name, ours, theirs, tied)
        outputs.append(found)
        wrong |= beyond
    return tuple(outputs), wrong


def _compare_labels(
    name: str, ours: Array, theirs: Array, tied: Flags
) -> tuple[OutputParity, Flags]:
    rows = len(theirs)
    # ONNX has texts and 64-bit integers only.
    kind = str if theirs.dtype.kind in "UO" else theirs.dtype
    differ = (theirs.reshape(rows, -1) != ours.reshape(rows, -1).astype(kind)).any(axis=1)
    wrong = differ & ~tied
    return OutputParity(name, "Label", int(wrong.sum()), int((differ & tied).sum())), wrong


def _tied(numbers: Array, tolerance: float) -> Flags:
    """Tell in which rows the best two numbers are as good as equal."""
    if numbers.ndim == 1 or numbers.shape[1] == 1 or numbers.dtype.kind != "f":
        return np.zeros(len(numbers), dtype=bool)
    best = np.sort(numbers, axis=1)[:, -2:]
    tied: Flags = best[:, 1] - best[:, 0] <= tolerance
    return tied


def _compare_numbers(
    name: str, ours: Array, theirs: Array, tolerance: float
) -> tuple[OutputParity, Flags]:
    rows = len(theirs)
    ours, theirs = (np.asarray(a, dtype=np.float64).reshape(rows, -1) for a in (ours, theirs))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = _finite(np.where(_same(ours, theirs), 0.0, np.abs(ours - theirs)))
        allowed = tolerance * np.maximum(1, np.abs(_finite(theirs)))
        relative = _finite(difference / np.maximum(np.abs(_finite(theirs)), _LEAST))
    beyond: Flags = np.any(difference > allowed, axis=1)
    found = OutputParity(
        name,
        "Numbers",
        int(beyond.sum()),
        largest_absolute=float(difference.max(initial=0)),
        largest_relative=float(relative.max(initial=0)),
    )
    return found, beyond


def _finite(numbers: Array) -> Array:
    """Return the largest number for what is none, which JSON could not say."""
    return np.nan_to_num(numbers, nan=_GREATEST, posinf=_GREATEST, neginf=-_GREATEST)


def _same(ours: Array, theirs: Array) -> Flags:
    """Tell which are equal, infinities and two that are no number included."""
    same: Flags = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return same


def _line(output: OutputParity) -> str:
    if output.kind == "Label":
        tied = f"; {output.ties} more where the library's best two tie" if output.ties else ""
        return f"  {output.name}: {output.disagreements} labels disagree{tied}"
    return (
        f"  {output.name}: largest difference {output.largest_absolute:.3g} absolute, "
        f"{output.largest_relative:.3g} relative; {output.disagreements} rows beyond the tolerance"
    )


def _about_missing(missing: Missing) -> str:
    if not missing.rows:
        return "the library takes no missing values, so send none"
    if not missing.disagreements:
        return f"with values missing: all of {missing.rows} rows agree"
    return (
        f"with values missing: {missing.disagreements} of {missing.rows} rows disagree, so send "
        "none (a data contract with onBreach Reject refuses them)"
    )


def _blame(causes: Causes) -> str:
    return (
        f"because: {causes.rounded_inputs} by inputs rounded to single precision, "
        f"{causes.at_a_threshold} by a value at a split threshold, {causes.unknown} for another "
        "reason"
    )


def _camelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {camel(name): _camelled(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_camelled(part) for part in value]
    return value
