import hashlib
import re
from pathlib import Path

import pytest

from hune.contract.digest import PATTERN, digest_of


def test_a_files_digest_is_what_sha256sum_prints(tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    file.write_bytes(b"model")
    assert digest_of(file) == f"sha256:{hashlib.sha256(b'model').hexdigest()}"


def test_a_directorys_digest_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    for copy, names in (("one", ("a", "b/c")), ("two", ("b/c", "a"))):
        for name in names:
            file = tmp_path / copy / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(name.encode())
    first = digest_of(tmp_path / "one")
    assert re.fullmatch(PATTERN, first)
    assert digest_of(tmp_path / "two") == first
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "z")
    assert digest_of(tmp_path / "two") != first


def test_the_digest_of_a_directory_stays_what_it_always_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    one = hashlib.sha256(b"1").hexdigest()
    wanted = hashlib.sha256(f"a\0{one}\n".encode()).hexdigest()
    assert digest_of(tmp_path) == f"sha256:{wanted}"


def test_nothing_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        digest_of(tmp_path / "absent")
    with pytest.raises(ValueError, match="holds no file"):
        digest_of(tmp_path)


@pytest.mark.parametrize("target", ["outside/file", "outside", "model/inside"])
def test_links_that_would_escape_the_digest_are_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"1")
    (tmp_path / "model" / "inside").mkdir(parents=True)
    (tmp_path / "model" / "inside" / "file").write_bytes(b"1")
    (tmp_path / "model" / "link").symlink_to(tmp_path / target)
    with pytest.raises(ValueError, match=r"link.*copy it in"):
        digest_of(tmp_path / "model")


def test_a_link_to_a_file_beside_it_counts_as_that_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"1")
    before = digest_of(tmp_path)
    (tmp_path / "link").symlink_to("real")
    assert digest_of(tmp_path) != before
