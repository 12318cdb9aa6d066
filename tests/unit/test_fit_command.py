"""`hune fit outlier` where alibi-detect is not installed, and with orders it cannot carry out."""

from pathlib import Path

import pytest

from hune import __version__
from hune.cli import fit
from hune.cli.main import main
from hune.dataplane.detectors.detector import METHODS
from hune.dataplane.jobs.parameters import PARAMETERS

ORDER = ("fit", "outlier", "--method", "IForest")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "train.csv"
    file.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(200)))
    return file


def run(capsys: pytest.CaptureFixture[str], data: Path, *more: str) -> str:
    directory = data.parent / "outlier"
    words = [*ORDER, "--data", str(data), "--to", str(directory), *more]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not directory.exists()
    return captured.err


def test_without_alibi_detect_the_image_is_named(
    capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    said = run(capsys, data)
    assert said.startswith("hune: error: alibi-detect is not usable here")
    assert f"docker.io/hune/fit:{__version__}" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--false-alarm-rate", "5%"], "--false-alarm-rate 5%: a decimal number between 0 and 1"),
        (["--false-alarm-rate", "0"], "--false-alarm-rate 0: a decimal number between 0 and 1"),
        (["--held-out", "1.5"], "--held-out 1.5: a decimal number between 0 and 1"),
        (["--held-out", "1/0"], "--held-out 1/0: a decimal number between 0 and 1"),
        (["--parameter", "trees"], "--parameter trees: KEY=VALUE is wanted"),
        (["--parameter", "trees=1", "--parameter", "trees=2"], "each key once"),
        (["--parameter", "wood=1"], "--parameter wood: IForest has trees, samples"),
        (["--parameter", "trees=many"], "--parameter trees=many: a whole number is wanted"),
        (["--parameter", "trees=0"], "--parameter trees=0: must be 1 to 10000"),
        (["--features", "a,z"], "there is no column 'z'; it has a, b"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_told(
    capsys: pytest.CaptureFixture[str], data: Path, words: list[str], said: str
) -> None:
    assert said in run(capsys, data, *words)


def test_nothing_is_written_over(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert main([*ORDER, "--data", str(data), "--to", str(data.parent)]) == 2
    assert "is there already; name a new or an empty directory" in capsys.readouterr().err
    assert list(data.parent.iterdir()) == [data]


def test_help_knows_every_method_and_its_parameters() -> None:
    kinds = ((fit._METHODS, fit._EPILOG), (fit._ADVERSARIAL_METHODS, fit._ADVERSARIAL_EPILOG))
    told = [method for methods, _ in kinds for method in methods]
    assert sorted(told) == sorted(METHODS) == sorted(PARAMETERS)
    for methods, epilog in kinds:
        for method in methods:
            numbers = PARAMETERS[method].items()
            defaults = " ".join(f"{name}={number.default}" for name, number in numbers)
            assert f"{method:<13} {defaults}\n" in epilog
