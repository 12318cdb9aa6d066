"""Every example does what its README promises."""

import pytest

from tests.cluster import Cluster
from tests.support import examples
from tests.support.release import command_environment

pytestmark = pytest.mark.e2e


@pytest.mark.usefixtures("own_server")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", examples.names())
def test_it_plays(cluster: Cluster, name: str) -> None:
    with examples.played(name, command_environment(cluster)):
        pass
