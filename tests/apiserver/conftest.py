"""The real API server, KServe's controller and fake nodes; a namespace for each module."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cluster import Cluster, start

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def control_plane() -> Cluster:
    """The control plane with Hune's kinds as they are in this checkout."""
    cluster = start(with_node=False)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", ROOT / "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", ROOT / "crds", "--timeout=60s")
    return cluster


@pytest.fixture(scope="module")
def namespace(control_plane: Cluster) -> Iterator[str]:
    name = f"hune-test-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
