from pathlib import Path

from tests.support import k3d


def test_a_cluster_is_made_and_removed_under_the_same_name() -> None:
    assert k3d.NAME in k3d.create_command()
    assert k3d.delete_command() == ["k3d", "cluster", "delete", k3d.NAME]


def test_the_users_own_kubeconfig_is_left_alone() -> None:
    command = k3d.create_command()
    assert "--kubeconfig-update-default=false" in command
    assert "--kubeconfig-switch-context=false" in command
    assert k3d.kubeconfig_command(Path("/tmp/x"))[-2:] == ["--output", "/tmp/x"]
