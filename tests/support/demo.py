"""`make demo`: Hune on a real cluster, the story played, everything left running."""

import argparse
import os
import subprocess
import sys

from tests import cluster
from tests.cluster import Cluster, ClusterError
from tests.support import examples, k3d, release

STORY = "00-story"


def up() -> None:
    """Bring a cluster up, install Hune and play the story; print what the story shows."""
    there = _cluster()
    print("installing Hune", flush=True)
    release.install(there)
    if there.network is not None:
        # Other nodes pull it; this one starts without it, since it is large.
        cluster.load(there, ["explainer"])
    examples.play(STORY, release.command_environment(there))
    print(
        f"\nLeft running. Look around:\n  export KUBECONFIG={there.kubeconfig}\n"
        "  kubectl -n story get modeldeployments,modelversions,pods\n"
        "`make demo-down` removes it."
    )


def down() -> None:
    """Remove what `up` made; a cluster that is not ours stays."""
    if os.environ.get("HUNE_KUBECONFIG"):
        there = cluster.start()
        examples.clean(STORY, release.command_environment(there))
        release.uninstall(there)
    elif k3d.is_available():
        subprocess.run(k3d.delete_command(), check=True)
    else:
        cluster.stop(cluster.NODE)


def _cluster() -> Cluster:
    """Choose the cluster: a given one, else k3d where Docker is, else the embedded one."""
    if given := os.environ.get("HUNE_KUBECONFIG"):
        print(f"cluster: that of {given}", flush=True)
        there = cluster.start()
        release.require_kserve(there)
        return there
    if k3d.is_available():
        print("cluster: one of k3d's", flush=True)
        os.environ["HUNE_KUBECONFIG"] = str(k3d.create())
        os.environ.setdefault("HUNE_INSTALL_KSERVE", "1")
        return _cluster()
    print("cluster: an embedded one, built from source", flush=True)
    return cluster.start()


def main() -> int:
    """Run the command; a fault is one line that names the fix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    command = parser.parse_args().command
    try:
        up() if command == "up" else down()
    except (ClusterError, examples.ExampleError, subprocess.CalledProcessError) as error:
        print(f"hune: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
