"""An explainer on disk: `explainer.json` and the arrays it lists; nothing that could run.

As with a detector, nothing in it is believed before it is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hune.dataplane.detectors.artefact import (
    MAXIMUM_FEATURES,
    ArrayFile,
    Arrays,
    ArraySpec,
    ArtefactError,
    Parameter,
    parse_header,
    read_listed,
    write_listed,
)

SCHEMA: Final = "hune.dev/explainer/v1"
HEADER_FILE: Final = "explainer.json"
MAXIMUM_OUTPUTS: Final = 1000
SCALES: Final = ("Value", "Probability", "Margin", "Label")


@dataclass(frozen=True, slots=True)
class Header:
    """What `explainer.json` says.

    Attributes:
        schema: `SCHEMA`.
        method: TreeShap, KernelShap, AnchorTabular or AnchorImage.
        features: Names of the columns in their order; empty where they have none.
        feature_count: Number of columns; of an image, of its numbers.
        outputs: What each explained output is called, as `margin` or the name of a class.
        scale: What is explained: `Value` as the model predicts it, `Probability` of a class,
            `Margin` before the model's link function, `Label` the class that is predicted.
        dtype: The precision in which the model looks at a row's values.
        fitted_with: What wrote it, with versions.
        model_digest: Digest of the model that it was made from; empty where it asks the predictor.
        data_digest: Digest of the file with the background; empty where there is none.
        predictor_output: Name of the V2 output that is explained; the predictor's first when empty.
        shape: Shape of one image; empty for rows of a table.
        parameters: Parameters of the method.
        files: The arrays.
    """

    schema: str
    method: str
    features: tuple[str, ...]
    feature_count: int
    outputs: tuple[str, ...]
    scale: str
    dtype: str
    fitted_with: str
    model_digest: str = ""
    data_digest: str = ""
    predictor_output: str = ""
    shape: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    files: tuple[ArrayFile, ...] = ()


def write_explainer(directory: Path, header: Header, arrays: Arrays) -> Header:
    """Write the arrays and the header; return the header, which then lists them.

    Args:
        directory: An existing directory.
        header: The header; what it lists as files is replaced.
        arrays: The arrays by name.
    """
    return write_listed(directory / HEADER_FILE, header, arrays)


def read_header(directory: Path) -> Header:
    """Read and check `explainer.json`.

    Raises:
        MissingArtefactError: It is missing.
        ArtefactError: It is too large, or says what cannot be.
    """
    header = parse_header(directory / HEADER_FILE, Header, "hune fit explainer --to")
    _check(header)
    return header


def read_arrays(directory: Path, header: Header, specs: Mapping[str, ArraySpec]) -> Arrays:
    """Read the arrays that a method wants, read-only.

    Raises:
        ArtefactError: A file is missing, or is not the one that the header tells of.
    """
    return read_listed(directory / HEADER_FILE, header.files, specs, header.method)


def _check(header: Header) -> None:
    count, names, outputs = header.feature_count, header.features, header.outputs
    if header.schema != SCHEMA:
        raise ArtefactError(f"{HEADER_FILE}: schema is {header.schema[:80]!r}, not {SCHEMA!r}")
    if not 0 < count <= MAXIMUM_FEATURES and not header.shape:
        raise ArtefactError(f"{HEADER_FILE}: featureCount must be 1 to {MAXIMUM_FEATURES}")
    if names and (len(names) != count or len(set(names)) != count):
        raise ArtefactError(f"{HEADER_FILE}: features must be {count} different names, or none")
    if len(outputs) > MAXIMUM_OUTPUTS:
        raise ArtefactError(f"{HEADER_FILE}: outputs must be {MAXIMUM_OUTPUTS} at most")
    if header.scale not in SCALES:
        known = ", ".join(SCALES)
        raise ArtefactError(f"{HEADER_FILE}: scale {header.scale[:80]!r} is none of {known}")
    if header.dtype not in ("float32", "float64"):
        raise ArtefactError(f"{HEADER_FILE}: dtype {header.dtype[:80]!r} is not float32 or float64")
