"""An image's files as they lie on a disk, where there is no container engine to look at them."""

import json
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import images

_CHUNK = 1 << 20
_GZIP = 31
"""Window bits by which zlib writes gzip, as registries store layers."""


@dataclass(frozen=True)
class Unpacked:
    """An image.

    Attributes:
        root: Its files.
        entrypoint: What a container of it runs.
        environment: Variables that it sets.
        compressed: Bytes of its layers as a registry stores them.
        unpacked: Bytes of its layers on a disk.
    """

    root: Path
    entrypoint: list[str]
    environment: dict[str, str]
    compressed: int
    unpacked: int

    def command(self, *words: str, steps: Iterable[str] = ()) -> list[str]:
        """Return what runs words in it as a container would, as nobody.

        Args:
            words: What to run.
            steps: What the shell does beforehand, as root; `$0` is the image's root.
        """
        self.root.chmod(0o755)
        for place in ("proc", "sys"):
            (self.root / place).mkdir(exist_ok=True)
        kernel = ('mount -t proc none "$0/proc"', 'mount --rbind /sys "$0/sys"')
        enter = 'exec chroot --userspec=65532:65532 "$0" "$@"'
        script = " && ".join([*kernel, *steps, enter])
        return ["unshare", "--mount", "sh", "-c", script, str(self.root), *words]


def unpack_own(name: str, root: Path) -> Unpacked:
    """Unpack an image of the project into a folder, built unless it is there."""
    (archive,) = images.build([images.find(name)])
    return unpack(archive, root)


def unpack(archive: Path, root: Path) -> Unpacked:
    """Unpack an image's archive into a folder."""
    with tarfile.open(archive) as image:
        (manifest,) = _read(image, "manifest.json")
        config = _read(image, manifest["Config"])["config"]
        sizes = [_layer(image, name, root) for name in manifest["Layers"]]
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    compressed, unpacked = map(sum, zip(*sizes, strict=True))
    return Unpacked(root, config["Entrypoint"], variables, compressed, unpacked)


def _read(image: tarfile.TarFile, name: str) -> Any:
    member = image.extractfile(name)
    assert member is not None
    return json.load(member)


def _layer(image: tarfile.TarFile, name: str, root: Path) -> tuple[int, int]:
    """Unpack a layer; return its compressed size and its own."""
    member = image.extractfile(name)
    assert member is not None
    packer = zlib.compressobj(wbits=_GZIP)
    compressed = size = 0
    while chunk := member.read(_CHUNK):
        compressed += len(packer.compress(chunk))
        size += len(chunk)
    member.seek(0)
    with tarfile.open(fileobj=member) as layer:
        layer.extractall(root, filter="fully_trusted")
    return compressed + len(packer.flush()), size
