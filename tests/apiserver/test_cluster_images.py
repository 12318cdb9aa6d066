"""How the cluster's own images are built, with the buildah that builds them all."""

from pathlib import Path

import pytest

from tests.cluster import images, packages
from tests.cluster.command import run

DOCKERFILE = 'FROM scratch\nCOPY greeting /greeting\nCMD ["/greeting"]\n'


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, on a disk that is always too full."""
    packages.install_missing()
    monkeypatch.setenv("HUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "ROOM_BYTES", 1 << 60)
    (tmp_path / "cache").mkdir()
    return tmp_path


def test_what_an_interrupted_build_leaves_does_not_keep_the_next_from_making_room(
    store: Path,
) -> None:
    def buildah(*words: str) -> str:
        return run(images._buildah(*words)).strip()

    layer = buildah("commit", buildah("from", "scratch"))
    left = buildah("from", layer)
    (store / "Dockerfile").write_text(DOCKERFILE)
    (store / "greeting").write_text("hello")
    wanted = images.Image(
        "localhost/greeting:1", store / "Dockerfile", store, (store / "greeting",)
    )
    (archive,) = images.build([wanted])
    assert archive.stat().st_size > 0
    assert left not in buildah("containers", "--all", "--noheading", "--notruncate")
    assert layer not in buildah("images", "--all", "--noheading", "--no-trunc")
