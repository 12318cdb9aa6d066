"""Artefacts in S3 and what speaks its protocol.

KServe's own library serves every other scheme, but not this one: it takes `…/income/1` for a
plain prefix, so that `…/income/10` comes along, leaves empty files out, trusts object keys as file
paths, and tells neither a missing object nor a wrong password from any other failure.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error, RetriesExceededError
from botocore import UNSIGNED, exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hune.dataplane.storage.directory import place
from hune.dataplane.storage.errors import Reason, RefusedError, redact

# Which pair of keys KServe reads is a setting of its own: its manifests and its defaults differ.
_CREDENTIALS = (
    "check the Secret that secretRef names: its keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
    "(awsAccessKeyID and awsSecretAccessKey where KServe is configured so) and its annotation "
    "serving.kserve.io/s3-endpoint"
)
_CONNECTION_ERRORS = (
    exceptions.HTTPClientError,
    exceptions.ConnectionError,
    RetriesExceededError,
)


def fetch(uri: str, directory: Path) -> None:
    """Download the object that the uri names, or else every object below it.

    Raises:
        RefusedError: It is not there, not allowed, not reachable, or its keys are no file paths.
    """
    bucket, key = locate(uri)
    with explained(uri):
        client = connect()
        # Every name is looked at before the first file is written.
        targets = {
            found: place(directory, _name(key, found), uri) for found in keys(client, bucket, key)
        }
        if not targets:
            absent = f"bucket {bucket!r} has no object {key!r} and none below it"
            raise RefusedError("SourceNotFound", uri, absent, "check the uri")
        for found, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, found, str(target))


def locate(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key.

    Raises:
        RefusedError: No bucket is named.
    """
    # Not urlsplit: `#` and `?` are ordinary characters of a key.
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise RefusedError("SourceInvalid", uri, "no bucket is named", "write s3://bucket/path")
    return bucket, key


def connect() -> Any:
    """Return a client set up by the variables that KServe makes of a Secret.

    The endpoint, the region, the credentials and AWS_CA_BUNDLE are read by the client itself.
    """
    config = Config(
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": _number("S3_MAX_ATTEMPTS", 5)},
        # Many servers other than Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            "addressing_style": "virtual" if _flag("S3_USER_VIRTUAL_BUCKET") else "auto",
            "use_accelerate_endpoint": _flag("S3_USE_ACCELERATE"),
        },
        signature_version=UNSIGNED if _flag("awsAnonymousCredential") else None,
    )
    region = os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    session = boto3.Session(region_name=region)
    return session.client("s3", config=config, verify=_verify())


def keys(client: Any, bucket: str, key: str) -> Iterator[str]:
    """Yield the key itself if it is an object, else all keys below it, markers left out."""
    if key and not key.endswith("/"):
        answer = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        if any(found["Key"] == key for found in answer.get("Contents", [])):
            yield key
            return
        key += "/"
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for found in page.get("Contents", []):
            if not found["Key"].endswith("/"):
                yield found["Key"]


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn the client's errors into a refusal that a person can act on.

    Raises:
        RefusedError: In place of an error of the client.
    """
    try:
        yield
    except ClientError as error:
        raise _answered(uri, error) from None
    except (BotoCoreError, Boto3Error, ValueError) as error:
        raise _unanswered(uri, error) from None


def _name(key: str, found: str) -> str:
    if found == key:
        return found.rpartition("/")[2]
    return found.removeprefix(key.rstrip("/") + "/" if key else "")


def _answered(uri: str, error: ClientError) -> RefusedError:
    code = error.response.get("Error", {}).get("Code", "?")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        absent = f"the bucket {locate(uri)[0]!r} does not exist"
        return RefusedError("SourceNotFound", uri, absent, "check the uri")
    if status in {401, 403}:
        return RefusedError("AccessDenied", uri, f"the storage says {code}", _CREDENTIALS)
    reason: Reason = "SourceInvalid"
    if status == HTTPStatus.NOT_FOUND:
        reason = "SourceNotFound"
    elif status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = "SourceUnreachable"
    return RefusedError(reason, uri, f"the storage says {code} (HTTP {status})", "check the uri")


def _unanswered(uri: str, error: Exception) -> RefusedError:
    name = type(error).__name__
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return RefusedError("AccessDenied", uri, "there are no credentials", _CREDENTIALS)
    if isinstance(error, _CONNECTION_ERRORS):
        endpoint = redact(os.environ.get("AWS_ENDPOINT_URL") or "Amazon's endpoint")
        silent = f"the storage at {endpoint} does not answer ({name})"
        return RefusedError("SourceUnreachable", uri, silent, "check the address and the network")
    return RefusedError("SourceInvalid", uri, f"no request can be made ({name})", "check the uri")


def _flag(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in {"1", "true"}


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else default


def _verify() -> bool | str | None:
    if os.environ.get("S3_VERIFY_SSL", "").lower() in {"0", "false"}:
        return False
    if os.environ.get("CA_BUNDLE_CONFIGMAP_NAME") and not os.environ.get("AWS_CA_BUNDLE"):
        place = os.environ.get("CA_BUNDLE_VOLUME_MOUNT_POINT", "/etc/ssl/custom-certs")
        return f"{place}/cabundle.crt"
    return None
