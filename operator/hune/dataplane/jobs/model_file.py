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
        library: Which library wrote it; by the file's suffix when empty.

    Raises:
        ConversionError: There is none, there are several, or its kind is not known.
    """
    known = ", ".join(_SUFFIXES)
    if not place.exists():
        raise ConversionError(f"MODEL {place} does not exist")
    if place.is_dir():
        files = sorted(file for file in place.iterdir() if _library(file))
        if len(files) != 1:
            found = ", ".join(file.name for file in files[:4]) or "none"
            raise ConversionError(f"MODEL {place}: one file is wanted ({known}); it has {found}")
        place = files[0]
    written_by = library or _library(place)
    if not written_by:
        raise ConversionError(
            f"MODEL {place}: its suffix is none of {known}; say --from sklearn, xgboost or lightgbm"
        )
    return ModelFile(place, written_by)


def _library(file: Path) -> str:
    return _SUFFIXES.get(file.suffix.lower(), "")
