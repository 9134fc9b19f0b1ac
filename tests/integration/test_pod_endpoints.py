"""The way of pods to the region's endpoints, on name spaces wired as a bench machine, a leaf, a host and a pod.

The host's settings and rules are those that its roles write. Its port into the fabric has no address of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from components.plan import RegionPlan
from components.plan.tenancy.network import endpoints
from tests.role_render import render

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network name spaces: run it as root"),
]
WORKER = "lab-r01-t02"
STORE, IRONIC = 7070, 6385
ADDRESS, POD = "172.30.0.1", "10.244.2.5"
BENCH, LEAF, HOST, GUEST = SPACES = tuple(f"way{os.getpid()}-{n}" for n in ("bench", "leaf", "host", "pod"))
LINKS = ((BENCH, "oob", HOST, "eth0"), (BENCH, "edge", LEAF, "swp48"), (LEAF, "swp1", HOST, "up1"))
POD_LINK = (HOST, "veth", GUEST, "eth0")


def run(*words: str, check: bool = True) -> str:
    return subprocess.run(words, check=check, capture_output=True, text=True, timeout=30).stdout


def ip(space: str, *commands: str) -> None:
    for command in commands:
        run("ip", "-n", space, *command.split())


def within(space: str, *words: str, check: bool = True) -> str:
    return run("ip", "netns", "exec", space, *words, check=check)


def link_local(space: str, port: str) -> str:
    """The address by which the other end of an unnumbered link names this one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        told = json.loads(
            run("ip", "-n", space, "-j", "-6", "addr", "show", "dev", port, "scope", "link", "-tentative")
        )
        for each in (address for item in told for address in item.get("addr_info", [])):
            return str(each["local"])
        time.sleep(0.1)
    pytest.fail(f"{port} has no address")


def wire() -> None:
    for space in SPACES:
        run("ip", "netns", "add", space)
        ip(space, "link set lo up")
    for here, port, there, peer in (*LINKS, POD_LINK):
        ip(here, f"link add {port} type veth peer name {peer} netns {there}", f"link set {port} up")
        ip(there, f"link set {peer} up")
    ip(BENCH, f"addr add {ADDRESS}/24 dev oob", "addr add 10.255.3.1/31 dev edge")
    ip(LEAF, "addr add 10.255.3.0/31 dev swp48")
    ip(HOST, "addr add 172.30.0.66/24 dev eth0", "addr add 10.9.0.1/32 dev veth", f"route add {POD} dev veth")
    ip(GUEST, f"addr add {POD}/32 dev eth0", "route add 10.9.0.1 dev eth0", "route add default via 10.9.0.1")
    host, leaf = link_local(HOST, "up1"), link_local(LEAF, "swp1")
    ip(HOST, f"route add 10.255.3.0/31 via inet6 {leaf} dev up1")
    ip(LEAF, f"route add 10.244.2.0/24 via inet6 {host} dev swp1")
    ip(BENCH, "route add 10.244.0.0/16 via 10.255.3.0")
    within(LEAF, "sysctl", "-qw", "net.ipv4.ip_forward=1")


@pytest.fixture(scope="module")
def reach(lab_plan: RegionPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[int], bool]]:
    """Whether a connection from the pod to a port of the services address comes about."""
    folder: Path = tmp_path_factory.mktemp("way")
    servers: list[subprocess.Popen[bytes]] = []
    try:
        wire()
        settings = folder / "sysctl.conf"
        settings.write_text(render(lab_plan, WORKER, "frr/sysctl.conf.j2", frr_uplinks=["up1"]))
        within(HOST, "sysctl", "--quiet", "--load", str(settings))
        for port in (STORE, IRONIC):
            words = ["ip", "netns", "exec", BENCH, sys.executable, "-m", "http.server", str(port), "--bind", ADDRESS]
            servers.append(subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        connect = "exec 3<>/dev/tcp/{}/{}"

        def reached(port: int, space: str = GUEST) -> bool:
            words = ["ip", "netns", "exec", space, "timeout", "2", "bash", "-c", connect.format(ADDRESS, port)]
            return subprocess.run(words, check=False, capture_output=True, timeout=10).returncode == 0

        end = time.monotonic() + 20
        while not all(reached(port, HOST) for port in (STORE, IRONIC)) and time.monotonic() < end:
            time.sleep(0.2)
        yield reached
    finally:
        for server in servers:
            server.terminate()
            server.wait(10)
        for space in SPACES:
            run("ip", "netns", "delete", space, check=False)


def test_a_pod_reaches_the_object_store_in_its_hosts_name_and_nothing_else_out_of_band(
    reach: Callable[[int], bool], lab_plan: RegionPlan, tmp_path: Path
) -> None:
    assert not reach(STORE), "control: an answer to the pod's own address comes over the fabric, and the host drops it"
    rules = tmp_path / "rules.nft"
    rules.write_text(render(lab_plan, WORKER, "pod_network/endpoints.nft.j2"))
    for _ in range(2):
        within(HOST, "nft", "--file", str(rules))
    listed = within(HOST, "nft", "--numeric", "list", "table", "ip", "pod_network")
    assert listed.count("masquerade") == len(endpoints(lab_plan)), "loaded again, the rules are the same"
    assert "ip daddr 172.30.0.1 tcp dport 7070 masquerade" in listed, "as the role's verification looks for it"
    assert reach(STORE)
    assert not reach(IRONIC), "a port of the same address that is not named stays out of reach"
