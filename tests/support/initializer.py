"""The initializer out of an image, as KServe runs it before a pod's server."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hune.contract.digest import digest_of
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from tests.support.unpacked import Unpacked

NOBODY = 65532
PYTHON = "/opt/hune/bin/python"
RUN = """
import sys
from hune.dataplane.storage.__main__ import main
status = main(sys.argv[1:])
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
sys.exit(status)
"""


@contextmanager
def volume(image: Unpacked) -> Iterator[None]:
    """Mount a volume of the pod's own at the image's /mnt."""
    place = image.root / "mnt"
    place.mkdir(exist_ok=True)
    options = f"mode=0755,uid={NOBODY},gid={NOBODY}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "volume", place], check=True)
    try:
        yield
    finally:
        # A server that was just killed may still hold it.
        subprocess.run(["umount", "--lazy", place], check=True)


def bring(image: Unpacked, s3: S3Server, artefacts: Mapping[str, Path]) -> int:
    """Download artefacts, each with its digest pinned; return the most bytes that it had in memory.

    Args:
        image: Whose initializer runs; the artefacts come to its `volume`.
        s3: Where it finds them.
        artefacts: Files and folders of this machine by where they belong in the image.
    """
    words, digests = list[str](), dict[str, str]()
    for number, (place, artefact) in enumerate(artefacts.items()):
        uri = _put(s3, f"artefact-{number}", artefact)
        digests[uri] = digest_of(artefact)
        words += [f"hune+{uri}", place]
    variables = {
        "PATH": os.environ["PATH"],
        **image.environment,
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "HUNE_DIGESTS": json.dumps(digests),
    }
    command = image.command(PYTHON, "-c", RUN, *words)
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout) << 10


def _put(s3: S3Server, bucket: str, artefact: Path) -> str:
    """Store a file or the files of a folder in a bucket of their own; return the uri."""
    if artefact.is_file():
        s3.put(bucket, {artefact.name: artefact.read_bytes()})
        return f"s3://{bucket}/{artefact.name}"
    files = (file for file in artefact.rglob("*") if file.is_file())
    s3.put(bucket, {file.relative_to(artefact).as_posix(): file.read_bytes() for file in files})
    return f"s3://{bucket}"
