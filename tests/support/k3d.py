"""A k3d cluster for `make demo`, where Docker is. It only makes the cluster."""

import shutil
import subprocess
import tempfile
from pathlib import Path

NAME = "hune-demo"


def is_available() -> bool:
    """Tell whether k3d is installed and a Docker engine answers."""
    if not shutil.which("k3d") or not shutil.which("docker"):
        return False
    answer = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    return answer.returncode == 0


def create_command() -> list[str]:
    """Return the command that makes the cluster, or says that it is there."""
    return [
        *("k3d", "cluster", "create", NAME),
        *("--image", "rancher/k3s:v1.34.2-k3s1"),
        *("--agents", "0", "--wait", "--timeout", "300s"),
        *("--kubeconfig-update-default=false", "--kubeconfig-switch-context=false"),
    ]


def delete_command() -> list[str]:
    """Return the command that removes the cluster."""
    return ["k3d", "cluster", "delete", NAME]


def kubeconfig_command(file: Path) -> list[str]:
    """Return the command that writes the cluster's kubeconfig."""
    return ["k3d", "kubeconfig", "write", NAME, "--output", str(file)]


def create() -> Path:
    """Make the cluster unless it is there; return its kubeconfig."""
    known = subprocess.run(["k3d", "cluster", "get", NAME], capture_output=True, check=False)
    if known.returncode != 0:
        subprocess.run(create_command(), check=True)
    file = Path(tempfile.gettempdir()) / f"{NAME}.kubeconfig"
    subprocess.run(kubeconfig_command(file), check=True)
    return file
