import json
from pathlib import Path

import pytest

from hune.contract.digest import digest_of
from hune.contract.refusal import Refusal
from hune.dataplane.storage.__main__ import main
from tests.support.s3 import SECRET_KEY, S3Server


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that stands for a mounted volume; the termination log lies beside it."""
    place = tmp_path / "volume"
    place.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == place)
    monkeypatch.setenv("HUNE_TERMINATION_LOG", str(tmp_path / "termination-log"))
    return place


def pin(monkeypatch: pytest.MonkeyPatch, **digests: str) -> None:
    wanted = {f"s3://models/{path}": digest for path, digest in digests.items()}
    monkeypatch.setenv("HUNE_DIGESTS", json.dumps(wanted))


def refusal(volume: Path) -> Refusal:
    found = Refusal.from_json((volume.parent / "termination-log").read_text())
    assert found is not None
    return found


def files(place: Path) -> dict[str, bytes]:
    found = (path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in found}


def digest(tmp_path: Path, contents: dict[str, bytes]) -> str:
    place = tmp_path / "original"
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return digest_of(place)


def test_a_directory_with_the_right_digest_arrives_whole(
    s3: S3Server, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"MLmodel": b"flavor", "code/__init__.py": b"", "data/model.pkl": b"x" * 100}
    s3.put("models", {f"income/{name}": body for name, body in contents.items()})
    s3.put("models", {"income/": b"", "income/code/": b""})
    pin(monkeypatch, income=digest(tmp_path, contents))
    assert main(["s3://models/income", str(volume)]) == 0
    assert files(volume) == contents
    assert not (volume.parent / "termination-log").exists()


def test_a_uri_as_kserve_gets_it_is_the_users_uri(
    s3: S3Server, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("models", {"income/m": b"other"})
    pin(monkeypatch, income="sha256:" + "0" * 64)
    for container in ("hune", "hune-lite", "team.models-2"):
        assert main([f"{container}+s3://models/income", str(volume)]) == 1
        assert refusal(volume).reason == "DigestMismatch"
        assert refusal(volume).uri == "s3://models/income"


def test_a_plus_in_a_uri_is_a_plus(s3: S3Server, volume: Path) -> None:
    s3.put("models", {"a+b/m": b"1"})
    assert main(["s3://models/a+b", str(volume)]) == 0
    assert files(volume) == {"m": b"1"}


def test_version_1_is_not_mixed_with_version_10(s3: S3Server, volume: Path) -> None:
    s3.put("models", {"income/1/m": b"one", "income/10/m": b"ten", "income/1.bak": b"old"})
    assert main(["s3://models/income/1", str(volume)]) == 0
    assert files(volume) == {"m": b"one"}


@pytest.mark.parametrize("uri", ["s3://models", "s3://models/", "s3://models/deep/"])
def test_a_whole_bucket_or_a_trailing_slash_is_a_directory(
    s3: S3Server, volume: Path, uri: str
) -> None:
    s3.put("models", {"deep/m": b"1"})
    assert main([uri, str(volume)]) == 0
    assert [*files(volume)] == ["m" if "deep" in uri else "deep/m"]


def test_one_file_is_checked_against_its_own_sha256(
    s3: S3Server, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("models", {"income/model.joblib": b"model", "income/model.joblib.old": b"other"})
    (tmp_path / "m").write_bytes(b"model")
    uri = "s3://models/income/model.joblib"
    monkeypatch.setenv("HUNE_DIGESTS", json.dumps({uri: digest_of(tmp_path / "m")}))
    assert main([uri, str(volume)]) == 0
    assert files(volume) == {"model.joblib": b"model"}


def test_without_a_pinned_digest_it_is_accepted_and_said(
    s3: S3Server, volume: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put("models", {"income/m": b"1"})
    assert main(["s3://models/income", str(volume)]) == 0
    assert f"no digest is pinned; accepted with {digest_of(volume)}" in caplog.text


def test_a_wrong_digest_leaves_nothing_and_says_both(
    s3: S3Server, volume: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put("models", {"good/m": b"1", "income/m": b"tampered"})
    wanted = "sha256:" + "0" * 64
    pin(monkeypatch, income=wanted)
    places = [str(volume / "good"), str(volume / "income")]
    assert main(["s3://models/good", places[0], "s3://models/income", places[1]]) == 1
    assert files(volume) == {}
    said = refusal(volume)
    assert (said.reason, said.uri) == ("DigestMismatch", "s3://models/income")
    assert wanted in said.message
    assert "register these as a new version" in said.message
    assert said.message in caplog.text


def test_what_the_guard_needs_is_not_what_the_model_needs(
    s3: S3Server, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector that does not come leaves word in its place; the model is there all the same."""
    monkeypatch.setattr("hune.dataplane.storage.__main__.ARTEFACT_DIRECTORY", volume / "hune")
    s3.put("models", {"income/m": b"1"})
    detector = volume / "hune/outliers"
    words = ["hune+s3://models/income", str(volume / "models")]
    assert main([*words, "hune+s3://models/nowhere", str(detector)]) == 0
    assert files(volume / "models") == {"m": b"1"}
    assert [*files(detector)] == [".hune-refused.json"]
    left = Refusal.from_json((detector / ".hune-refused.json").read_text())
    assert left is not None
    assert (left.reason, left.uri) == ("SourceNotFound", "s3://models/nowhere")
    assert not (volume.parent / "termination-log").exists()


def test_leftovers_of_a_killed_attempt_do_not_spoil_the_next(
    s3: S3Server, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("models", {"income/m": b"1"})
    pin(monkeypatch, income=digest(tmp_path, {"m": b"1"}))
    (volume / "half").mkdir()
    (volume / "half" / "m.part").write_bytes(b"?")
    assert main(["s3://models/income", str(volume)]) == 0
    assert files(volume) == {"m": b"1"}


@pytest.mark.parametrize(
    ("uri", "word"), [("s3://models/absent", "'absent'"), ("s3://other/income", "'other'")]
)
def test_an_absent_key_or_bucket_is_named(s3: S3Server, volume: Path, uri: str, word: str) -> None:
    s3.put("models", {"income/m": b"1"})
    assert main([uri, str(volume)]) == 1
    assert refusal(volume).reason == "SourceNotFound"
    assert word in refusal(volume).message


def test_refused_credentials_name_the_secrets_fields_and_not_the_secret(
    s3: S3Server, volume: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put("models", {"income/m": b"1"})
    s3.check_credentials()
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "AccessDenied"
    assert "awsSecretAccessKey" in refusal(volume).message
    assert SECRET_KEY not in refusal(volume).message + caplog.text


def test_no_credentials_at_all_are_told_from_wrong_ones(
    s3: S3Server, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("models", {"income/m": b"1"})
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "AccessDenied"
    assert "there are no credentials" in refusal(volume).message


def test_access_lost_halfway_leaves_nothing(s3: S3Server, volume: Path) -> None:
    s3.put("models", {"income/a": b"1", "income/b": b"2"})
    s3.check_credentials(after=3)
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "AccessDenied"
    assert files(volume) == {}


@pytest.mark.usefixtures("s3")
def test_an_unreachable_endpoint_is_named(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1:1")
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "SourceUnreachable"
    assert "http://127.0.0.1:1 does not answer" in refusal(volume).message
    assert "hidden" not in refusal(volume).message


@pytest.mark.parametrize(
    "key", ["income/../../escaped", "income/./m", "income/a//b", "income//etc/passwd", "income/.."]
)
def test_hostile_keys_are_refused_before_anything_is_written(
    s3: S3Server, volume: Path, key: str
) -> None:
    s3.put("models", {"income/a": b"1", key: b"evil"})
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "SourceInvalid"
    assert "cannot be a file's path" in refusal(volume).message
    assert files(volume) == {}
    assert [path.name for path in volume.parent.iterdir()] == ["volume", "termination-log"]


def test_keys_that_are_both_file_and_directory_are_refused(s3: S3Server, volume: Path) -> None:
    s3.put("models", {"income/a": b"1", "income/a/b": b"2"})
    assert main(["s3://models/income", str(volume)]) == 1
    assert refusal(volume).reason == "SourceInvalid"
    assert "cannot be stored" in refusal(volume).message


@pytest.mark.parametrize(
    "uri", ["ftp://host/model", "file:///etc/passwd", "/etc/passwd", "s3://", "oci://a/b", "s3"]
)
def test_other_schemes_are_refused(volume: Path, uri: str) -> None:
    assert main([uri, str(volume)]) == 1
    assert refusal(volume).reason == "SourceInvalid"


@pytest.mark.parametrize("place", ["relative", "/nowhere/mounted", "{volume}/../outside"])
def test_only_a_directory_on_a_volume_is_emptied(volume: Path, place: str) -> None:
    assert main(["s3://models/income", place.format(volume=volume)]) == 1
    assert refusal(volume).reason == "SourceInvalid"
    assert "the destination" in refusal(volume).message


@pytest.mark.parametrize("text", ["{", "[]", '{"s3://models/income": 1}'])
def test_unreadable_digests_let_nothing_pass(
    volume: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HUNE_DIGESTS", text)
    assert main(["s3://models/income", str(volume)]) == 1
    assert "HUNE_DIGESTS" in refusal(volume).message


@pytest.mark.parametrize("arguments", [[], ["s3://models/income"], ["verify", "pvc://claim"]])
def test_a_wrong_command_line_shows_the_usage(
    arguments: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main(arguments) == 2
    assert "usage:" in caplog.text


class TestVerify:
    URI = "pvc://models/income/7"

    def test_the_right_digest_passes_and_the_claim_stays_untouched(
        self, volume: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (volume / "m").write_bytes(b"1")
        monkeypatch.setenv("HUNE_DIGESTS", json.dumps({self.URI: digest_of(volume)}))
        assert main(["verify", self.URI, str(volume)]) == 0
        assert files(volume) == {"m": b"1"}

    def test_a_wrong_digest_is_refused_and_the_claim_stays_untouched(
        self, volume: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (volume / "m").write_bytes(b"1")
        monkeypatch.setenv("HUNE_DIGESTS", json.dumps({self.URI: "sha256:" + "0" * 64}))
        assert main(["verify", self.URI, str(volume)]) == 1
        assert refusal(volume).reason == "DigestMismatch"
        assert files(volume) == {"m": b"1"}

    def test_an_empty_or_absent_path_is_not_found(self, volume: Path) -> None:
        for place in (volume, volume / "absent"):
            assert main(["verify", self.URI, str(place)]) == 1
            assert refusal(volume).reason == "SourceNotFound"

    def test_a_link_out_of_the_claim_is_refused(self, volume: Path) -> None:
        (volume / "m").symlink_to("/etc/passwd")
        assert main(["verify", self.URI, str(volume)]) == 1
        assert refusal(volume).reason == "SourceInvalid"
        assert "link" in refusal(volume).message

    def test_one_file_is_checked_against_its_own_sha256(
        self, volume: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (volume / "m").write_bytes(b"1")
        monkeypatch.setenv("HUNE_DIGESTS", json.dumps({self.URI: digest_of(volume / "m")}))
        assert main(["verify", self.URI, str(volume / "m")]) == 0

    def test_what_may_not_be_read_is_named(
        self, volume: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (volume / "m").write_bytes(b"1")

        def refuse(path: Path) -> str:
            raise PermissionError(13, "Permission denied", str(path / "m"))

        monkeypatch.setattr("hune.dataplane.storage.verification.digest_of", refuse)
        assert main(["verify", self.URI, str(volume)]) == 1
        assert refusal(volume).reason == "AccessDenied"
        assert f"{volume}/m cannot be read (Permission denied)" in refusal(volume).message
