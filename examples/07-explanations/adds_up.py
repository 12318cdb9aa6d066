"""Lay an explanation beside its prediction: `adds_up.py EXPLANATION.json PREDICTION.json`."""

import json
import sys
from pathlib import Path

import numpy as np

SHOWN, ROUNDING = 3, 1e-6


def read(file: str) -> dict[str, np.ndarray]:
    """Return the tensors of a V2 answer."""
    outputs = json.loads(Path(file).read_text())["outputs"]
    return {output["name"]: np.reshape(output["data"], output["shape"]) for output in outputs}


def main(explanation: str, prediction: str) -> int:
    """Print what counts most for each row, and what all adds up to; 1 where that is not it."""
    found, [served] = read(explanation), read(prediction).values()
    base, values = found["base_values"][0], found["shap_values"][:, 0]
    summed = base + values.sum(axis=1)
    # Of two classes' probabilities the second one is explained.
    answers = served.reshape(len(values), -1)[:, -1]
    for row, total, answer in zip(values, summed, answers, strict=True):
        most = np.argsort(-abs(row))[:SHOWN]
        told = ", ".join(f"{found['features'][column]} {row[column]:+.3g}" for column in most)
        print(f"{base:.3g} on average, {told}, others: sum {total:.6f}, model {answer:.6f}")
    return int(abs(summed - answers).max() > ROUNDING)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
