"""`python -m hune.dataplane.lite`: the guard and an ONNX model in one process."""

import os
import sys

from hune.dataplane.lite.process import run

if __name__ == "__main__":
    sys.exit(run(os.environ))
