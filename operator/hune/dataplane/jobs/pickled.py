"""Reading what scikit-learn's users save: a program like any pickle, for who trained it alone."""

import pickle
from pathlib import Path
from typing import Any

from hune.dataplane.jobs.errors import FitError, MissingPackageError


def load_pickled(file: Path) -> Any:
    """Return what joblib or pickle saved. Reading it runs what it holds.

    Raises:
        FitError: It cannot be read.
        MissingPackageError: What it was saved with is not installed.
    """
    try:
        import joblib  # noqa: PLC0415 only this needs it

        return joblib.load(file)
    except ImportError as error:
        raise MissingPackageError(f"--model {file}: it cannot be read here: {error}") from None
    except OSError as error:
        raise FitError(f"--model {file}: {error.strerror or error}") from None
    except (pickle.UnpicklingError, ValueError, EOFError, KeyError, AttributeError) as error:
        raise FitError(f"--model {file}: not as joblib saves a model: {error}") from None
