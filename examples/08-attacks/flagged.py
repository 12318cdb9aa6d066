"""Say how many rows of answers were flagged: `flagged.py ANSWER.json …`."""

import json
import sys
from pathlib import Path


def main(file: Path) -> None:
    """Count one answer's rows."""
    answer = json.loads(file.read_text())
    flagged = [row for row in answer["parameters"]["hune_adversarial_rows"].split(",") if row]
    print(f"{file.stem}: {len(flagged)} of {answer['outputs'][0]['shape'][0]} rows flagged")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        main(Path(name))
