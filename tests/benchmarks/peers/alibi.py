"""alibi-detect's isolation forest without the rest of that package, which needs an older pydantic.

The class is alibi-detect's own. So it runs beside servers that cannot be installed with it.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np


def fit_forest(file: str) -> Any:
    """Return the detector that the guard's artefact was made from, fitted on its rows again."""
    detector = _load_class()(threshold=0.0, n_estimators=100, max_samples=256)
    detector.isolationforest.random_state = 0
    detector.fit(np.load(file))
    return detector


def _load_class() -> Any:
    for name in ("alibi_detect", "alibi_detect.od"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        package = ModuleType(name)
        package.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[name] = package
    return importlib.import_module("alibi_detect.od.isolationforest").IForest
