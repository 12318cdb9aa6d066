"""etcd, API server, controllers and scheduler, as programs in the cluster's network."""

import json

from tests.cluster import certificates, fakenodes
from tests.cluster.cluster import Cluster
from tests.cluster.command import try_run
from tests.cluster.process import wait_for
from tests.cluster.progress import step

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
FIRST_SERVICE = "10.96.0.1"
ETCD = "http://127.0.0.1:2379"
MASTERS = "/O=system:masters/CN="
KSERVE = "system:serviceaccount:kserve:kserve-controller-manager"
USERS = {
    "admin": MASTERS + "hune:admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kwok": MASTERS + "hune:kwok",
    # As a program KServe is the service account that it is as a pod: same rights, same audit.
    "kserve": f"/O=system:serviceaccounts/CN={KSERVE}",
}
# Memory is plenty where two processors do everything: garbage is collected less often.
COLLECT_SELDOM = {"GOGC": "400"}
WRITES = ("create", "update", "patch", "delete", "deletecollection")


def start(cluster: Cluster) -> None:
    """Start the control plane and return when its API answers."""
    _write_certificates(cluster)
    _write_audit_policy(cluster)
    with step("API server ready"):
        etcd = cluster.start_process("etcd", _etcd(cluster), COLLECT_SELDOM)
        # The API server waits for etcd by itself, but only after a slow first attempt.
        health = ["etcdctl", f"--endpoints={ETCD}", "endpoint", "health"]
        wait_for("etcd", lambda: try_run(cluster.own_network.enter(health)), 20, [etcd])
        server = cluster.start_process("kube-apiserver", _api_server(cluster), COLLECT_SELDOM)
        wait_for("the API server", cluster.answers, 60, [etcd, server])
    cluster.start_process("kube-controller-manager", _controller_manager(cluster))
    cluster.start_process("kube-scheduler", _scheduler(cluster))
    cluster.start_process("kwok", _kwok(cluster))


def kubeconfig_of(cluster: Cluster, user: str) -> str:
    """Return the path of a component's kubeconfig."""
    return str(cluster.state / "pki" / f"{user}.kubeconfig")


def write_user(cluster: Cluster, user: str, subject: str) -> None:
    """Issue a certificate for a user and write the kubeconfig that uses it."""
    pki = cluster.state / "pki"
    certificates.issue(pki, user, subject)
    server = f"https://{cluster.node_ip}:6443"
    target = pki / f"{user}.kubeconfig"
    certificates.write_kubeconfig(target, pki, user, server, cluster.name)


def _write_certificates(cluster: Cluster) -> None:
    pki = cluster.state / "pki"
    certificates.create_authority(pki)
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
    addresses = [FIRST_SERVICE, cluster.node_ip, "127.0.0.1"]
    alternatives = [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses]
    certificates.issue(pki, "apiserver", "/CN=kube-apiserver", ",".join(alternatives))
    certificates.issue(pki, "kubelet-client", MASTERS + "kube-apiserver")
    for user, subject in USERS.items():
        write_user(cluster, user, subject)
    (pki / "admin.kubeconfig").rename(cluster.kubeconfig)


def _write_audit_policy(cluster: Cluster) -> None:
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{"level": "Metadata", "verbs": list(WRITES)}, {"level": "None"}],
    }
    (cluster.state / "audit-policy.json").write_text(json.dumps(policy))


def _etcd(cluster: Cluster) -> list[str]:
    return [
        "etcd",
        f"--data-dir={cluster.state}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
    ]


def _api_server(cluster: Cluster) -> list[str]:
    pki = cluster.state / "pki"
    return [
        "kube-apiserver",
        f"--etcd-servers={ETCD}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={cluster.node_ip}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        # Else exec and logs would look the node's name up in DNS.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={pki}/service-accounts.key",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICES}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # Debian's etcd cannot tell how far a watch is: clients would ask for lists as streams, be
        # refused, and back off for half a minute.
        "--feature-gates=WatchList=false",
        f"--audit-policy-file={cluster.state}/audit-policy.json",
        f"--audit-log-path={cluster.audit_log}",
        "--audit-log-maxsize=1000",
    ]


def _controller_manager(cluster: Cluster) -> list[str]:
    pki = cluster.state / "pki"
    return [
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig_of(cluster, 'kube-controller-manager')}",
        f"--service-account-private-key-file={pki}/service-accounts.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
    ]


def _scheduler(cluster: Cluster) -> list[str]:
    kubeconfig = kubeconfig_of(cluster, "kube-scheduler")
    return ["kube-scheduler", f"--kubeconfig={kubeconfig}", "--leader-elect=false"]


def _kwok(cluster: Cluster) -> list[str]:
    return [
        "kwok",
        f"--kubeconfig={kubeconfig_of(cluster, 'kwok')}",
        f"--manage-nodes-with-annotation-selector={fakenodes.ANNOTATION}=fake",
        "--node-lease-duration-seconds=40",
        "--cidr=10.245.0.1/16",
        f"--node-ip={cluster.node_ip}",
    ]
