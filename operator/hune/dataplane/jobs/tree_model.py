"""A trained tree model, read from the file of the library that trained it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.packing import Tree

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TreeModel:
    """What is explained of a model.

    Attributes:
        trees: Its trees.
        offset: What is added to each output.
        outputs: What the outputs are called.
        scale: `Value`, `Probability` or `Margin`.
        columns: Number of columns.
        features: Their names; empty where the file has none.
        dtype: The precision in which it looks at values, `float32` or `float64`.
        library: What trained it.
        predict: The library's own outputs, shape (rows, columns) to (rows, outputs); None where the
            library is not installed.
    """

    trees: Sequence[Tree]
    offset: Sequence[float]
    outputs: Sequence[str]
    scale: str
    columns: int
    features: Sequence[str]
    dtype: str
    library: str
    predict: Callable[[Numbers], Numbers] | None = None


def output_names(outputs: int, *, margin: bool) -> list[str]:
    """Return what a boosted model's outputs are called: its file does not name the classes."""
    if outputs > 1:
        return [f"class {i}" for i in range(outputs)]
    return ["margin" if margin else "value"]


def find_model_file(path: Path) -> Path:
    """Return the one file of a model.

    Raises:
        FitError: There is none, or more than one.
    """
    if path.is_file():
        return path
    known = (".json", ".ubj", ".bst", ".txt", ".joblib", ".pkl", ".pickle")
    files = sorted(f for f in path.glob("*") if f.suffix.lower() in known and f.is_file())
    # MLServer's settings may lie beside the model.
    files = [file for file in files if not file.name.endswith("settings.json")]
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise FitError(
            f"--model {path}: one file that ends in {', '.join(known)} is wanted, there is {found}"
        )
    return files[0]
