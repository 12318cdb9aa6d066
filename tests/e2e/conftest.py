"""A node with this checkout's Hune in it, and models to serve."""

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, load
from tests.support.access import build_caller
from tests.support.examples import FOLDER
from tests.support.models import Models, registered
from tests.support.release import ready_cluster
from tests.support.space import Space, namespace


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return ready_cluster()


@pytest.fixture(scope="session")
def models(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with registered(cluster, tmp_path_factory.mktemp("models")) as found:
        yield found


@pytest.fixture(scope="session")
def own_server(cluster: Cluster) -> str:
    """The image of a model server of one's own, which starts in a second."""
    load(cluster, [str(FOLDER / "03-custom-container/image")])
    return "docker.io/hune/03-custom-container:0.1.0"


@pytest.fixture(scope="module")
def space(cluster: Cluster, models: Models, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace of the module's own that can serve both models, and whose callers may ask."""
    name = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    with namespace(cluster, f"e2e-{name}", [*models.documents(), *build_caller()]) as found:
        yield found
