"""Run the comparisons, or those that are named; exit 1 when one falls short of its goal."""

import argparse
import sys
from collections.abc import Callable

from tests.benchmarks import adversarial_detection, binary_tensors, control_plane, guard_overhead
from tests.benchmarks.explanations import explanations
from tests.benchmarks.guard_vs_transformer import guard_vs_transformer
from tests.benchmarks.lite_footprint import lite_footprint
from tests.benchmarks.lite_server import lite_server
from tests.benchmarks.report import Figure

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "controlplane-1000": control_plane.controlplane_1000,
    "api-writes": control_plane.api_writes,
    "operator-memory": control_plane.operator_memory,
    "guard-vs-transformer": guard_vs_transformer,
    "binary-tensors": binary_tensors.binary_tensors,
    "guard-overhead": guard_overhead.guard_overhead,
    "adversarial-detection": adversarial_detection.adversarial_detection,
    "lite-server": lite_server,
    "lite-footprint": lite_footprint,
    "explanations": explanations,
}


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; one of {', '.join(BENCHMARKS)}")
    figures: list[Figure] = []
    try:
        for name in names:
            figures += BENCHMARKS[name]()
    finally:
        control_plane.clean_up()
    for figure in figures:
        print(figure.line())
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
