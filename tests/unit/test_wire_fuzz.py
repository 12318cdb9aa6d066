"""A fuzzer that follows the coverage finds nothing that the wire code does not refuse properly."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("HUNE_FUZZ_SECONDS", "300"))


def test_bred_bodies_are_read_or_refused(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux on x86-64 only")
    # The kernel counts the memory of whoever started a program as the program's own peak, and
    # libFuzzer goes by that: a shell between keeps this process' memory out of it.
    ended = subprocess.run(
        [
            *("/bin/sh", "-c", '"$@"; exit $?', "sh"),
            *(sys.executable, "-m", "tests.support.fuzz", str(SECONDS), str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert done is not None, ended.stderr[-3000:]
    assert int(done[1]) > 1000 * SECONDS / 10
