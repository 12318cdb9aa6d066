import os
import subprocess
import sys
from pathlib import Path

from tests.support.onnx_models import FOREST

LOAD = """
import os, pathlib
from hune.dataplane.lite.model import Model
from hune.dataplane.lite.options import Options
Model(Options.read({"HUNE_MODEL_DIRECTORY": os.environ["MODEL"]}))
print(len(os.listdir("/proc/self/task")))
"""


def test_the_runtime_counts_nothing_for_its_makers(tmp_path: Path) -> None:
    """Else it keeps a database of its use at home, and a thread that sends it away."""
    paths = os.pathsep.join(sys.path)
    variables = {"HOME": str(tmp_path), "MODEL": str(FOREST), "PYTHONPATH": paths}
    variables["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, "-c", LOAD]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert not list(tmp_path.iterdir()), "something was written to the user's home"
    assert ended.stdout == "1\n", "another thread runs"
