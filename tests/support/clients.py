"""Programs that other people wrote, each in an environment of its own outside the checkout."""

import subprocess
import sys
import venv
from pathlib import Path

from tests.cluster import cache

FOLDER = Path(__file__).parents[1] / "clients"
TIMEOUT_SECONDS = 120


def run(client: str, script: str, *arguments: str) -> str:
    """Run a script of `tests/clients/<client>` in that client's environment; return its output."""
    ended = subprocess.run(
        [_python(client), FOLDER / client / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert ended.returncode == 0, f"{script} failed:\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def _python(client: str) -> Path:
    lock = FOLDER / client / "requirements.txt"
    name = f"{client}-{cache.fingerprint([sys.version, lock])}"

    def build(folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python")]
        install = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
            "--require-hashes",
        ]
        subprocess.run([*pip, *install, "-r", lock], check=True)

    return cache.once(cache.root() / "clients" / name, build) / "bin/python"
