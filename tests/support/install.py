"""Write what Hune is installed from: the chart of the kinds, and plain manifests.

The charts are the source of the manifests: what `helm template` renders is what `kubectl` applies.
"""

from pathlib import Path

from tests.cluster import binaries
from tests.cluster.command import run

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "hune-system"
# A chart may keep its kinds when it is uninstalled, and with them every object of them.
_METADATA = "\nmetadata:\n"
_KEEP = (
    "  {{- if .Values.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n"
)


def generate(root: Path) -> None:
    """Write the generated files below a root that holds crds/, charts/ and manifests/."""
    write_crd_chart(root)
    write_manifests(root)


def write_crd_chart(root: Path) -> None:
    """Copy crds/ into the templates of their chart."""
    templates = root / "charts/hune-crds/templates"
    for former in templates.glob("*.yaml"):
        former.unlink()
    templates.mkdir(exist_ok=True)
    for definition in sorted((root / "crds").glob("*.yaml")):
        text = definition.read_text()
        if "{{" in text:
            raise ValueError(f"{definition.name}: Helm would take '{{{{' for a template")
        fresh = text.replace(_METADATA, _METADATA + _KEEP, 1)
        (templates / definition.name).write_text(fresh)


def write_manifests(root: Path) -> None:
    """Render the charts to manifests/."""
    manifests, chart = root / "manifests", root / "charts/hune"
    namespaced = manifests / "overlays/namespaced"
    team = ("--namespace", "models", "--values", namespaced / "values.yaml")
    without_storage = ("--set", "storage.clusterStorageContainer.enabled=false")
    rendered = {
        manifests / "prerequisites/crds.yaml": template(
            "hune-crds", root / "charts/hune-crds", "--set", "keep=false"
        ),
        manifests / "prerequisites/storage.yaml": template(
            "hune", chart, "--show-only", "templates/storage.yaml"
        ),
        manifests / "base/hune.yaml": template("hune", chart, *without_storage),
        namespaced / "hune.yaml": template("hune", chart, *team),
    }
    for file, text in rendered.items():
        file.write_text(text)


def template(name: str, chart: Path, *arguments: str | Path, text: str = "") -> str:
    """Return what `helm template` makes of a chart; a later --namespace wins.

    Raises:
        ClusterError: The chart refuses the values.
    """
    version = ("--kube-version", binaries.KUBERNETES)
    words = [helm(), "template", name, chart, "--namespace", NAMESPACE, *version, *arguments]
    return run(words, text=text)


def helm() -> Path:
    """Return the program, built from source where the cache lacks it."""
    binaries.build("helm")
    return binaries.program("helm")


def kubectl() -> Path:
    """Return the program, built from source where the cache lacks it."""
    binaries.build("kubernetes")
    return binaries.program("kubectl")
