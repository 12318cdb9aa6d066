"""A fitted detector on disk: `detector.json` and the arrays it lists; nothing that could run.

A guard reads what somebody uploaded, so nothing is believed: every size is checked before memory
is taken, every array is of the dtype and the number of dimensions that its method wants, and what
the arrays say is checked by the method that reads them.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from hune.contract.document import from_document, to_document

SCHEMA: Final = "hune.dev/detector/v1"
HEADER_FILE: Final = "detector.json"
MAXIMUM_FEATURES: Final = 10_000
_MAXIMUM_HEADER_BYTES: Final = 4 << 20
_MAXIMUM_ARRAY_BYTES: Final = 64 << 20
_NPY_VERSION: Final = (1, 0)

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
H = TypeVar("H")


class ArtefactError(ValueError):
    """The artefact is not one that can be used; the message says what is wrong where."""


class MissingArtefactError(ArtefactError):
    """There is no `detector.json` where one should be."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """What an array must be: its dtype, as numpy writes it, and its number of dimensions."""

    dtype: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One array's file, `<name>.npy`: its size in bytes and its sha256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the fit, for people who want to repeat it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Header:
    """What `detector.json` says.

    Attributes:
        schema: `SCHEMA`.
        method: Name of the method, as `hune fit … --method` takes it.
        name: What its author calls it.
        features: Names of the columns in their order; empty where they have none.
        feature_count: Number of columns.
        dtype: The precision in which a row's values are looked at.
        threshold: A row whose score is above it is flagged; a decimal number as text.
        false_alarm_rate: The share of ordinary rows above the threshold that was allowed for.
        fitted_with: What fitted it, with versions.
        data_digest: Digest of the file it was fitted on.
        parameters: Parameters of the fit.
        files: The arrays.
    """

    schema: str
    method: str
    name: str
    features: tuple[str, ...]
    feature_count: int
    dtype: str
    threshold: str
    false_alarm_rate: str
    fitted_with: str
    data_digest: str
    parameters: tuple[Parameter, ...] = ()
    files: tuple[ArrayFile, ...] = ()


def write_artefact(directory: Path, header: Header, arrays: Arrays) -> Header:
    """Write the arrays and the header; return the header, which then lists them.

    Args:
        directory: An existing directory.
        header: The header; what it lists as files is replaced.
        arrays: The arrays by name.
    """
    return write_listed(directory / HEADER_FILE, header, arrays)


def read_header(directory: Path) -> Header:
    """Read and check `detector.json`.

    Raises:
        MissingArtefactError: It is missing.
        ArtefactError: It is too large, or says what cannot be.
    """
    header = parse_header(directory / HEADER_FILE, Header, "hune fit")
    _check(header)
    return header


def threshold_of(text: str) -> float:
    """Return a threshold as a number.

    Raises:
        ArtefactError: It is no finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArtefactError(f"threshold {text[:40]!r} is no finite number")
    return value


def read_arrays(directory: Path, header: Header, specs: Mapping[str, ArraySpec]) -> Arrays:
    """Read the arrays that a method wants, read-only.

    Raises:
        ArtefactError: A file is missing, or is not the one that the header tells of.
    """
    return read_listed(directory / HEADER_FILE, header.files, specs, header.method)


def write_listed(path: Path, header: H, arrays: Arrays) -> H:
    """Write arrays beside a header that lists them, and the header; return it as it then is."""
    files = tuple(write_array(path.parent, name, arrays[name]) for name in sorted(arrays))
    document = to_document(header) | {"files": to_document(files)}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return from_document(type(header), document, path.name)


def parse_header(path: Path, kind: type[H], writer: str) -> H:
    """Read a header; what it says is still to be checked.

    Raises:
        MissingArtefactError: It is missing; the message names the command that writes it.
        ArtefactError: It is too large, or no such header.
    """
    if not path.exists():
        raise MissingArtefactError(f"{path} is missing; `{writer}` writes it")
    content = read_bounded(path, _MAXIMUM_HEADER_BYTES)
    try:
        return from_document(kind, json.loads(content), path.name)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path.name} is not usable: {error}") from None


def read_listed(
    path: Path, listed: Sequence[ArrayFile], specs: Mapping[str, ArraySpec], method: str
) -> Arrays:
    """Read the arrays that a header lists, read-only; they must be just those of the method.

    Raises:
        ArtefactError: A file is missing, or is not the one that the header tells of.
    """
    files = {file.name: file for file in listed}
    if len(files) != len(listed) or files.keys() != specs.keys():
        wanted = ", ".join(sorted(specs))
        raise ArtefactError(f"{path.name}: files must be exactly {wanted} for {method}")
    return {name: read_array(path.parent, files[name], spec) for name, spec in specs.items()}


def _check(header: Header) -> None:
    count, names = header.feature_count, header.features
    if header.schema != SCHEMA:
        raise ArtefactError(f"{HEADER_FILE}: schema is {header.schema[:80]!r}, not {SCHEMA!r}")
    if not 0 < count <= MAXIMUM_FEATURES:
        raise ArtefactError(f"{HEADER_FILE}: featureCount must be 1 to {MAXIMUM_FEATURES}")
    if names and (len(names) != count or len(set(names)) != count):
        raise ArtefactError(f"{HEADER_FILE}: features must be {count} different names, or none")
    threshold_of(header.threshold)


def read_array(directory: Path, file: ArrayFile, spec: ArraySpec) -> Array:
    """Read one array, read-only.

    Raises:
        ArtefactError: The file is missing, or is not the one that is told of.
    """
    path = directory / f"{file.name}.npy"
    content = read_bounded(path, _MAXIMUM_ARRAY_BYTES)
    if len(content) != file.size:
        raise ArtefactError(f"{path.name} has {len(content)} bytes; the header says {file.size}")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ArtefactError(f"{path.name} has another sha256 than the header says")
    return _parse_array(path.name, content, spec)


def _parse_array(name: str, content: bytes, spec: ArraySpec) -> Array:
    # numpy.load would take as much memory as the file's own header asks for.
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # noqa: BLE001 the text is parsed as Python, which fails in many ways
        raise ArtefactError(f"{name} is no .npy file: {str(error)[:200]}") from None
    if version != _NPY_VERSION:
        raise ArtefactError(f"{name} is not in version 1.0 of the .npy format")
    if dtype.str != spec.dtype or fortran or len(shape) != spec.dimensions:
        raise ArtefactError(
            f"{name} must be {spec.dtype} with {spec.dimensions} dimensions, in C order; it is "
            f"{dtype.str[:40]} of shape {str(shape)[:80]}"
        )
    start = stream.tell()
    if min(shape) < 0 or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ArtefactError(f"{name} holds another number of values than its shape says")
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    array.setflags(write=False)
    return array


def read_bounded(path: Path, maximum: int) -> bytes:
    """Return a file's bytes.

    Raises:
        ArtefactError: It is missing, or larger than the maximum in bytes.
    """
    if not path.is_file():
        raise ArtefactError(f"{path} is missing, or no file")
    try:
        size = path.stat().st_size
        if size > maximum:
            raise ArtefactError(f"{path.name} is larger than {maximum} bytes")
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise ArtefactError(f"{path} cannot be read: {error.strerror}") from None


def write_array(directory: Path, name: str, array: Array) -> ArrayFile:
    """Write one array as `<name>.npy`, and return what a header says of it."""
    stream = io.BytesIO()
    np.lib.format.write_array(
        stream, np.ascontiguousarray(array), version=_NPY_VERSION, allow_pickle=False
    )
    content = stream.getvalue()
    (directory / f"{name}.npy").write_bytes(content)
    return ArrayFile(name, len(content), hashlib.sha256(content).hexdigest())
