"""The file of a trained model, and which library wrote it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hune.dataplane.jobs.errors import ConversionError

SKLEARN: Final = "sklearn"
XGBOOST: Final = "xgboost"
LIGHTGBM: Final = "lightgbm"
_SUFFIXES: Final = {
    ".joblib": SKLEARN,
    ".pkl": SKLEARN,
    ".pickle": SKLEARN,
    ".json": XGBOOST,
    ".ubj": XGBOOST,
    ".txt": LIGHTGBM,
}
_SAY: Final = f"say --from {SKLEARN}, {XGBOOST} or {LIGHTGBM}"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as its library stored it.

    Attributes:
        path: The file.
        library: `sklearn`, `xgboost` or `lightgbm`.
    """

    path: Path
    library: str


def find_model(place: Path, library: str = "") -> ModelFile:
    """Return the model at a place: that file, or the only one of a known kind in that directory.

    Args:
        place: File or directory.
        library: Which library wrote it; by the file's suffix when empty. Where it is said, the only
            file of a directory may have any suffix.

    Raises:
        ConversionError: There is none, there are several, or its kind is not known.
    """
    known = ", ".join(_SUFFIXES)
    if not place.exists():
        raise ConversionError(f"MODEL {place} does not exist")
    if place.is_dir():
        inside = sorted(file for file in place.iterdir() if file.is_file())
        files = [file for file in inside if _library(file)] or (inside if library else [])
        if len(files) != 1:
            found = ", ".join(file.name for file in files[:4]) or f"none; {_SAY}"
            raise ConversionError(f"MODEL {place}: one file is wanted ({known}); it has {found}")
        place = files[0]
    written_by = library or _library(place)
    if not written_by:
        raise ConversionError(f"MODEL {place}: its suffix is none of {known}; {_SAY}")
    return ModelFile(place, written_by)


def _library(file: Path) -> str:
    return _SUFFIXES.get(file.suffix.lower(), "")
