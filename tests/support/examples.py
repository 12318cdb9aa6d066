"""Plays an example as its README tells it, and looks for what its expected.yaml promises."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

FOLDER = Path(__file__).parents[2] / "examples"
_PATIENCE = 60
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One command of an example.

    Attributes:
        run: What a reader types.
        prints: Regular expressions that its output matches.
        within: Seconds in which it succeeds; it is tried again until then.
        background: It goes on while the later steps run, as in a second terminal.
        show: A title; the step is printed under it while the example is played.
    """

    run: str
    prints: tuple[str, ...]
    within: float
    background: bool
    show: str = ""

    def missing(self, output: str) -> list[str]:
        """Return what should have been printed and was not."""
        return [wanted for wanted in self.prints if not re.search(wanted, output)]


class ExampleError(AssertionError):
    """A step did not do what the example promises."""


def names() -> list[str]:
    """Return the names of all examples."""
    return sorted(path.parent.name for path in FOLDER.glob("*/expected.yaml"))


def steps(name: str) -> list[Step]:
    """Return the steps of an example."""
    return [_step(document) for document in _read(name)["steps"]]


def play(name: str, environment: Mapping[str, str]) -> None:
    """Play an example to its end, print the steps that are to be shown, leave what it made.

    Args:
        name: The example's folder.
        environment: KUBECONFIG, and a PATH with python, hune and kubectl.

    Raises:
        ExampleError: A step failed; the message holds its command and output.
    """
    with ExitStack() as background:
        for step in steps(name):
            if step.background:
                output = background.enter_context(_in_background(step, name, environment))
            else:
                output = _until_done(step, name, environment)
            if step.show:
                print(f"\n{step.show}\n\n$ {step.run}\n{output}", flush=True)


def clean(name: str, environment: Mapping[str, str]) -> None:
    """Remove what an example made."""
    for command in _read(name).get("cleanup", []):
        _run(command, name, environment)


@contextmanager
def played(name: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Play an example before the block, and clean up after it or after a failure.

    What an interrupted run left is removed first.
    """
    clean(name, environment)
    try:
        play(name, environment)
        yield
    finally:
        clean(name, environment)


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name / "expected.yaml").read_text())
    return document


def _step(document: dict[str, Any]) -> Step:
    prints = document.get("prints", [])
    return Step(
        run=document["run"].strip(),
        prints=(prints,) if isinstance(prints, str) else tuple(prints),
        within=document.get("within", _PATIENCE),
        background=document.get("background", False),
        show=document.get("show", ""),
    )


def _until_done(step: Step, name: str, environment: Mapping[str, str]) -> str:
    end = time.monotonic() + step.within
    while True:
        status, output = _run(step.run, name, environment)
        if status == 0 and not step.missing(output):
            return output
        if time.monotonic() > end:
            raise _failure(step, name, f"exit status {status}", output)
        time.sleep(_PAUSE)


def _run(command: str, name: str, environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=FOLDER / name,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@contextmanager
def _in_background(step: Step, name: str, environment: Mapping[str, str]) -> Iterator[str]:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {step.run}"],
            cwd=FOLDER / name,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _until_printed(step, name, process, output)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _until_printed(step: Step, name: str, process: subprocess.Popen[bytes], output: IO[str]) -> str:
    end = time.monotonic() + step.within
    while True:
        output.seek(0)
        seen = output.read()
        if not step.missing(seen):
            return seen
        if process.poll() is not None or time.monotonic() > end:
            raise _failure(step, name, "it did not come up", seen)
        time.sleep(_PAUSE)


def _failure(step: Step, name: str, what: str, output: str) -> ExampleError:
    missing = "".join(f"\nnot printed: {wanted}" for wanted in step.missing(output))
    return ExampleError(f"{name}: {what}\n$ {step.run}\n{output[-4000:]}{missing}")
