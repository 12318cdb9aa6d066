"""The programs of the cluster, built from their Go modules."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.cluster import cache
from tests.cluster.command import ClusterError, run
from tests.cluster.progress import step

MODULES = Path(__file__).parent / "modules"
KUBERNETES = "1.34.2"
KSERVE = "0.20.0"
VERSION = "k8s.io/component-base/version.git"


@dataclass(frozen=True)
class Part:
    """A go.mod of its own, since the dependency trees conflict.

    Attributes:
        name: Its folder under modules/.
        programs: Import paths of the main packages.
        minutes: About how long it takes on two cores.
        variables: Linker variables.
        files: Folders kept beside the programs, as ``module: path``.
    """

    name: str
    programs: tuple[str, ...]
    minutes: float
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Return where the built part is, or will be."""
        key = cache.fingerprint([repr(self), MODULES / self.name])
        return cache.root() / "binaries" / f"{self.name}-{key}"


_KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

_KSERVE_PROGRAMS = ("manager", "agent", "router")

_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"

PARTS = {
    part.name: part
    for part in (
        Part(
            "kubernetes",
            tuple(f"k8s.io/kubernetes/cmd/{program}" for program in _KUBERNETES_PROGRAMS),
            6,
            # Without these the node and `kubectl version` would report v0.0.0.
            variables=(
                f"{VERSION}Version=v{KUBERNETES}",
                f"{VERSION}Major=1",
                f"{VERSION}Minor=34",
            ),
        ),
        Part(
            "kserve",
            tuple(f"github.com/kserve/kserve/cmd/{program}" for program in _KSERVE_PROGRAMS),
            3,
            files=("github.com/kserve/kserve: install/v" + KSERVE,),
        ),
        Part("gateway-api", (), 0.1, files=("sigs.k8s.io/gateway-api: config/crd/standard",)),
        Part(
            "prometheus-operator",
            (),
            0.1,
            files=(f"{_PROMETHEUS_OPERATOR}: example/prometheus-operator-crd",),
        ),
        Part("traefik", ("github.com/traefik/traefik/v3/cmd/traefik",), 5),
        Part("kube-router", ("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",), 1.5),
        Part("coredns", (".",), 1),
        Part("kwok", ("sigs.k8s.io/kwok/cmd/kwok",), 1),
        Part("helm", ("helm.sh/helm/v3/cmd/helm",), 1),
        Part("rclone", (".",), 1),
        Part("local-path", ("github.com/rancher/local-path-provisioner",), 1),
    )
}


def build(*names: str) -> None:
    """Build these parts, or all of them, where the cache lacks them."""
    for part in (PARTS[name] for name in names or PARTS):
        cache.once(part.folder, partial(_build, part))


def program(name: str) -> Path:
    """Return the path of a built program."""
    for part in PARTS.values():
        if (part.folder / name).exists():
            return part.folder / name
    raise ClusterError(f"{name} is not built; run `python -m tests.cluster build binaries`")


def files(part: str, name: str) -> Path:
    """Return a file or folder that came with a part's module."""
    return PARTS[part].folder / "files" / name


def link(folder: Path) -> None:
    """Fill a folder with links to all programs, for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS.values():
        for built in part.folder.iterdir():
            if built.is_file():
                link = folder / built.name
                link.unlink(missing_ok=True)
                link.symlink_to(built)


def _build(part: Part, target: Path) -> None:
    if not shutil.which("go"):
        raise ClusterError("Go is not installed: the cluster is built from source; put it on PATH")
    target.mkdir(parents=True)
    module = MODULES / part.name
    with step(f"build {part.name}", expected=f"about {part.minutes:g} min when nothing is cached"):
        if part.programs:
            flags = " ".join(["-s", "-w", *(f"-X {variable}" for variable in part.variables)])
            command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", f"{target}/"]
            run([*command, *part.programs], folder=module, environment={"CGO_ENABLED": "0"})
        for entry in part.files:
            _copy_files(module, entry, target / "files")


def _copy_files(module: Path, entry: str, target: Path) -> None:
    name, _, path = entry.partition(": ")
    run(["go", "mod", "download", name], folder=module)
    source = run(["go", "list", "-m", "-f", "{{.Dir}}", name], folder=module).strip()
    # The module cache is read-only; a copy must not be, or it could never be removed.
    shutil.copytree(Path(source) / path, target, copy_function=shutil.copyfile)
    for folder in [target, *target.rglob("*/")]:
        folder.chmod(0o755)
