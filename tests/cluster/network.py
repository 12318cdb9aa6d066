"""A network namespace per cluster, so that ports, rules and pod addresses stay off the host."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.command import ClusterError, run, try_run

FIRST = 77  # the clusters' networks are 192.168.77.0/30, 192.168.78.0/30, …
SLOTS = 50
SYSTEM_CONTROLS = (
    "net.ipv4.ip_forward=1",
    # Without it packets between two pods of the bridge would never meet a network policy.
    "net.bridge.bridge-nf-call-iptables=1",
    "net.ipv4.conf.all.route_localnet=1",
)


@dataclass(frozen=True)
class Network:
    """A namespace joined to the host by a veth pair with a /30 of its own.

    An address from 169.254.0.0/16 would not do: kubelet and the API server refuse it.
    """

    name: str
    slot: int

    @property
    def node_ip(self) -> str:
        """Return the address of the cluster's end, its API server and its node."""
        return f"192.168.{FIRST + self.slot}.2"

    @property
    def host_ip(self) -> str:
        """Return the address of the host's end."""
        return f"192.168.{FIRST + self.slot}.1"

    @property
    def path(self) -> Path:
        """Return the namespace's file, for nsenter."""
        return Path("/run/netns") / self.name

    @property
    def _link(self) -> str:
        return f"hune{self.slot}"

    def enter(self, argv: Sequence[str | Path]) -> list[str]:
        """Return the command that runs a command inside."""
        return ["nsenter", f"--net={self.path}", "--", *(str(word) for word in argv)]

    def create(self) -> None:
        """Create the namespace and the way in."""
        inside = ["ip", "-n", self.name]
        run(["ip", "netns", "add", self.name])
        run(["ip", "link", "add", self._link, "type", "veth", "peer", "host0", "netns", self.name])
        run(["ip", "address", "add", f"{self.host_ip}/30", "dev", self._link])
        run(["ip", "link", "set", self._link, "up"])
        run([*inside, "address", "add", f"{self.node_ip}/30", "dev", "host0"])
        run([*inside, "link", "set", "lo", "up"])
        run([*inside, "link", "set", "host0", "up"])
        run([*inside, "route", "add", "default", "via", self.host_ip])
        try_run(["modprobe", "br_netfilter"])
        for control in SYSTEM_CONTROLS:
            run(self.enter(["sysctl", "-qw", control]))

    def processes(self) -> list[int]:
        """Return the ids of all processes inside."""
        with contextlib.suppress(ClusterError):
            return [int(pid) for pid in run(["ip", "netns", "pids", self.name]).split()]
        return []

    def remove(self) -> None:
        """Remove the namespace, and with it every address, rule and link inside."""
        try_run(["ip", "link", "delete", self._link])
        try_run(["ip", "netns", "delete", self.name])


def free_slot(taken: set[int]) -> int:
    """Return the first network that no other cluster and no interface of the host has."""
    interfaces = json.loads(run(["ip", "-json", "-4", "address"]))
    addresses = {entry["local"] for each in interfaces for entry in each["addr_info"]}
    for slot in range(SLOTS):
        if slot not in taken and Network("", slot).host_ip not in addresses:
            return slot
    raise ClusterError("no free network is left; `python -m tests.cluster down` an old cluster")
