"""Data as people have them, and what they are told when these will not do."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hune.dataplane.jobs.data import read_data
from hune.dataplane.jobs.errors import DataError, MissingPackageError


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "train.csv"
    file.write_bytes(text.encode(encoding))
    return file


def test_the_first_line_names_the_columns(tmp_path: Path) -> None:
    data = read_data(csv(tmp_path, "age, income\n30,1e3\n\n-2.5, .5\n"))
    assert data.names == ("age", "income")
    assert data.rows.tolist() == [[30, 1000], [-2.5, 0.5]]


def test_columns_are_chosen_and_ordered_by_name(tmp_path: Path) -> None:
    file = csv(tmp_path, 'label,"a,b",c\nyes,1,2\nno,3,4\n')
    data = read_data(file, ["c", "a,b"])
    assert data.names == ("c", "a,b")
    assert data.rows.tolist() == [[2, 1], [4, 3]]


def test_what_excel_writes_is_read(tmp_path: Path) -> None:
    assert read_data(csv(tmp_path, "a,b\r\n1,2\r\n", "utf-8-sig")).names == ("a", "b")


@pytest.mark.parametrize(
    ("text", "features", "said"),
    [
        ("", [], "line 1 must name the columns"),
        ("1,2\n3,4\n", [], "line 1 must name the columns"),
        ("a,b\n", [], "holds no rows"),
        ("a,b\n1,2\n", ["c"], "there is no column 'c'; it has a, b"),
        ("a,b\n1,2\n", ["a", "a"], "column 'a' is named twice"),
        ("a,a\n1,2\n", [], "column 'a' is named twice"),
        ("a,\n1,2\n", [], "a column has no name"),
        ("a,b\n1,2\n3,x\n", [], "line 3, column 'b': 'x' is no finite number"),
        ("a,b\n1,2\n3,nan\n", [], "line 3, column 'b': 'nan' is no finite number"),
        ("a,b\n1,2\n3,1e999\n", [], "line 3, column 'b': '1e999' is no finite number"),
        ("a,b\n1,1_000\n", [], "'1_000' is no finite number"),
        ("a,b\n1,2\n,4\n", [], "line 3, column 'a' is empty"),
        ("a,b\n1,2\n3\n", [], "line 3 has 1 cells, line 1 names 2 columns"),
        ('a,b\n1,"2\n3"\n', [], "line 3, column 'b'"),
        ("a;b\n1;2\n", ["a"], "there is no column 'a'; it has a;b"),
    ],
)
def test_a_fault_is_told_with_its_place(
    tmp_path: Path, text: str, features: list[str], said: str
) -> None:
    file = csv(tmp_path, text)
    with pytest.raises(DataError, match=r"train\.csv") as caught:
        read_data(file, features)
    assert said in str(caught.value)


def test_text_in_another_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not UTF-8"):
        read_data(csv(tmp_path, "größe\n1\n", "latin-1"))


def test_an_array_has_no_names(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([[1, 2], [3, 4]], "<i2"))
    data = read_data(tmp_path / "rows.npy")
    assert data.names == ()
    assert data.rows.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="has no names"):
        read_data(tmp_path / "rows.npy", ["a"])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(3), "of shape"),
        (np.zeros((2, 2), "U3"), "numbers of shape"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "row 1 .*, column 1 is null or not finite"),
        (np.array([[object()]]), "not usable as .npy"),
        (np.zeros((0, 3)), "holds no rows"),
    ],
)
def test_an_array_that_will_not_do_is_told(
    tmp_path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], said: str
) -> None:
    np.save(tmp_path / "rows.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=said):
        read_data(tmp_path / "rows.npy")


def test_other_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"ends in \.csv, \.parquet, \.npy is wanted"):
        read_data(tmp_path / "train.pickle")
    with pytest.raises(DataError, match=r"absent\.csv: No such file"):
        read_data(tmp_path / "absent.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match=r"not readable here: .*pyarrow"):
        read_data(tmp_path / "train.parquet")
