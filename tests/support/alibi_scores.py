"""What alibi-detect says, asked without any adapter of ours; runs in the image's environment.

`alibi_scores.py DATA.csv METHOD PARAMETERS OUT.npz`: PARAMETERS is JSON, in alibi-detect's names.
"""

import copy
import json
import sys
from fractions import Fraction
from typing import Any

import numpy as np
from alibi_detect.od import IForest, Mahalanobis

from hune.dataplane.jobs.calibration import split

NO_WEIGHT = 2**53


def forest(train: Any, parameters: dict[str, int]) -> Any:
    """Return the scores of an isolation forest."""
    detector = IForest(threshold=0.0, **parameters)
    detector.isolationforest.random_state = 0
    detector.fit(train)
    return detector.score


def frozen_mahalanobis(train: Any, parameters: dict[str, int]) -> Any:
    """Return the scores of a Mahalanobis detector for which a further row has no weight."""
    detector = Mahalanobis(threshold=0.0, **parameters)
    detector.score(train)
    detector.n = NO_WEIGHT
    return detector.score


def next_row_mahalanobis(train: Any, parameters: dict[str, int]) -> Any:
    """Return the scores that each row would get as the first one after the training rows."""
    detector = Mahalanobis(threshold=0.0, **parameters)
    detector.score(train)

    def score(rows: Any) -> Any:
        return np.concatenate([copy.deepcopy(detector).score(row[np.newaxis]) for row in rows])

    return score


METHODS = {
    "IForest": forest,
    "FrozenMahalanobis": frozen_mahalanobis,
    "NextRowMahalanobis": next_row_mahalanobis,
}


def far_from(train: Any) -> Any:
    """Return rows far outside of the training rows, the last with one odd column each."""
    spread = train.std(axis=0)
    far = [train.mean(axis=0) + factor * spread for factor in (-50, -5, 5, 50, 1e4)]
    return np.concatenate([far, train.mean(axis=0) + np.diag(40 * spread)])


def main(data: str, method: str, parameters: str, out: str) -> None:
    """Fit, score, save."""
    rows = np.loadtxt(data, delimiter=",", skiprows=1)
    parts = split(rows, Fraction("0.2"), 0)
    sets = {"train": parts.train, "held_out": parts.held_out, "far": far_from(parts.train)}
    score = METHODS[method](parts.train, json.loads(parameters))
    scores = {f"{name}_scores": score(some) for name, some in sets.items()}
    np.savez(out, **sets, **scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
