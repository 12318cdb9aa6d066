"""`hune convert` where no converter is installed, and with orders it cannot carry out."""

from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hune import __version__
from hune.cli.main import main
from hune.dataplane.jobs import convert
from hune.dataplane.jobs.model_file import find_model
from hune.dataplane.jobs.onnx_conversion import Loaded
from hune.dataplane.jobs.thresholds import Thresholds


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), file)
    return file


def run(capsys: pytest.CaptureFixture[str], model: Path, *more: str) -> str:
    directory = model.parent / "onnx"
    assert main(["convert", str(model), "--to", str(directory), *more]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert not directory.exists()
    return captured.err


def test_a_pickle_is_not_loaded_unless_it_is_trusted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trap, sprung = tmp_path / "model.pkl", tmp_path / "sprung"
    trap.write_bytes(f"cposix\nsystem\n(S'touch {sprung}'\ntR.".encode())
    said = run(capsys, trap)
    assert "is a pickle: loading it runs any code that its author put in it" in said
    assert "--trust-pickle" in said
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("name", "package"), [("model.json", "xgboost"), ("model.txt", "lightgbm")]
)
def test_without_the_models_library_that_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, package: str
) -> None:
    (tmp_path / name).write_text("{}")
    said = run(capsys, tmp_path / name)
    assert said.startswith(f"hune: error: {package} is not usable here")
    assert f"docker.io/hune/convert:{__version__}" in said


def test_without_a_converter_that_is_said(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    said = run(capsys, model, "--trust-pickle")
    assert said.startswith("hune: error: skl2onnx is not usable here")
    assert "pip install 'hune[convert]'" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rows", "0"], "--rows must be 1 or more"),
        (["--allow", "-1"], "--allow 0 or more"),
        (["--tolerance", "nan"], "--tolerance nan: 0 or a positive number is wanted"),
        (["--tolerance", "-1"], "--tolerance -1: 0 or a positive number is wanted"),
        (["--data", "gone.csv"], "gone.csv: No such file or directory"),
        (["--data", "ROWS"], "3 columns, the model takes 2; choose them, in the model's order, by"),
        (["--data", "ROWS", "--features", "a,z"], "there is no column 'z'; it has a, b, c"),
        (["--data", "ROWS", "--features", "a,c"], "row 1 (counted from 0), column 1: 1e+39 is"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_told(
    capsys: pytest.CaptureFixture[str], model: Path, words: list[str], said: str
) -> None:
    rows = model.parent / "rows.csv"
    rows.write_text("a,b,c\n1,2,3\n4,5,1e39\n")
    given = [str(rows) if word == "ROWS" else word for word in words]
    assert said in run(capsys, model, "--trust-pickle", *given)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no pickle", "cannot be loaded: "),
        (b"cnowhere\nNothing\n.", "cannot be loaded: ModuleNotFoundError"),
        (b"I7\n.", "holds int; a fitted classifier or regressor is wanted"),
    ],
)
def test_a_file_that_holds_no_model_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    assert said in run(capsys, tmp_path / "model.pkl", "--trust-pickle")


def test_nothing_is_written_over(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    assert main(["convert", str(model), "--to", str(model.parent)]) == 2
    assert "is there already; name a new or an empty directory" in capsys.readouterr().err
    assert list(model.parent.iterdir()) == [model]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "one file is wanted (.joblib, .pkl, .pickle, .json, .ubj, .txt); it has none"),
        (["a.json", "b.txt"], "it has a.json, b.txt"),
        (["model.bst"], "it has none"),
    ],
)
def test_a_directory_without_one_model_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, files: list[str], said: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("")
    assert said in run(capsys, folder)


def test_a_model_is_known_by_its_suffix_or_by_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "income.model"
    file.write_text("")
    assert "say --from sklearn, xgboost or lightgbm" in run(capsys, file)
    assert find_model(file, "xgboost").library == "xgboost"
    assert "gone.json does not exist" in run(capsys, tmp_path / "gone.json")


def test_the_only_file_of_a_directory_is_the_model_where_its_library_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "model.bst").write_text("")
    assert "it has none; say --from sklearn, xgboost or lightgbm" in run(capsys, directory)
    assert find_model(directory, "lightgbm").path == directory / "model.bst"
    (directory / "model.txt").write_text("")
    assert find_model(directory, "lightgbm").path == directory / "model.txt"
    (directory / "model.txt").rename(directory / "notes.bst")
    said = run(capsys, directory, "--from", "lightgbm")
    assert "one file is wanted" in said
    assert "it has model.bst, notes.bst" in said


def test_columns_are_found_by_the_names_that_the_model_knows(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("target,a,b\n0,1,2\n1,3,4\n")
    model = Loaded(
        versions="",
        names=("b", "a"),
        features=2,
        thresholds=Thresholds({}),
        undo=np.asarray,
        redo=np.asarray,
        predict=lambda given: [given],
        convert=lambda: None,
    )
    assert convert._given(rows, (), model).tolist() == [[2, 1], [4, 3]]
    assert convert._given(rows, ("a", "b"), model).tolist() == [[1, 2], [3, 4]]
