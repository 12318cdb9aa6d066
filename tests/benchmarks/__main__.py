"""Run the comparisons, or the one that is named; exit 1 when one falls short of its goal."""

import argparse
import sys
from collections.abc import Callable

from tests.benchmarks import binary_tensors, control_plane, guard_overhead
from tests.benchmarks.guard_vs_transformer import guard_vs_transformer
from tests.benchmarks.report import Figure

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "controlplane-1000": control_plane.controlplane_1000,
    "operator-memory": control_plane.operator_memory,
    "api-writes": control_plane.api_writes,
    "guard-vs-transformer": guard_vs_transformer,
    "binary-tensors": binary_tensors.binary_tensors,
    "guard-overhead": guard_overhead.guard_overhead,
}


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="one of them; all by default")
    name = parser.parse_args().name
    figures: list[Figure] = []
    try:
        for benchmark in [BENCHMARKS[name]] if name else BENCHMARKS.values():
            figures += benchmark()
    finally:
        control_plane.clean_up()
    for figure in figures:
        print(figure.line())
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
