"""Artefacts as they are written, and as somebody with bad intentions would write them."""

import hashlib
import io
import json
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hune.dataplane.detectors.artefact import (
    ArtefactError,
    MissingArtefactError,
    read_header,
    write_artefact,
)
from hune.dataplane.detectors.detector import load_detector
from tests.support.detectors import (
    BREAST_CANCER,
    edit_header,
    plane,
    small_forest,
    write_detector,
)


def test_a_detector_is_read_as_it_was_written(tmp_path: Path) -> None:
    detector = load_detector(write_detector(tmp_path / "d", small_forest(), threshold="0.125"))
    assert (detector.name, detector.names, detector.count) == ("small", ("a", "b"), 2)
    assert detector.threshold == 0.125
    assert detector.score(np.zeros((3, 2))).shape == (3,)
    other = load_detector(write_detector(tmp_path / "e", plane(), "Mahalanobis", features=()))
    assert other.names == ()
    assert other.score(np.array([[1.0, 4.0]])).tolist() == [1.0]


def test_the_same_detector_is_the_same_bytes(tmp_path: Path) -> None:
    directories = [write_detector(tmp_path / name, small_forest()) for name in "de"]
    one, two = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in directories)
    assert one == two


def test_there_is_nothing_to_run_in_it(tmp_path: Path) -> None:
    names = {f.name for f in write_detector(tmp_path / "d", small_forest()).iterdir()}
    arrays = {f"{name}.npy" for name in small_forest()}
    assert names == {"detector.json", *arrays}


def test_a_missing_artefact_says_what_would_write_it(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match="`hune fit` writes it"):
        load_detector(tmp_path)


HEADERS: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("another schema", lambda d: d.update(schema="hune.dev/detector/v2"), "schema is"),
    ("an unknown method", lambda d: d.update(method="os.system"), "'os.system' is none of IForest"),
    ("the other method", lambda d: d.update(method="Mahalanobis"), "dtype"),
    (
        "the other method and its dtype",
        lambda d: d.update(method="Mahalanobis", dtype="float64"),
        "exactly directions, mean",
    ),
    ("another dtype", lambda d: d.update(dtype="float16"), "dtype"),
    ("no columns", lambda d: d.update(featureCount=0, features=[]), "featureCount"),
    ("absurdly many columns", lambda d: d.update(featureCount=10**12), "featureCount"),
    ("a count that is true", lambda d: d.update(featureCount=True), "featureCount must be int"),
    (
        "fewer columns than the trees name",
        lambda d: d.update(featureCount=1, features=[]),
        "the 1$",
    ),
    ("fewer names than columns", lambda d: d.update(features=["a"]), "2 different names"),
    ("a name twice", lambda d: d.update(features=["a", "a"]), "2 different names"),
    ("a name that is a number", lambda d: d.update(features=["a", 1]), r"features\[1\]"),
    ("NaN for a threshold", lambda d: d.update(threshold="nan"), "no finite number"),
    ("an infinite threshold", lambda d: d.update(threshold="1e999"), "no finite number"),
    ("words for a threshold", lambda d: d.update(threshold="high"), "no finite number"),
    ("a threshold as a number", lambda d: d.update(threshold=0.5), "threshold must be str"),
    ("a field that is missing", lambda d: d.pop("threshold"), "threshold is missing"),
    ("no files", lambda d: d.update(files=[]), "files must be exactly"),
    ("a file twice", lambda d: d["files"].append(d["files"][0]), "files must be exactly"),
    ("a file elsewhere", lambda d: d["files"][0].update(name="../left"), "files must be exactly"),
    ("another size", lambda d: d["files"][0].update(size=1), "the header says 1"),
    ("another sha256", lambda d: d["files"][0].update(sha256="0" * 64), "another sha256"),
]


@pytest.mark.parametrize(
    ("change", "said"), [pytest.param(change, said, id=name) for name, change, said in HEADERS]
)
def test_a_header_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    directory = write_detector(tmp_path / "d", small_forest())
    edit_header(directory, change)
    with pytest.raises(ArtefactError, match=said):
        load_detector(directory)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b" " * (5 << 20)],
    ids=["empty", "list", "cut", "text", "no UTF-8", "deep", "number", "large"],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    directory = write_detector(tmp_path / "d", small_forest())
    (directory / "detector.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"detector\.json"):
        load_detector(directory)


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def npy_text(header: str, data: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


class Pickled:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


FILES = [
    ("an object array", npy(np.array([Pickled()], object), allow_pickle=True), "must be <i4"),
    ("a bare pickle", pickle.dumps(Pickled()), "no .npy file"),
    ("an archive", b"PK\x03\x04" + b"\0" * 64, "no .npy file"),
    ("nothing", b"", "no .npy file"),
    ("wider numbers", npy(np.zeros(8, "<i8")), "must be <i4"),
    ("the other byte order", npy(np.zeros(8, ">i4")), "must be <i4"),
    ("two dimensions", npy(np.zeros((8, 1), "<i4")), "1 dimensions"),
    ("records", npy(np.zeros(8, [("a", "<i4")])), "must be <i4"),
    ("a cut array", npy(np.zeros(8, "<i4"))[:-1], "another number of values"),
    ("more than its shape", npy(np.zeros(8, "<i4")) + b"\0\0\0\0", "another number of values"),
    (
        "a shape of terabytes",
        npy_text("{'descr': '<i4', 'fortran_order': False, 'shape': (999999999999,), }\n"),
        "another number of values",
    ),
    (
        "a negative shape",
        npy_text("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }\n"),
        "another number of values",
    ),
    (
        "a header that is a program",
        npy_text("{'descr': '<i4', 'fortran_order': False, 'shape': (exit(),), }\n"),
        "no .npy file",
    ),
    ("a header of brackets", npy_text("(" * 9000), "no .npy file"),
    ("version 3 of the format", b"\x93NUMPY\x03\x00" + b"\0" * 80, "npy"),
    ("more than is ever read", npy(np.zeros(17 << 20, "<i4")), "larger than"),
]


@pytest.mark.parametrize(
    ("content", "said"), [pytest.param(content, said, id=name) for name, content, said in FILES]
)
def test_an_array_that_cannot_be_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    directory = write_detector(tmp_path / "d", small_forest())
    replace(directory, "left", content)
    with pytest.raises(ArtefactError, match=said):
        load_detector(directory)


def replace(directory: Path, name: str, content: bytes) -> None:
    """Exchange an array's file, and make the header agree as its author would."""
    (directory / f"{name}.npy").write_bytes(content)

    def agree(document: dict[str, Any]) -> None:
        (file,) = (file for file in document["files"] if file["name"] == name)
        file.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    edit_header(directory, agree)


def test_a_shape_of_terabytes_takes_no_memory(tmp_path: Path) -> None:
    directory = write_detector(tmp_path / "d", small_forest())
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (9999999999,), }\n"
    replace(directory, "left", npy_text(header))
    tracemalloc.start()
    try:
        with pytest.raises(ArtefactError):
            load_detector(directory)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    directory = write_detector(tmp_path / "d", small_forest())
    (directory / "left.npy").unlink()
    with pytest.raises(ArtefactError, match=r"left\.npy is missing"):
        load_detector(directory)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whatever_the_arrays_hold_a_forest_scores_or_is_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    directory = tmp_path / "d"
    if not directory.exists():
        write_detector(directory, small_forest())
    arrays = small_forest()
    for _ in range(data.draw(st.integers(1, 3))):
        array = arrays[data.draw(st.sampled_from(sorted(arrays)))]
        place = data.draw(st.integers(0, len(array) - 1))
        array[place] = data.draw(st.integers(-9, 9) | st.sampled_from([2**31 - 1, -(2**31)]))
    header = read_header(directory)
    write_artefact(directory, header, arrays)
    try:
        detector = load_detector(directory)
    except ArtefactError:
        return
    assert np.isfinite(detector.score(np.array([[0.0, 0.0], [5.0, -5.0]]))).all()


def test_the_committed_detector_knows_a_stranger() -> None:
    detector = load_detector(BREAST_CANCER)
    assert detector.count == len(detector.names) == 30
    rows = np.array([np.zeros(30), np.full(30, 1e6)])
    assert (detector.score(rows) > detector.threshold).all()
    document = json.loads((BREAST_CANCER / "detector.json").read_text())
    assert document["fittedWith"].startswith("alibi-detect 0.11.4")
