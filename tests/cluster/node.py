"""One real node: containerd, kubelet, kube-proxy, pod network and network policies."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import cgroups, kernel
from tests.cluster.cluster import Cluster
from tests.cluster.command import run, try_run
from tests.cluster.controlplane import MASTERS, PODS, SERVICES, kubeconfig_of, write_user
from tests.cluster.images import PAUSE
from tests.cluster.process import wait_for
from tests.cluster.progress import step

DNS = "10.96.0.10"
TASKS = "containerd/state/io.containerd.runtime.v2.task/k8s.io"
CNI_RESULTS = Path("/var/lib/cni/results")
CONTAINER_LOGS = Path("/var/log/containers")
# No machine behind this cluster resets connections on its own, and setting host-wide limits
# needs rights that a container does not have.
CONNECTION_LIMITS = (
    "--conntrack-max-per-core=0",
    "--conntrack-tcp-timeout-established=0",
    "--conntrack-tcp-timeout-close-wait=0",
)


def start_runtime(cluster: Cluster) -> None:
    """Start containerd, which can take images before there is an API server."""
    state = cluster.state
    _write(state / "containerd.toml", _containerd(cluster))
    _write(state / "cni" / "10-bridge.conflist", json.dumps(_bridge(cluster)))
    with step("containerd ready"):
        command = ["containerd", "-c", str(state / "containerd.toml")]
        runtime = cluster.start_process("containerd", command)
        wait_for("containerd", lambda: try_run(_ctr(cluster, "version")), 30, [runtime])


def load(cluster: Cluster, archive: Path) -> None:
    """Import an image archive; the tag inside it moves to the new image."""
    run(_ctr(cluster, "images", "import", str(archive)))


def start(cluster: Cluster) -> None:
    """Start what makes a node of this machine, and return when it is Ready."""
    name = node_name(cluster)
    write_user(cluster, "kubelet", f"/O=system:nodes/CN=system:node:{name}")
    write_user(cluster, "kube-proxy", "/CN=system:kube-proxy")
    write_user(cluster, "kube-router", MASTERS + "hune:kube-router")
    cgroups.create(cluster.name)
    kernel.remember(cluster.state)
    _write(cluster.state / "kubelet.json", json.dumps(_kubelet(cluster)))
    _write(cluster.state / "resolv.conf", "")
    with step("node ready"):
        kubelet = cluster.start_process("kubelet", _kubelet_command(cluster))
        cluster.start_process("kube-proxy", _kube_proxy(cluster))
        wait_for("the node", lambda: _is_ready(cluster), 60, [kubelet])
        cluster.start_process("kube-router", _kube_router(cluster))


def node_name(cluster: Cluster) -> str:
    """Return the name of the real node."""
    return f"{cluster.name}-node"


def remove_containers(cluster: Cluster) -> None:
    """End every container, then every shim, and forget what they left outside the state folder."""
    shims = list(_shim_addresses(cluster))
    cgroups.remove(cluster.name)
    for pid in cluster.own_network.processes():
        _kill(pid)
    for address in shims:
        address.unlink(missing_ok=True)
    for result in CNI_RESULTS.glob(f"{cluster.name}-*-eth0"):
        container = result.name.removeprefix(f"{cluster.name}-").removesuffix("-eth0")
        (CNI_RESULTS / f"cni-loopback-{container}-lo").unlink(missing_ok=True)
        result.unlink()
    for link in CONTAINER_LOGS.glob("*.log") if CONTAINER_LOGS.exists() else ():
        if link.readlink().is_relative_to(cluster.state):
            link.unlink()


def unmount(cluster: Cluster) -> None:
    """Unmount everything under the state folder, the innermost first."""
    for _ in range(20):
        targets = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        mounted = [target for target in targets if target.startswith(f"{cluster.state}/")]
        if not mounted:
            return
        for target in reversed(mounted):
            try_run(["umount", "--lazy", target])
        time.sleep(0.1)


def _shim_addresses(cluster: Cluster) -> Iterator[Path]:
    for file in (cluster.state / TASKS).glob("*/address"):
        yield Path(file.read_text().removeprefix("unix://"))


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _ctr(cluster: Cluster, *arguments: str) -> list[str]:
    socket = cluster.state / "containerd.sock"
    return ["ctr", f"--address={socket}", "--namespace=k8s.io", *arguments]


def _containerd(cluster: Cluster) -> str:
    state = cluster.state
    return f"""version = 2
root = "{state}/containerd/root"
state = "{state}/containerd/state"
[grpc]
  address = "{state}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Without CAP_SYS_RESOURCE runc may not lower a score, and fails with an unrelated message.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{state}/runc"
"""


def _bridge(cluster: Cluster) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "dataDir": f"{cluster.state}/addresses",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    plugins = [{**bridge, "hairpinMode": True, "ipam": addresses}, ports]
    return {"cniVersion": "0.4.0", "name": cluster.name, "plugins": plugins}


def _kubelet(cluster: Cluster) -> dict[str, object]:
    state = cluster.state
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{state}/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.path(cluster.name),
        "failSwapOn": False,
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{state}/containerd.sock",
        "evictionHard": {
            "imagefs.available": "1%",
            "nodefs.available": "1%",
            "memory.available": "100Mi",
        },
        # An image that was loaded by hand cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "podLogsDir": f"{state}/logs/pods",
        "resolvConf": f"{state}/resolv.conf",
        "volumePluginDir": f"{state}/kubelet/volume-plugins",
    }


def _kubelet_command(cluster: Cluster) -> list[str]:
    return [
        "kubelet",
        f"--kubeconfig={kubeconfig_of(cluster, 'kubelet')}",
        f"--config={cluster.state}/kubelet.json",
        f"--root-dir={cluster.state}/kubelet",
        f"--cert-dir={cluster.state}/kubelet/pki",
        f"--hostname-override={node_name(cluster)}",
        f"--node-ip={cluster.node_ip}",
        # What runs in the cluster's own pods must not land on a fake node.
        "--node-labels=hune-cluster/node=real",
    ]


def _kube_proxy(cluster: Cluster) -> list[str]:
    return [
        "kube-proxy",
        f"--kubeconfig={kubeconfig_of(cluster, 'kube-proxy')}",
        f"--hostname-override={node_name(cluster)}",
        f"--cluster-cidr={PODS}",
        "--proxy-mode=iptables",
        *CONNECTION_LIMITS,
    ]


def _kube_router(cluster: Cluster) -> list[str]:
    return [
        "kube-router",
        f"--kubeconfig={kubeconfig_of(cluster, 'kube-router')}",
        f"--hostname-override={node_name(cluster)}",
        f"--service-cluster-ip-range={SERVICES}",
        "--run-router=false",
        "--run-firewall=true",
        "--run-service-proxy=false",
        "--run-loadbalancer=false",
    ]


def _is_ready(cluster: Cluster) -> bool:
    query = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    get = ("get", "node", node_name(cluster), "--ignore-not-found", "-o", query)
    return cluster.kubectl(*get) == "True"
