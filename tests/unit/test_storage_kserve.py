import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hune.dataplane.storage.errors import RefusedError, redact
from hune.dataplane.storage.kserve import fetch


class Answers(BaseHTTPRequestHandler):
    """Answers a path such as /503/200/model with its numbers, in turn; the last one stays."""

    seen = 0

    def do_GET(self) -> None:
        statuses = [int(part) for part in self.path.split("/") if part.isdecimal()]
        status = statuses[min(type(self).seen, len(statuses) - 1)]
        type(self).seen += 1
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(b"model")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "TMPDIR", "HF_HOME"):  # what a fetch sets is taken back
        monkeypatch.setenv(variable, "/nowhere")


@pytest.fixture
def web() -> Iterator[str]:
    Answers.seen = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_arrives_and_no_scratch_stays(web: str, tmp_path: Path) -> None:
    fetch(f"{web}/200/model.onnx", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == b"model"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "AccessDenied"), (403, "AccessDenied"), (404, "SourceNotFound")],
)
def test_a_refusal_is_not_asked_again(web: str, tmp_path: Path, status: int, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        fetch(f"{web}/{status}/model.onnx", tmp_path, pauses=(60,))
    assert refused.value.refusal.reason == reason
    assert [*tmp_path.iterdir()] == []


def test_a_storage_that_stumbles_is_asked_again(web: str, tmp_path: Path) -> None:
    fetch(f"{web}/503/503/200/model.onnx", tmp_path, pauses=(0, 0))
    assert (tmp_path / "model.onnx").read_bytes() == b"model"


def test_a_storage_that_stays_away_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        fetch("http://127.0.0.1:1/model.onnx", tmp_path, pauses=(0, 0))
    assert refused.value.refusal.reason == "SourceUnreachable"


@pytest.mark.parametrize("name", ["model.zip", "model.tar", "model.tar.gz", "model.tgz"])
def test_an_archive_is_refused_unasked(web: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="archive") as refused:
        fetch(f"{web}/200/{name}", tmp_path)
    assert refused.value.refusal.reason == "SourceInvalid"
    assert Answers.seen == 0


def test_a_signed_link_is_told_without_its_signature(
    web: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RefusedError) as refused:
        fetch(f"{web}/403/model.onnx?signature=hidden", tmp_path)
    assert "hidden" not in refused.value.refusal.to_json() + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://user:hidden@host/a.git", "https://host/a.git"),
        ("https://host/a?sig=hidden#x", "https://host/a"),
        ("https://host?sig=hidden", "https://host"),
        ("s3://models/a?b#c", "s3://models/a?b#c"),
        ("plain", "plain"),
    ],
)
def test_secrets_in_a_uri_are_not_shown(uri: str, shown: str) -> None:
    assert redact(uri) == shown
