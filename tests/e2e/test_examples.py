"""Every example does what its README promises."""

import pytest

from tests.cluster import Cluster, load
from tests.support import examples
from tests.support.release import command_environment

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def jobs_image(cluster: Cluster) -> None:
    """The image of an example's Job; a node does not start with it."""
    load(cluster, ["jobs"])


@pytest.mark.usefixtures("own_server", "jobs_image")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", examples.names())
def test_it_plays(cluster: Cluster, name: str) -> None:
    with examples.played(name, command_environment(cluster)):
        pass
