"""Files that roles write on hosts, rendered with the lab's plan."""

from __future__ import annotations

import json
import tomllib
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from components.plan import RegionPlan
from tests.role_render import evaluate, render

CONTROL, WORKER = "lab-r01-t01", "lab-r01-t02"


def documents(text: str) -> dict[str, Any]:
    return {document["kind"]: document for document in cast("Any", YAML(typ="safe")).load_all(text)}


def test_a_host_announces_its_own_prefixes_and_nothing_else(lab_plan: RegionPlan) -> None:
    text = render(lab_plan, WORKER, "frr/frr.conf.j2")
    own = ["10.255.1.2/32", "10.244.2.0/24", "10.255.2.1/32"]
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("  network ")] == own
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("ip prefix-list OWN ")] == own
    assert "neighbor LEAVES prefix-list OWN out" in text


def test_a_host_peers_on_both_uplinks_without_addresses_and_with_bfd(lab_plan: RegionPlan) -> None:
    text = render(lab_plan, WORKER, "frr/frr.conf.j2")
    for port in ("eth1", "eth2"):
        assert f" neighbor {port} interface peer-group LEAVES" in text
        assert f"interface {port}" not in text.splitlines(), "an uplink has no address"
    assert " neighbor LEAVES bfd profile fabric" in text
    assert "  transmit-interval 100" in text
    assert "detect-multiplier" not in text, "FRR prints no default, and a file that differs from it never converges"


def test_packets_of_a_host_leave_with_its_loopback_address(lab_plan: RegionPlan) -> None:
    text = render(lab_plan, WORKER, "frr/frr.conf.j2")
    assert " set src 10.255.1.2" in text
    assert "ip protocol bgp route-map LOOPBACK-SOURCE" in text


def test_pods_that_are_gone_and_services_are_routed_on_the_host_itself(lab_plan: RegionPlan) -> None:
    text = render(lab_plan, WORKER, "frr/frr.conf.j2")
    assert "ip route 10.244.2.0/24 blackhole" in text, "else packets for a pod that is gone travel in circles"
    assert "ip route 10.96.0.0/16 lo" in text, "else the host itself reaches no service"


def test_the_kernel_of_a_host_spreads_flows_and_forwards(lab_plan: RegionPlan) -> None:
    text = render(lab_plan, WORKER, "frr/sysctl.conf.j2")
    settings = dict(line.split(" = ") for line in text.splitlines() if not line.startswith("#"))
    assert settings["net.ipv4.fib_multipath_hash_policy"] == "1"
    assert settings["net.ipv4.ip_forward"] == settings["net.ipv6.conf.all.forwarding"] == "1"
    assert all(name.startswith("net.") for name in settings), "other settings are not the role's"


def test_every_image_name_leads_to_the_regions_registry(lab_plan: RegionPlan) -> None:
    table = tomllib.loads(render(lab_plan, WORKER, "containerd/hosts.toml.j2"))
    address = f"https://{lab_plan.endpoints.registry}"
    assert table["server"] == address, "what the mirror does not have is asked of nobody else"
    assert list(table["host"]) == [address]
    assert table["host"][address]["ca"] == "/etc/gpuregion/region-ca.crt"


@pytest.mark.parametrize(("limited", "restricted"), [(True, True), (False, None)])
def test_the_runtime_leaves_oom_scores_alone_where_it_must(
    lab_plan: RegionPlan, limited: bool, restricted: bool | None
) -> None:
    text = render(lab_plan, WORKER, "containerd/config.toml.j2", containerd_limited_oom_score=limited)
    plugins = tomllib.loads(text)["plugins"]
    assert plugins["io.containerd.cri.v1.runtime"].get("restrict_oom_score_adj") is restricted
    assert "@sha256:" in plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"]


@pytest.mark.parametrize(("driver", "systemd"), [("systemd", True), ("cgroupfs", False)])
def test_kubelet_and_runtime_agree_on_who_makes_control_groups(
    lab_plan: RegionPlan, driver: str, systemd: bool
) -> None:
    text = render(lab_plan, WORKER, "containerd/config.toml.j2", containerd_cgroup_driver=driver)
    runtime = tomllib.loads(text)["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["runc"]
    assert runtime["options"]["SystemdCgroup"] is systemd
    version = 2 if systemd else 1
    patch = render(lab_plan, WORKER, "kubernetes/kubeletconfiguration.yaml.j2", kubernetes_cgroup_version=version)
    assert documents(patch)["KubeletConfiguration"]["cgroupDriver"] == driver


def test_a_pod_gets_an_address_of_the_network_that_its_node_announces(lab_plan: RegionPlan) -> None:
    ptp, _ = json.loads(render(lab_plan, WORKER, "pod_network/gpuregion.conflist.j2"))["plugins"]
    assert ptp["type"] == "ptp", "a bridge would let replies between pods of a host pass by its address translation"
    assert ptp["ipam"]["ranges"] == [[{"subnet": "10.244.2.0/24"}]]
    assert not ptp.get("ipMasq"), "pods are routed, not hidden"


def test_pods_go_in_their_hosts_name_to_the_regions_endpoints_and_nowhere_else(lab_plan: RegionPlan) -> None:
    rules = render(lab_plan, WORKER, "pod_network/endpoints.nft.j2")
    translated = [line.strip() for line in rules.splitlines() if "masquerade" in line]
    assert translated == [
        "ip saddr 10.244.2.0/24 ip daddr 172.30.0.1 tcp dport 5000 masquerade",
        "ip saddr 10.244.2.0/24 ip daddr 172.30.0.1 tcp dport 5001 masquerade",
        "ip saddr 10.244.2.0/24 ip daddr 172.30.0.1 tcp dport 7070 masquerade",
    ]
    assert "flush ruleset" not in rules, "the rules of kube-proxy and of network policies stay"


def test_the_cluster_is_reached_in_band_and_answers_the_operator(lab_plan: RegionPlan) -> None:
    cluster = documents(render(lab_plan, CONTROL, "kubernetes/kubeadm.yaml.j2"))["ClusterConfiguration"]
    assert cluster["controlPlaneEndpoint"] == "10.255.1.1:6443"
    assert {"10.255.1.1", "172.30.0.65"} <= set(cluster["apiServer"]["certSANs"])
    assert cluster["etcd"]["local"]["imageTag"] == "3.7.3"
    assert {"name": "allocate-node-cidrs", "value": "false"} in cluster["controllerManager"]["extraArgs"]
    assert cluster["dns"]["disabled"], "kubeadm knows no digest for it"
    assert cluster["proxy"]["disabled"]


def test_addons_run_by_digest_from_the_regions_registry(lab_plan: RegionPlan) -> None:
    for addon in ("coredns", "kube-proxy"):
        text = render(lab_plan, CONTROL, f"kubernetes/addons/{addon}.yaml.j2")
        images = [line.split()[-1] for line in text.splitlines() if line.strip().startswith("image: ")]
        assert images, addon
        assert all(image.startswith(f"{lab_plan.endpoints.registry}/") and "@sha256:" in image for image in images)


def test_only_images_of_tenants_ask_the_kubelet_for_a_token(lab_plan: RegionPlan) -> None:
    told = documents(render(lab_plan, WORKER, "kubernetes/image-credentials.yaml.j2"))["CredentialProviderConfig"]
    (provider,) = told["providers"]
    assert provider["matchImages"] == [f"{lab_plan.endpoints.registry}/tenants/"]
    assert provider["tokenAttributes"]["serviceAccountTokenAudience"] == "registry"
    for kind, node in (("InitConfiguration", CONTROL), ("JoinConfiguration", WORKER)):
        token: Any = {"__kubernetes_token": {"stdout": "abcdef.0123456789abcdef"}}
        template = "kubeadm" if kind == "InitConfiguration" else "join"
        text = render(lab_plan, node, f"kubernetes/{template}.yaml.j2", **token)
        registration = documents(text)[kind]["nodeRegistration"]
        given = {each["name"]: each["value"] for each in registration["kubeletExtraArgs"]}
        assert given["image-credential-provider-config"] == "/etc/kubernetes/image-credentials.yaml"
        assert given["image-credential-provider-bin-dir"] == "/usr/bin"


def test_a_start_from_zero_does_not_wait_for_the_service_proxy(lab_plan: RegionPlan) -> None:
    config = documents(render(lab_plan, CONTROL, "kubernetes/addons/kube-proxy.yaml.j2"))["ConfigMap"]["data"]
    proxy = documents(config["config.conf"])["KubeProxyConfiguration"]
    assert proxy["mode"] == "nftables"
    assert proxy["nftables"]["minSyncPeriod"] == "50ms"
    assert proxy["oomScoreAdj"] == 0, "the lab's machines cannot lower it"


def test_a_join_trusts_the_regions_authority_and_no_hash(lab_plan: RegionPlan) -> None:
    token: Any = {"__kubernetes_token": {"stdout": "abcdef.0123456789abcdef"}}
    join = documents(render(lab_plan, WORKER, "kubernetes/join.yaml.j2", **token))["JoinConfiguration"]
    assert list(join["discovery"]) == ["file", "tlsBootstrapToken"]
    assert "SystemVerification" in join["nodeRegistration"]["ignorePreflightErrors"], "control groups of version 1"
    arguments = {argument["name"]: argument["value"] for argument in join["nodeRegistration"]["kubeletExtraArgs"]}
    assert arguments["node-ip"] == "10.255.1.2"


def test_a_host_resolves_every_name_of_the_region_by_itself(lab_plan: RegionPlan) -> None:
    lines = render(lab_plan, WORKER, "base/hosts.j2").splitlines()
    assert "10.255.1.2 lab-r01-t02.lab.internal lab-r01-t02" in lines
    assert "10.255.1.1 lab-r01-t01.lab.internal lab-r01-t01" in lines
    assert lines[-1], "the text ends with the last host"


def test_a_host_finds_its_own_planned_address_and_no_other(lab_plan: RegionPlan) -> None:
    assert evaluate(lab_plan, WORKER, "base", "__base_planned") == ["10.255.1.2"]
    table = "10.0.0.1 a-t01\n10.0.0.2 other-a-t01.x other-a-t01\n10.0.0.3 a-t011\n"
    short = {"base_host_table": table, "inventory_hostname": "a-t01"}
    assert evaluate(lab_plan, WORKER, "base", "__base_planned", **short) == ["10.0.0.1"]


def test_an_init_that_was_killed_is_taken_up_again(lab_plan: RegionPlan) -> None:
    ignored = evaluate(lab_plan, CONTROL, "kubernetes", "__kubernetes_ignored_on_retry")
    assert "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml" in ignored, "kubeadm's own names"
    assert "DirAvailable--var-lib-etcd" in ignored
    assert "Port-6443" in ignored
