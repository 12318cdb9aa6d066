"""`python -m hune.dataplane.guard`: the guard in front of a predictor on localhost."""

import os
import sys

from hune.dataplane.guard.predictors import predictor_of
from hune.dataplane.guard.process import run

if __name__ == "__main__":
    sys.exit(run(os.environ, predictor_of))
