"""Write what is generated, or with --check tell what differs from what is committed."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hune.cli.main import main as hune
from tests.support import install, monitoring

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("crds", "charts", "manifests")


def generate(root: Path) -> None:
    """Write every generated file below a root that holds the sources."""
    hune(["crds", "--output", str(root / "crds")])
    install.generate(root)
    monitoring.generate(root)


def check() -> list[str]:
    """Return the generated files that differ from a fresh generation."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for name in ("charts", "manifests"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, fresh / name)
        generate(fresh)
        return [line for name in GENERATED for line in _differences(ROOT / name, fresh / name)]


def _differences(committed: Path, fresh: Path) -> list[str]:
    answer = subprocess.run(
        ["diff", "--recursive", "--brief", str(committed), str(fresh)],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.splitlines()


def main() -> int:
    """Generate, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        generate(ROOT)
        return 0
    differences = check()
    for line in differences:
        print(line, file=sys.stderr)
    if differences:
        print("generated files differ: run `make generate` and commit", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
