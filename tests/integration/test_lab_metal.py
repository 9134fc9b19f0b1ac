"""Simulated machines on a bench of their own: power, reboots, kills, and a whole life under Ironic."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from lab.home import Home
from lab.images import deploy_image, ramdisk
from lab.services import pki, secrets
from tests.e2e.machine import difference
from tests.integration.bench import Bench, bench
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

FIRST, SECOND = "lab-r01-t01", "lab-r01-t02"
WIRING = ROOT / "tests" / "golden" / "lab" / "wiring.json"
NETWORK = tuple(word for part in ("limits", "network", "pki", "secrets") for word in ("--only", part))
SERVICES = tuple(word for part in ("limits", "bmc", "ironic", "web") for word in ("--only", part))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a bench could not build: it has no way out."""
    log = tmp_path_factory.mktemp("images") / "log"
    deploy_image.build(log)
    ramdisk.build(log)


@pytest.fixture(scope="module")
def metal(tmp_path_factory: pytest.TempPathFactory, images: None) -> Generator[Bench]:
    """A bench with machines, BMCs and Ironic."""
    home = tmp_path_factory.mktemp("metal")
    shutil.copy(WIRING, home / "wiring.json")
    with bench(home) as made:
        made.lab("up", *SERVICES)
        yield made


def hosts(on: Bench, *words: str, code: int = 0) -> str:
    return on.run(sys.executable, "-m", "lab.hosts", *words, code=code)


def events(on: Bench, machine: str) -> list[dict[str, str]]:
    lines = (json.loads(line) for line in (on.home / "logs" / "physical.jsonl").read_text().splitlines())
    return [line for line in lines if line["machine"] == machine]


def wait_for_boots(on: Bench, machine: str, count: int) -> None:
    end = time.monotonic() + 30
    while sum(event["action"] == "boot" for event in events(on, machine)) < count:
        assert time.monotonic() < end, "the machine does not boot again"
        time.sleep(0.2)


def supervisor(on: Bench, machine: str) -> str:
    record = on.run("cat", f"/run/gpuregion-lab/processes/machine-{machine}")
    return record.splitlines()[1].split()[0]


def redfish(
    on: Bench, address: str, path: str, *, post: dict[str, str] | None = None, password: str | None = None
) -> Any:
    """Answer of a BMC: its JSON, or the status if there is none."""
    credentials = secrets.read(Home(path=on.home), "bmc")
    pair = f"{credentials['username']}:{password or credentials['password']}"
    words = ["curl", "-s", "-w", "\n%{http_code}", "--cacert", str(pki.authority(Home(path=on.home))), "-u", pair]
    if post is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(post)]
    body, _, status = on.run(*words, f"https://{address}{path}").rpartition("\n")
    return json.loads(body) if body else int(status)


@pytest.fixture
def seeded(metal: Bench) -> Generator[Bench]:
    """The first machine with a system on its disk, and power."""
    hosts(metal, "cut", FIRST)
    hosts(metal, "seed", FIRST)
    hosts(metal, "on", FIRST)
    yield metal
    hosts(metal, "cut", FIRST)


def test_a_seeded_machine_answers_with_its_pinned_key_and_has_its_whole_disk(seeded: Bench) -> None:
    found = hosts(
        seeded, "ssh", FIRST, "--", "hostname; df --output=size -BM / | tail -1; ls /sys/class/net /sys/block"
    )
    hostname, size, *devices = found.split()
    assert hostname == FIRST
    assert int(size.removesuffix("M")) > 9000, "the root has grown to the disk's size"
    assert set(devices) & {"eth0", "eth1", "eth2"} == {"eth0", "eth1", "eth2"}
    assert sum(device.startswith("loop") for device in devices) == 1, "a machine sees its own disk only"


def test_a_first_boot_has_nothing_to_complain_about(seeded: Bench) -> None:
    look = "cloud-init status --wait >/dev/null; grep -e WARNING -e ERROR /var/log/cloud-init.log || true"
    assert hosts(seeded, "ssh", FIRST, "--", look) == ""


def test_a_reboot_starts_over_with_the_disk_and_without_the_network_of_before(seeded: Bench) -> None:
    boots = sum(event["action"] == "boot" for event in events(seeded, FIRST))
    hosts(
        seeded,
        "ssh",
        FIRST,
        "--",
        "echo kept > /var/kept; ip link add left type veth peer name over; systemctl reboot",
    )
    wait_for_boots(seeded, FIRST, boots + 1)
    hosts(seeded, "on", FIRST)
    assert hosts(seeded, "ssh", FIRST, "--", "cat /var/kept; ls /sys/class/net").split()[0] == "kept"
    assert "left" not in hosts(seeded, "ssh", FIRST, "--", "ls /sys/class/net")


def test_a_machine_that_powers_itself_off_gives_its_ports_back(seeded: Bench) -> None:
    pid = supervisor(seeded, FIRST)
    hosts(seeded, "ssh", FIRST, "--", "systemctl poweroff")
    seeded.run("timeout", "30", "tail", "--pid", pid, "-f", "/dev/null")
    assert hosts(seeded, "status", FIRST).startswith(f"{FIRST}: off")
    links = json.loads(seeded.run("ip", "-n", f"{FIRST}-chassis", "-j", "link"))
    assert {"eth0", "eth1", "eth2"} <= {link["ifname"] for link in links}
    assert events(seeded, FIRST)[-1]["how"] == "by its system"


def test_a_killed_supervisor_is_repaired_by_the_next_power_on(seeded: Bench) -> None:
    seeded.run("kill", "-KILL", supervisor(seeded, FIRST))
    hosts(seeded, "on", FIRST)
    assert hosts(seeded, "ssh", FIRST, "--", "hostname").strip() == FIRST


def test_a_node_may_write_what_a_kubelet_writes(seeded: Bench) -> None:
    """The board support makes it so; the host's own settings stay as they are."""
    before = Path("/proc/sys/vm/overcommit_memory").read_text()
    wanted = "0" if before.strip() == "1" else "1"
    hosts(
        seeded,
        "ssh",
        FIRST,
        "--",
        f"sysctl -qw vm.overcommit_memory={wanted} net.ipv4.ip_forward=1; mkdir /sys/fs/cgroup/memory/kubepods",
    )
    assert hosts(seeded, "ssh", FIRST, "--", "cat /proc/sys/vm/overcommit_memory").strip() == wanted
    assert Path("/proc/sys/vm/overcommit_memory").read_text() == before
    overlay = "mkdir -p /var/o/l /var/o/u /var/o/w /var/o/m; mount -t overlay o -o lowerdir=/var/o/l,upperdir=/var/o/u,workdir=/var/o/w /var/o/m"
    hosts(seeded, "ssh", FIRST, "--", f"{overlay} && umount /var/o/m")


def test_a_bmc_switches_its_machine_and_a_machine_outlives_its_bmc(seeded: Bench) -> None:
    address = json.loads(WIRING.read_text())["machines"][0]["bmc_address"]
    (member,) = redfish(seeded, address, "/redfish/v1/Systems")["Members"]
    system = member["@odata.id"]
    assert redfish(seeded, address, system)["PowerState"] == "On"
    pid = supervisor(seeded, FIRST)
    bmc = seeded.run("cat", "/run/gpuregion-lab/processes/bmc").splitlines()[1].split()[0]
    seeded.run("kill", "-KILL", bmc)
    seeded.lab("up", "--only", "bmc")
    assert supervisor(seeded, FIRST) == pid
    reset = f"{system}/Actions/ComputerSystem.Reset"
    assert redfish(seeded, address, reset, post={"ResetType": "ForceOff"}) == 204
    assert redfish(seeded, address, system)["PowerState"] == "Off"
    assert redfish(seeded, address, reset, post={"ResetType": "On"}) == 204
    bmc = seeded.run("cat", "/run/gpuregion-lab/processes/bmc").splitlines()[1].split()[0]
    seeded.run("kill", "-KILL", bmc)
    seeded.lab("up", "--only", "bmc")
    assert redfish(seeded, address, system)["PowerState"] == "On", "a machine that a BMC started outlives it too"
    wrong = redfish(seeded, address, "/redfish/v1/Systems", password="wrong")
    assert "wrong or missing" in wrong["error"]["message"]


def test_two_machines_live_a_whole_life_under_ironic_at_once(metal: Bench) -> None:
    for name in (FIRST, SECOND):
        hosts(metal, "cut", name)
    steps = ("enrol", "inspect", "provide", "deploy", "ssh", "undeploy", "delete")
    lives: dict[str, subprocess.Popen[str]] = {
        name: metal.start(sys.executable, "-m", "tests.integration.metal", name, *steps) for name in (FIRST, SECOND)
    }
    wiring = {machine["name"]: machine for machine in json.loads(WIRING.read_text())["machines"]}
    for name, life in lives.items():
        output, _ = life.communicate(timeout=500)
        assert life.returncode == 0, output
        found = json.loads(output.splitlines()[-1])
        print(name, found["seconds"])
        assert found["serial"] == wiring[name]["serial"]
        assert found["macs"] == {nic["name"]: nic["mac"] for nic in wiring[name]["nics"]}
        assert found["hostname"] == name
        assert found["root_mib"] > 9000
        assert found["resolver"] == "nameserver 172.30.0.1"
        actions = [event["action"] for event in events(metal, name) if event["action"] == "media_insert"]
        assert len(actions) == 4, "inspect, clean, deploy, clean"


def test_down_leaves_nothing_of_running_machines(tmp_path: Path, images: None) -> None:
    home = tmp_path / "lab"
    home.mkdir()
    shutil.copy(WIRING, home / "wiring.json")
    with bench(home) as empty:
        before = empty.snapshot()
        empty.lab("up", *NETWORK)
        hosts(empty, "seed", FIRST)
        hosts(empty, "on", FIRST)
        empty.run("kill", "-KILL", supervisor(empty, FIRST))
        hosts(empty, "seed", SECOND)
        hosts(empty, "on", SECOND)
        empty.lab("down")
        assert difference(before, empty.snapshot()) == {}
