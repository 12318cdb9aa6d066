from collections.abc import Iterator

import pytest

from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server, s3_server


@pytest.fixture(scope="session")
def _s3_process() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(_s3_process: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An empty S3 server, and the environment that KServe makes of a Secret for it."""
    _s3_process.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3_process.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("S3_MAX_ATTEMPTS", "1")
    return _s3_process
