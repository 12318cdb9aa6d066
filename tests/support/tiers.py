"""Run the test tiers in order and say what each took; a tier that cannot run says why."""

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests import cluster

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60.0
_BROKEN = ("failed", "error", "errors")


@dataclass(frozen=True)
class Tier:
    """One tier.

    Attributes:
        name: What a person calls it.
        command: What runs it.
        cluster: The embedded cluster it needs; stopped afterwards when it was not there before.
    """

    name: str
    command: list[str]
    cluster: str | None = None


@dataclass
class Result:
    """How a tier went."""

    tier: Tier
    seconds: float = 0.0
    status: int = 0
    skipped: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def tiers(*, long: bool) -> list[Tier]:
    """Return the tiers in the order of their cost."""

    def pytest(*folders: str) -> list[str]:
        marker = [] if long else ["-m", "not long"]
        return [sys.executable, "-m", "pytest", *marker, *folders]

    return [
        Tier("verify", ["make", "--no-print-directory", "verify"]),
        Tier("unit", pytest("tests/unit")),
        Tier("dataplane", pytest("tests/dataplane")),
        Tier("apiserver", pytest("tests/apiserver"), cluster.CONTROL_PLANE),
        Tier("e2e", pytest("tests/e2e"), cluster.NODE),
    ]


def run(tier: Tier) -> Result:
    """Run one tier, unless this machine cannot."""
    reason = _why_not(tier)
    if reason:
        return Result(tier, skipped=reason)
    print(f"\n=== {tier.name}", flush=True)
    running = tier.cluster is not None and cluster.own(tier.cluster) is not None
    started = time.monotonic()
    status, output = _stream(tier.command)
    result = Result(tier, time.monotonic() - started, status, counts=_counts(output))
    if tier.cluster is not None and not running and not os.environ.get("HUNE_KUBECONFIG"):
        cluster.stop(tier.cluster)
    return result


def _why_not(tier: Tier) -> str:
    if tier.cluster is None or os.environ.get("HUNE_KUBECONFIG"):
        return ""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return "the embedded cluster needs root on Debian or Ubuntu; or set HUNE_KUBECONFIG"
    return ""


def _stream(command: list[str]) -> tuple[int, str]:
    """Run a command, show its output as it comes and return it."""
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines[-50:])


def _counts(output: str) -> dict[str, int]:
    """Read pytest's closing line."""
    closing = next((line for line in reversed(output.splitlines()) if " in " in line), "")
    return {
        word: int(count)
        for count, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", closing)
    }


def report(results: list[Result]) -> int:
    """Print the summary; return the exit status."""
    print("\n=== summary")
    for result in results:
        state = "skipped: " + result.skipped if result.skipped else _state(result)
        print(f"  {result.tier.name:<10} {result.seconds / MINUTE:5.1f} min  {state}")
    failed = [result for result in results if _has_failed(result)]
    passed = sum(result.counts.get("passed", 0) for result in results)
    broken = sum(result.counts.get(word, 0) for result in results for word in _BROKEN)
    print(f"{passed} passed, {max(broken, len(failed))} failed")
    return 1 if failed else 0


def _state(result: Result) -> str:
    counted = ", ".join(f"{count} {word}" for word, count in result.counts.items())
    return ("failed " if _has_failed(result) else "ok ") + counted


def _has_failed(result: Result) -> bool:
    """Tell whether something failed; in CI also whether a tier, or a test of it, was skipped."""
    left_out = result.skipped or result.counts.get("skipped")
    return bool(result.status or (left_out and os.environ.get("CI") == "true"))


def main() -> int:
    """Run all tiers, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="the long runs too")
    parser.add_argument("names", nargs="*", help="tiers; all by default")
    arguments = parser.parse_args()
    chosen = [
        t for t in tiers(long=arguments.long) if not arguments.names or t.name in arguments.names
    ]
    return report([run(tier) for tier in chosen])


if __name__ == "__main__":
    sys.exit(main())
