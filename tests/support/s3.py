"""An S3 server on loopback for tests, with the checks of signatures switched on by choice."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import requests

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"


class S3Server:
    """A running server and a client that may do everything."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def put(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Make the bucket and store the objects."""
        self.client.create_bucket(Bucket=bucket)
        for key, body in objects.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def check_credentials(self, *, after: int = 0) -> None:
        """From now on, or after so many requests, refuse whoever is not known; nobody is."""
        requests.post(f"{self.endpoint}/moto-api/reset-auth", data=str(after), timeout=5)

    def reset(self) -> None:
        """Forget every bucket and let everybody in."""
        requests.post(f"{self.endpoint}/moto-api/reset-auth", data="inf", timeout=5)
        requests.post(f"{self.endpoint}/moto-api/reset", timeout=5)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server on a free port."""
    # Late, for it takes a second that most test modules need not pay.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    # It tells every request otherwise, verbose or not.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()
