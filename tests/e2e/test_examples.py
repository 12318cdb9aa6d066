"""Every example does what its README promises."""

import pytest

from tests.cluster import Cluster, load
from tests.support import examples
from tests.support.release import command_environment

pytestmark = pytest.mark.e2e
# test_frameworks.py plays that one, and asks more of it.
NAMES = [name for name in examples.names() if name != "06-frameworks"]


@pytest.fixture(scope="module")
def their_images(cluster: Cluster) -> None:
    """The images that some examples need beside the others; a node does not start with them."""
    load(cluster, ["jobs", "fit", "explainer"])


@pytest.mark.usefixtures("own_server", "their_images")
@pytest.mark.timeout(300, func_only=True)
@pytest.mark.parametrize("name", NAMES)
def test_it_plays(cluster: Cluster, name: str) -> None:
    with examples.played(name, command_environment(cluster)):
        pass
