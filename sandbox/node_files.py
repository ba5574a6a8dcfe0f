"""Configuration of what runs on every node: containerd, kubelet, kube-proxy, CNI, sshd."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from sandbox import capability, images
from sandbox.control_plane import MANIFESTS, kubeconfig
from sandbox.instance import DNS_SERVICE, POD_NETWORK, Instance, Node

#: Sysctls that belong to the whole machine. A node reads and writes a stand-in file instead; an empty
#: text stands for the machine's own value; the others are what the kubelet insists on, and Rocky's own inotify limits.
SHIELDED_SYSCTLS = {
    "fs.inotify.max_user_instances": "128",
    "fs.inotify.max_user_watches": "192536",
    "fs.file-max": "",
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.kptr_restrict": "",
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
    "kernel.perf_event_paranoid": "",
    "kernel.pid_max": "",
    "kernel.unprivileged_bpf_disabled": "",
    "net.core.bpf_jit_enable": "",
    "net.netfilter.nf_conntrack_max": "",
    "vm.max_map_count": "",
    "vm.overcommit_memory": "1",
    "vm.panic_on_oom": "0",
    "vm.swappiness": "",
}


def containerd_config(*, sys_resource: bool) -> str:
    """containerd's config.toml.

    Args:
        sys_resource: whether the machine grants CAP_SYS_RESOURCE. Without it runc may not lower a
            process's OOM score, nor start a container that asks for the capability.
    """
    # The wrapper strips the capability from containers that ask for it, and only where it is missing.
    runtime = "/usr/local/bin/ociwrap"
    return f"""version = 4
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.native",
]

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{images.PAUSE_IMAGE}'

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = {str(not sys_resource).lower()}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '{runtime}'
SystemdCgroup = false
"""


def kubelet_config(node: Node) -> str:
    """KubeletConfiguration (kubelet.config.k8s.io/v1beta1) of a node."""
    document: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "clusterDNS": [str(DNS_SERVICE)],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        # Nodes share the machine's disk: it is not theirs to watch, and images are not to be collected.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "failSwapOn": False,
        "maxPods": 110,
        "nodeStatusUpdateFrequency": "5s",
        "resolvConf": "/etc/resolv.conf",
        "rotateCertificates": False,
        "serializeImagePulls": False,
        # Static pods whose mirror was refused by a very young API server are tried again soon.
        "syncFrequency": "10s",
        # Containers that die are started again within a minute at most, not five: tests wait for it.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "60s"},
    }
    if node.control_plane:
        document["staticPodPath"] = MANIFESTS
        document["registerWithTaints"] = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    return yaml.safe_dump(document, sort_keys=False)


def proxy_config(node: Node) -> str:
    """KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) of a node."""
    document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": "/etc/kubernetes/kube-proxy.conf"},
        "clusterCIDR": str(POD_NETWORK),
        "hostnameOverride": node.name,
        # The machine's connection tracking table is shared: a node leaves its size and times alone.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "nodePortAddresses": ["primary"],
    }
    return yaml.safe_dump(document, sort_keys=False)


def cni_config(node: Node) -> str:
    """CNI network list of a node. ``ptp`` routes every packet of a pod, so that all of them pass the forward hook."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni-ipam",
        "ranges": [[{"subnet": str(node.pod_cidr)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}, "backend": "nftables"},
    ]
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}, indent=2) + "\n"


def machine_id(instance: Instance, node: Node) -> str:
    """32 hexadecimal digits that no other machine has, the same at each start."""
    return hashlib.sha256(f"{instance.name}/{node.name}".encode()).hexdigest()[:32]


def hosts(instance: Instance) -> str:
    """/etc/hosts: all nodes know each other by name."""
    lines = [f"{instance.address(node)} {node.name}" for node in instance.nodes]
    return "\n".join(["127.0.0.1 localhost", *lines]) + "\n"


def files(instance: Instance, node: Node, keys: Path) -> list[dict[str, Any]]:
    """Files of a node, control plane apart; ``keys`` is the folder of `pki.ensure_keys`."""
    cluster, ssh = keys / "kubernetes", keys / "ssh"

    def secret(path: str, text: str) -> dict[str, Any]:
        return {"path": path, "text": text, "mode": 0o600}

    sys_resource = capability.grants_sys_resource(Path("/proc/self/status").read_text())
    users = {"kubelet": f"kubelet-{node.name}", "kube-proxy": "kube-proxy", "netpol-agent": "netpol-agent"}
    return [
        {"path": "/etc/hostname", "text": f"{node.name}\n"},
        # A machine has one, and it stays (machine-id(5)).
        {"path": "/etc/machine-id", "text": f"{machine_id(instance, node)}\n"},
        {"path": "/etc/hosts", "text": hosts(instance)},
        {"path": "/etc/containerd/config.toml", "text": containerd_config(sys_resource=sys_resource)},
        {"path": "/etc/cni/net.d/10-pods.conflist", "text": cni_config(node)},
        {"path": "/etc/crictl.yaml", "text": "runtime-endpoint: unix:///run/containerd/containerd.sock\n"},
        {"path": "/etc/kubernetes/pki/ca.crt", "text": (cluster / "ca.crt").read_text()},
        {"path": "/etc/kubernetes/kubelet.yaml", "text": kubelet_config(node)},
        {"path": "/etc/kubernetes/kube-proxy.yaml", "text": proxy_config(node)},
        *(
            secret(f"/etc/kubernetes/{name}.conf", kubeconfig(instance.api_url, user, cluster))
            for name, user in users.items()
        ),
        secret("/etc/ssh/ssh_host_ed25519_key", (ssh / node.name).read_text()),
        {"path": "/etc/ssh/ssh_host_ed25519_key.pub", "text": (ssh / f"{node.name}.pub").read_text()},
        secret("/root/.ssh/authorized_keys", (ssh / "root.pub").read_text()),
    ]
