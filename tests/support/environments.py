"""Python environments of peers and of images, which do not go together with the checkout's own."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import cache

ROOT = Path(__file__).parents[2]
FIT = ROOT / "images" / "fit" / "requirements.txt"
CONVERT = ROOT / "images" / "convert" / "requirements.txt"
EXPLAINER = ROOT / "images" / "explainer" / "requirements.txt"
# numba of alibi-detect's age has wheels for no newer one.
PYTHON = "3.11"


def find_python() -> str:
    """Return a Python that the locks are for; skip the test where there is none."""
    if platform.python_version().startswith(f"{PYTHON}."):
        return sys.executable
    found = shutil.which(f"python{PYTHON}")
    if found is None:
        pytest.skip(f"the lock is for Python {PYTHON}, which is not installed here")
    return found


def environment(name: str, *locks: Path) -> Path:
    """Return the Python of an environment with exactly what the locks list; built once."""
    python = find_python()

    def build(target: Path) -> None:
        subprocess.run([python, "-m", "venv", target], check=True)
        words = ["install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        words += ["--require-hashes", *(f"--requirement={lock}" for lock in locks)]
        subprocess.run([target / "bin" / "python", "-m", "pip", *words], check=True)

    key = cache.fingerprint([*locks, PYTHON])
    return cache.once(cache.root() / "environments" / f"{name}-{key}", build) / "bin" / "python"


def fit_environment() -> Path:
    """Return the Python of an environment like that of the image `fit`."""
    return environment("fit", FIT)


def convert_environment() -> Path:
    """Return the Python of an environment like that of the image `convert`."""
    return environment("convert", CONVERT)


def explainer_environment() -> Path:
    """Return the Python of an environment like that of the image `explainer`."""
    return environment("explainer", EXPLAINER)
