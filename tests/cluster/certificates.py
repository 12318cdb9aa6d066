"""One certificate authority per cluster, and the certificates and kubeconfigs it signs."""

import base64
import json
from pathlib import Path

from tests.cluster.command import run

DAYS = "3650"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def create_authority(folder: Path) -> None:
    """Create the authority and the key that signs service account tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _request(folder / "ca", "/CN=hune-cluster", usage)
    run(["openssl", "genrsa", "-out", folder / "service-accounts.key", "2048"])


def issue(folder: Path, name: str, subject: str, addresses: str = "") -> None:
    """Issue ``name.crt`` and ``name.key``.

    Args:
        folder: Where the authority is, and where the files go.
        name: What the files are called.
        subject: The user, as ``/O=group/CN=user``.
        addresses: For servers: the alternative names, as ``DNS:a,IP:b``.
    """
    extensions = ["-addext", "extendedKeyUsage=clientAuth,serverAuth"]
    if addresses:
        extensions += ["-addext", f"subjectAltName={addresses}"]
    signer = ["-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")]
    leaf = ["-addext", "basicConstraints=critical,CA:FALSE"]
    _request(folder / name, subject, [*signer, *leaf, *extensions])


def _request(target: Path, subject: str, more: list[str]) -> None:
    files = ["-keyout", f"{target}.key", "-out", f"{target}.crt"]
    run(["openssl", "req", "-x509", "-days", DAYS, *KEY, "-subj", subject, *files, *more])


def encode(file: Path) -> str:
    """Return a file as Kubernetes objects carry it."""
    return base64.b64encode(file.read_bytes()).decode()


def write_kubeconfig(target: Path, folder: Path, name: str, server: str, cluster: str) -> None:
    """Write a kubeconfig that carries all it needs; JSON is YAML, and kubectl reads it."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": encode(folder / "ca.crt"),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": encode(folder / f"{name}.crt"),
                    "client-key-data": encode(folder / f"{name}.key"),
                },
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": name}}],
        "current-context": cluster,
    }
    target.touch(mode=0o600)
    target.write_text(json.dumps(document, indent=1) + "\n")
