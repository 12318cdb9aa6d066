"""The images of the node: the cluster's own, stand-ins under KServe's names, and the project's."""

import configparser
import os
import platform
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster import binaries, cache
from tests.cluster.command import ClusterError, run, try_run
from tests.cluster.progress import step

FOLDER = Path(__file__).parent / "images"
REPOSITORY = Path(__file__).parents[2]
BASE = "localhost/hune-python-base:bookworm"
PAUSE = "localhost/hune-pause:1"
BASE_PACKAGES = "ca-certificates,python3,python3-venv"
# Documentation and package lists: a third of the base that no container reads.
BASE_LEFT_OUT = (
    "dev/*",
    "proc/*",
    "sys/*",
    "usr/share/doc/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
)
PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
PLATFORM = f"linux/{'arm64' if platform.machine() == 'aarch64' else 'amd64'}"
KEPT = 2
# With less room than this, what buildah keeps of earlier builds goes: it never lets go by itself.
ROOM_BYTES = 16 << 30
# Images that a node does not start with: of jobs, of what users deploy, and the largest of all.
BY_NEED = frozenset({"convert", "explainer", "fit", "jobs", "seldon"})
CERTIFICATES = Path("/etc/ssl/certs")


@dataclass(frozen=True)
class Image:
    """An image and what it is built from.

    Attributes:
        tag: Its full name.
        dockerfile: How it is built.
        context: The folder its files are copied from.
        inputs: What, beside the Dockerfile, a new build depends on.
        architecture: Of the machine it is for, as Debian calls it; empty for this one.
    """

    tag: str
    dockerfile: Path
    context: Path
    inputs: tuple[str | Path, ...]
    architecture: str = ""

    @property
    def archive(self) -> Path:
        """Return where the built image is, or will be."""
        base = python_base().inputs if self.needs_base else ()
        key = cache.fingerprint([self.tag, self.dockerfile, *self.inputs, *base])
        # A colon would end the path where buildah and ctr are given both path and tag.
        name = self.tag.rpartition("/")[2].replace(":", "-")
        return cache.root() / "images" / name / f"{key}.tar"

    @property
    def needs_base(self) -> bool:
        """Say whether it is built on the Python base."""
        return "ARG BASE" in self.dockerfile.read_text()


def essential() -> dict[str, Image]:
    """Return the images without which there is no cluster."""
    kserve = f"v{binaries.KSERVE}"
    return {
        "python-base": python_base(),
        "pause": _own("pause", PAUSE),
        "coredns": _program("coredns", "localhost/hune-coredns:1", "coredns"),
        "traefik": _program("traefik", "localhost/hune-traefik:1", "traefik"),
        "local-path": _program("local-path", "localhost/hune-local-path:1", "local-path"),
        "kserve-controller": _program(
            "kserve-controller", f"docker.io/kserve/kserve-controller:{kserve}", "kserve"
        ),
    }


def python_base(architecture: str = "") -> Image:
    """Return the base of all Python images; for another machine, one to take files from."""
    tag = f"{BASE}-{architecture}" if architecture else BASE
    return replace(_own("python-base", tag, BASE_PACKAGES), architecture=architecture)


def for_arm64(image: Image) -> Image:
    """Return the same image for ARM, of which nothing is run while it is built."""
    return replace(image, tag=f"{image.tag}-arm64", architecture="arm64")


def stand_ins() -> dict[str, Image]:
    """Return the images that KServe's manifests name, and the object store of the tests."""
    kserve = f"v{binaries.KSERVE}"
    return {
        "kserve-agent": _program("kserve-agent", f"docker.io/kserve/agent:{kserve}", "kserve"),
        "kserve-router": _program("kserve-router", f"docker.io/kserve/router:{kserve}", "kserve"),
        "s3": _program("s3", "docker.io/hune/s3-for-tests:1", "rclone"),
        "storage-initializer": _own(
            "storage-initializer", f"docker.io/kserve/storage-initializer:{kserve}"
        ),
        "mlserver": _own("mlserver", "docker.io/seldonio/mlserver:1.7.1"),
    }


def project() -> dict[str, Image]:
    """Return the project's own images, one per images/<name>/Dockerfile."""
    files = sorted((REPOSITORY / "images").glob("*/Dockerfile"))
    return {file.parent.name: from_folder(file.parent) for file in files}


def installed() -> dict[str, Image]:
    """Return the project's images that a node starts with; the others come by need."""
    return {name: image for name, image in project().items() if name not in BY_NEED}


def of_a_node() -> dict[str, Image]:
    """Return the images that a node starts with."""
    return essential() | stand_ins() | installed()


def everything() -> dict[str, Image]:
    """Return all images by name."""
    return essential() | stand_ins() | project()


def find(name: str) -> Image:
    """Return an image by name, or by the folder of its Dockerfile."""
    known = everything()
    if name in known:
        return known[name]
    if (Path(name) / "Dockerfile").exists():
        return from_folder(Path(name).resolve())
    raise ClusterError(f"no image is called {name}; there are {', '.join(known)}, and folders")


def from_folder(folder: Path) -> Image:
    """Return the image of a folder, built like the project's own.

    It is named after the folder, or after the folder's parent where it is just called ``image``,
    as in examples/03-custom/image.
    """
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    name = folder.parent.name if folder.name == "image" else folder.name
    dockerfile = folder / "Dockerfile"
    return Image(f"docker.io/hune/{name}:{version}", dockerfile, REPOSITORY, _copied(dockerfile))


def _copied(dockerfile: Path) -> tuple[Path, ...]:
    """Return what a Dockerfile copies from the repository, so that only that makes it stale."""
    lines = [line.split() for line in dockerfile.read_text().splitlines()]
    copies = [line[1:-1] for line in lines if line[:1] == ["COPY"]]
    inside = [words for words in copies if not words[0].startswith("--from=")]
    sources = [word for words in inside for word in words if not word.startswith("--")]
    return tuple(file for source in sources for file in sorted(REPOSITORY.glob(source)))


def build(images: Iterable[Image]) -> list[Path]:
    """Build the images that the cache lacks and return all archives."""
    return [cache.once(image.archive, _builder(image)) for image in images]


def _own(name: str, tag: str, *inputs: str) -> Image:
    return Image(tag, FOLDER / name / "Dockerfile", FOLDER / name, (FOLDER / name, *inputs))


def _program(name: str, tag: str, part: str) -> Image:
    folder = binaries.PARTS[part].folder
    return Image(tag, FOLDER / name / "Dockerfile", folder, (folder.name,))


def _builder(image: Image) -> Callable[[Path], None]:
    def build_image(target: Path) -> None:
        for base in _bases(image):
            _provide_base(base)
        temporary = tempfile.TemporaryDirectory(dir=cache.root())
        with (
            cache.lock(cache.root() / "locks" / "buildah"),
            step(f"image {image.tag}", expected="a minute or two when cold"),
            temporary as folder,
        ):
            _make_room()
            _build(image, Path(folder), target)
        _forget_old(target.parent)

    return build_image


def _bases(image: Image) -> list[Image]:
    """Return the bases of this machine and of the image's."""
    return [
        python_base(name) for name in dict.fromkeys(("", image.architecture))
    ] * image.needs_base


def _forget_old(folder: Path) -> None:
    """Keep the latest archives only: every edit of the operator makes another one."""
    archives = sorted(folder.glob("*.tar"), key=lambda file: file.stat().st_mtime)
    for archive in archives[:-KEPT]:
        archive.unlink()


def _make_room() -> None:
    """Empty buildah's store of untagged layers where the disk gets full.

    Only where nothing is being built: an interrupted build leaves a container, whose layers stay as
    long as it does.
    """
    if shutil.disk_usage(cache.root()).free < ROOM_BYTES:
        run(_buildah("rm", "--all"))
        run(_buildah("rmi", "--prune"))


def _provide_base(base: Image) -> None:
    """See to it that the base is in buildah's store, from which it may have been lost."""
    archive = cache.once(base.archive, _builder(base))
    if not try_run(_buildah("inspect", "--type=image", base.tag)):
        run(_buildah("pull", f"docker-archive:{archive}"))


def _build(image: Image, temporary: Path, target: Path) -> None:
    context = image.context
    if image.dockerfile == python_base().dockerfile:
        _bootstrap(temporary, image.architecture)
        context = temporary
    if image.tag == PAUSE:
        source = FOLDER / "pause" / "pause.c"
        run(["gcc", "-Os", "-static", "-s", "-o", temporary / "pause", source])
        context = temporary
    here, there = python_base().tag, python_base(image.architecture).tag
    # This buildah does not say itself, as newer ones and docker do, where the build runs.
    values = {"BASE": there, "BUILD_BASE": here, "BUILDPLATFORM": PLATFORM}
    arguments = [f"--build-arg={name}={value}" for name, value in values.items()] * image.needs_base
    foreign = [f"--platform=linux/{image.architecture}"] if image.architecture else []
    volumes = [f"--volume={CERTIFICATES}:{CERTIFICATES}:ro", *_pip_volume(temporary)]
    command = ["build", "--layers", "--pull-never", f"--tag={image.tag}"]
    file = f"--file={image.dockerfile}"
    volumes = volumes if arguments else []
    run(_buildah(*command, *foreign, *volumes, *arguments, file, str(context)))
    # Unlike an OCI archive this one is not compressed, which would take most of the time.
    run(_buildah("push", "--quiet", image.tag, f"docker-archive:{target}:{image.tag}"))


def _bootstrap(temporary: Path, architecture: str) -> None:
    root = temporary / "rootfs"
    options = ["--variant=minbase", f"--include={BASE_PACKAGES}"]
    options += ["--foreign", f"--arch={architecture}"] if architecture else []
    # In a mount namespace of its own: what an interrupted run has mounted goes with it.
    run(["unshare", "--mount", "debootstrap", *options, "bookworm", root])
    if architecture:
        # Its own programs cannot configure it here; its files are all that is wanted.
        for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            run(["dpkg-deb", "--extract", package, root])
    excludes = [f"--exclude=./{path}" for path in BASE_LEFT_OUT]
    run(["tar", "--numeric-owner", *excludes, "-C", root, "-cf", temporary / "rootfs.tar", "."])


def _pip_volume(temporary: Path) -> list[str]:
    """Lend pip's settings on this machine to the build, without a trace in the image."""
    settings = configparser.RawConfigParser()
    settings.read(Path(file).expanduser() for file in PIP_FILES)
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in os.environ.items():
        # Folders of this machine are not there during the build.
        if name.startswith("PIP_") and name != "PIP_FIND_LINKS":
            settings.set("global", name.removeprefix("PIP_").lower().replace("_", "-"), value)
    file = temporary / "pip.conf"
    with file.open("w") as stream:
        settings.write(stream)
    return [f"--volume={file}:/etc/pip.conf:ro"]


def _buildah(*arguments: str) -> list[str]:
    store = cache.root() / "buildah"
    options = [f"--root={store}", "--runroot=/run/hune/buildah", "--storage-driver=overlay"]
    command, *rest = arguments
    isolation = ["--isolation=chroot"] if command == "build" else []
    # In a mount namespace of its own: buildah leaves its store mounted onto itself.
    return ["unshare", "--mount", "buildah", *options, command, *isolation, *rest]
