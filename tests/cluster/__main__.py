"""The cluster's command line: up, down, build, load, status."""

import argparse
import sys

from tests.cluster import lifecycle
from tests.cluster.cluster import NODE, Cluster, all_own, own
from tests.cluster.command import ClusterError


def main() -> int:
    """Run one command."""
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a cluster unless it runs")
    up.add_argument("--name", help=f"by default {NODE}, or {NODE}-apiserver without a node")
    up.add_argument("--control-plane-only", action="store_true", help="fake nodes only")
    up.add_argument("--no-images", action="store_true", help="only what the cluster itself needs")
    down = commands.add_parser("down", help="remove a cluster and every trace of it")
    down.add_argument("--name", default=NODE)
    build = commands.add_parser("build", help="fill the caches")
    build.add_argument("what", nargs="?", default="all", choices=["binaries", "images", "all"])
    load = commands.add_parser("load", help="build images again and load them into the node")
    load.add_argument("--name", default=NODE)
    load.add_argument("images", nargs="+", metavar="IMAGE", help="a name, or a Dockerfile's folder")
    commands.add_parser("status", help="list the clusters")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "up":
            cluster = lifecycle.start(
                arguments.name,
                with_node=not arguments.control_plane_only,
                with_images=not arguments.no_images,
            )
            print(f"export KUBECONFIG={cluster.kubeconfig} PATH={cluster.binaries}:$PATH")
        case "down":
            lifecycle.stop(arguments.name)
        case "build":
            lifecycle.build(arguments.what)
        case "load":
            lifecycle.load(_running(arguments.name), arguments.images)
        case "status":
            for cluster in all_own():
                health = "running" if lifecycle.is_healthy(cluster) else "broken"
                print(f"{cluster.name}\t{health}\t{cluster.node_ip}\t{cluster.kubeconfig}")


def _running(name: str) -> Cluster:
    cluster = own(name)
    if cluster is None:
        raise ClusterError(f"{name} does not run; `python -m tests.cluster up` starts it")
    return cluster


if __name__ == "__main__":
    sys.exit(main())
