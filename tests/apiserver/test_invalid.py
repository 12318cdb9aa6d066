"""Every invalid file is refused by the API server itself, with words a person can act on."""

import pytest

from tests.cluster import Cluster, ClusterError
from tests.support import invalid
from tests.support.invalid import Invalid

pytestmark = pytest.mark.apiserver
VERSION = """
apiVersion: hune.dev/v1alpha1
kind: ModelVersion
metadata: {name: income-7}
spec:
  model: income
  number: 7
  source: {uri: s3://models/income/7, format: sklearn, digest: "sha256:%s"}
"""


@pytest.fixture(scope="module", autouse=True)
def version(control_plane: Cluster, namespace: str) -> None:
    """The version that some files try to edit."""
    control_plane.kubectl("create", "-n", namespace, "-f", "-", text=VERSION % ("a1" * 32))


@pytest.mark.parametrize("case", invalid.files(), ids=lambda case: case.file.stem)
def test_the_api_server_refuses(case: Invalid, control_plane: Cluster, namespace: str) -> None:
    verb = "replace" if case.is_edit else "create"
    with pytest.raises(ClusterError) as refused:
        control_plane.kubectl(verb, "--validate=strict", "-f", case.file, "-n", namespace)
    assert case.expected in str(refused.value)
