"""The lab on a bench of its own: it comes up, serves, survives faults and kills, and leaves nothing."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from lab import roots
from lab.switches import root as factory
from tests.e2e.machine import difference
from tests.integration.bench import Bench, bench
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

STATUS = ("-s", "-o", "/dev/null", "-w", "%{http_code}")
PARTS = tuple(w for part in ("switch", "dns", "ntp", "web", "registry", "s3") for w in ("--only", part))


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's wiring, and the root tree, which the bench could not fetch: it has no way out."""
    home = tmp_path_factory.mktemp("root")
    roots.build(factory.SPEC, home / "log")
    return ROOT / "tests" / "golden" / "lab" / "wiring.json"


@pytest.fixture
def empty(tmp_path: Path, wiring: Path) -> Generator[Bench]:
    """A bench without a lab."""
    home = tmp_path / "lab"
    home.mkdir()
    shutil.copy(wiring, home / "wiring.json")
    with bench(home) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, wiring: Path) -> Generator[Bench]:
    """A bench with a lab that is up."""
    home = tmp_path_factory.mktemp("running")
    shutil.copy(wiring, home / "wiring.json")
    with bench(home) as made:
        made.lab("up", *PARTS)
        yield made


def ssh(on: Bench, address: str, *words: str) -> str:
    secrets = on.home / "secrets"
    options = (
        *("-i", secrets / "ssh_key", "-o", f"UserKnownHostsFile={secrets / 'switch_known_hosts'}"),
        *("-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "GlobalKnownHostsFile=none", "-F", "none"),
    )
    return on.run("ssh", *options, f"root@{address}", *words)


def after(events: int, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """A command of the lab that has told so many events."""
    assert process.stdout is not None
    for _ in range(events):
        process.stdout.readline()
    return process


# --- what a lab leaves


def test_a_lab_that_was_up_leaves_nothing(empty: Bench) -> None:
    before = empty.snapshot()
    empty.lab("up", *PARTS)
    assert difference(before, empty.snapshot()), "the comparison must see a lab"
    empty.lab("down")
    assert difference(before, empty.snapshot()) == {}


@pytest.mark.parametrize("events", [1, 9, 14, 20, 24])
def test_a_lab_killed_on_its_way_up_goes_on_and_goes_away(empty: Bench, events: int) -> None:
    before = empty.snapshot()
    empty.kill_lab(after(events, empty.start_lab("up", *PARTS, "--json")))
    empty.lab("up", *PARTS)
    assert ssh(empty, "172.30.0.17", "hostname") == "lab-spine1\n"
    empty.kill_lab(after(events, empty.start_lab("down", "--json")))
    empty.lab("down", "--purge")
    assert difference(before, empty.snapshot()) == {}
    assert not empty.home.exists()


def test_a_lab_killed_on_its_way_up_is_taken_down_at_once(empty: Bench) -> None:
    before = empty.snapshot()
    for events in (8, 12, 16):
        empty.kill_lab(after(events, empty.start_lab("up", *PARTS, "--json")))
    empty.lab("down")
    assert difference(before, empty.snapshot()) == {}


def test_an_interrupt_is_told_what_to_do_next(empty: Bench) -> None:
    before = empty.snapshot()
    process = after(4, empty.start_lab("up", *PARTS, "--json"))
    output = empty.kill_lab(process, signal.SIGINT)
    assert process.returncode == 130, output
    assert "python -m lab down" in output
    empty.lab("down")
    assert difference(before, empty.snapshot()) == {}


def test_a_lab_whose_records_are_lost_is_found_by_its_names(empty: Bench) -> None:
    before = empty.snapshot()
    empty.lab("up", *PARTS)
    empty.run("rm", "-r", "/run/gpuregion-lab")
    empty.lab("down")
    left = difference(before, empty.snapshot())
    left.pop("limits", None)  # what they were was in the records
    assert left == {}


def test_down_without_a_lab_and_without_a_wiring_is_no_error(empty: Bench) -> None:
    (empty.home / "wiring.json").unlink()
    assert "the lab is gone" in empty.lab("down")


# --- whose lab it is


def test_another_checkouts_lab_is_refused_and_named(running: Bench, tmp_path: Path) -> None:
    shutil.copy(running.home / "wiring.json", tmp_path / "wiring.json")
    stranger = dataclasses.replace(running, home=tmp_path)
    for command in ("up", "down"):
        assert str(running.home) in stranger.lab(command, code=4)


def test_a_network_that_is_there_already_is_not_built_over(empty: Bench) -> None:
    empty.run("ip", "link", "add", "other", "type", "bridge")
    empty.run("ip", "addr", "add", "172.30.0.99/26", "dev", "other")
    empty.run("ip", "link", "set", "other", "up")
    assert "172.30.0.64/26 on other" in empty.lab("up", *PARTS, code=1)


# --- what it serves


def test_a_second_up_changes_nothing(running: Bench) -> None:
    events = [json.loads(line) for line in running.lab("up", *PARTS, "--json").splitlines()]
    assert events[-1]["event"] == "summary"
    assert events[-1]["made"] == 0


def test_a_switch_leaves_the_factory_without_bgp(running: Bench) -> None:
    config = ssh(running, "172.30.0.19", "vtysh", "-c", "'show running-config'")
    assert "frr defaults datacenter" in config
    assert "router bgp" not in config
    daemons = ssh(running, "172.30.0.19", "pidof", "zebra", "bgpd", "bfdd")
    assert len(daemons.split()) == 3


def test_names_of_the_zone_are_answered_and_others_refused_at_once(running: Bench) -> None:
    ask = (
        "import sys, time; from lab.services import dns; begin = time.monotonic();"
        "print(dns.answers('172.30.0.1', sys.argv[1]), time.monotonic() - begin < 0.5)"
    )
    names = ("lab-leaf1.lab.internal", "no-such-name.lab.internal", "example.org")
    answers = [running.run(sys.executable, "-c", ask, name).split() for name in names]
    assert answers == [["True", "True"], ["False", "True"], ["False", "True"]]


def test_servers_answer_with_the_regions_certificate(running: Bench) -> None:
    ca = running.home / "pki" / "region-ca.crt"
    assert running.run("curl", *STATUS, "--cacert", ca, "https://172.30.0.1:5000/v2/") == "401", "it asks for a token"
    assert "AccessDenied" in running.run("curl", "-s", "--cacert", ca, "https://172.30.0.1:7070/")
    name = "registry.lab.internal"
    resolved = ("--resolve", f"{name}:5000:172.30.0.1")
    assert running.run("curl", *STATUS, *resolved, "--cacert", ca, f"https://{name}:5000/v2/") == "401"


def test_a_server_that_died_is_started_again(running: Bench) -> None:
    find = "from lab import processes; print(processes.pid_of('dns'))"
    pid = running.run(sys.executable, "-c", find).strip()
    running.run("kill", "-KILL", pid)
    events = [json.loads(line) for line in running.lab("up", *PARTS, "--json").splitlines()]
    assert [e["step"] for e in events if e.get("changed")] == ["dns"]


def test_the_hosts_own_settings_are_not_touched(empty: Bench) -> None:
    keys = ("net.ipv4.ip_forward", "net.ipv4.fib_multipath_hash_policy", "net.ipv6.conf.all.forwarding")
    before = empty.run("sysctl", *keys, "net.ipv4.conf.all.ignore_routes_with_linkdown")
    empty.lab("up", *PARTS)
    assert empty.run("sysctl", *keys, "net.ipv4.conf.all.ignore_routes_with_linkdown") == before


# --- power and faults


def test_a_next_hop_into_the_fabric_counts_while_its_leaf_has_power(running: Bench) -> None:
    def hops() -> list[str]:
        (route,) = json.loads(running.run("ip", "-j", "route", "show", "10.255.1.0/24"))
        return [hop["dev"] for hop in route["nexthops"] if "linkdown" not in hop["flags"]]

    assert hops() == ["lab-edge1", "lab-edge2"]
    running.lab("power", "cut", "lab-leaf1")
    assert hops() == ["lab-edge2"]
    running.lab("power", "on", "lab-leaf1")
    assert hops() == ["lab-edge1", "lab-edge2"]


def test_what_a_switch_wrote_survives_its_power_and_its_kernel_does_not(running: Bench) -> None:
    ssh(
        running,
        "172.30.0.18",
        "echo kept > /etc/frr/kept; ip addr add 10.9.9.9/32 dev lo; ip route add 10.8.0.0/16 dev lo",
    )
    running.lab("power", "cut", "lab-spine2")
    assert "LOWER_UP" not in running.run("ip", "-n", "lab-leaf1", "link", "show", "swp52")
    running.lab("power", "on", "lab-spine2")
    assert ssh(running, "172.30.0.18", "cat", "/etc/frr/kept") == "kept\n"
    left = ssh(running, "172.30.0.18", "ip addr show dev lo; ip route")
    assert "10.9.9.9" not in left
    assert "10.8.0.0" not in left


def test_a_reboot_inside_a_switch_is_a_reboot(running: Bench) -> None:
    started = "cat /proc/1/stat"
    before = ssh(running, "172.30.0.18", started)
    running.lab("exec", "lab-spine2", "systemctl", "reboot")
    end = time.monotonic() + 30
    while True:
        try:
            assert ssh(running, "172.30.0.18", started) != before
            break
        except AssertionError:
            assert time.monotonic() < end, "the switch did not come back"
            time.sleep(0.3)


def test_a_pulled_cable_stays_pulled_when_the_switch_is_switched_off_and_on(running: Bench) -> None:
    def far_end() -> str:
        return running.run("ip", "-n", "lab-spine1", "link", "show", "swp1")

    running.lab("link", "lab-leaf1", "swp51", "down")
    assert "LOWER_UP" not in far_end()
    running.lab("power", "off", "lab-leaf1")
    running.lab("power", "on", "lab-leaf1")
    assert "LOWER_UP" not in far_end()
    running.lab("link", "lab-leaf1", "swp51", "up")
    assert "LOWER_UP" in far_end()


def test_a_silent_port_eats_packets_and_keeps_its_carrier(running: Bench) -> None:
    running.run("ip", "-n", "lab-leaf2", "addr", "add", "192.0.2.1/30", "dev", "swp51")
    running.run("ip", "-n", "lab-spine1", "addr", "add", "192.0.2.2/30", "dev", "swp2")
    ping = ("exec", "lab-spine1", "ping", "-c", "2", "-i", "0.2", "-W", "1", "192.0.2.1")
    running.lab(*ping)
    running.lab("silent", "lab-leaf2", "swp51", "on")
    running.lab(*ping, code=1)
    assert "LOWER_UP" in running.run("ip", "-n", "lab-spine1", "link", "show", "swp2")
    running.lab("silent", "lab-leaf2", "swp51", "off")
    running.lab(*ping)


def test_a_machine_with_an_empty_disk_has_power_and_says_that_it_does_not_boot(running: Bench) -> None:
    said = running.lab("power", "on", "lab-r01-t04")
    assert "lab-r01-t04 is on, but does not boot: no bootable partition" in said
    assert "lab-r01-t04 is off\n" in running.lab("power", "cut", "lab-r01-t04")


def test_a_device_or_port_that_does_not_exist_is_refused_with_those_that_do(running: Bench) -> None:
    assert "lab-spine1, lab-spine2" in running.lab("power", "on", "lab-spine9", code=1)
    assert "eth0 swp1 swp2" in running.lab("link", "lab-leaf1", "swp77", "down", code=1)


def test_status_tells_what_is_there(running: Bench) -> None:
    status = json.loads(running.lab("status", "--json", code=1))
    assert status["owner"] == str(running.home)
    assert {d["name"] for d in status["devices"] if d["power"]} == {
        "lab-spine1",
        "lab-spine2",
        "lab-leaf1",
        "lab-leaf2",
    }
    assert {s["name"] for s in status["services"] if not s["answers"]} <= {"ironic", "bmc"}
