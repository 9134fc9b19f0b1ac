"""The pure parts of a simulated machine: partition tables, boot entries, ports, groups, config drive, records."""

from __future__ import annotations

import json
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from lab import cgroups
from lab.errors import LabError
from lab.home import Home
from lab.hosts import config_drive, disk, events, firmware, groups, nics
from lab.hosts.place import Facts, Place

MIB = 2048
"""Sectors of a MiB."""


def label(*partitions: tuple[str, int, int]) -> dict[str, Any]:
    spans = [{"node": node, "start": start, "size": size} for node, start, size in partitions]
    return {"lastlba": 10240 * MIB - 34, "partitions": spans}


def test_a_root_can_grow_to_the_end_of_the_disk() -> None:
    assert disk.room_behind(label(("/dev/loop3p1", MIB, 382 * MIB)), 1) == 10240 * MIB - 33 - 383 * MIB


def test_a_root_grows_no_further_than_the_config_drive() -> None:
    found = label(("/dev/loop3p1", MIB, 382 * MIB), ("/dev/loop3p2", 10175 * MIB, 64 * MIB))
    assert disk.room_behind(found, 1) == (10175 - 383) * MIB


def test_partitions_of_a_loop_device_with_many_digits_are_told_apart() -> None:
    found = label(("/dev/loop12p1", MIB, MIB), ("/dev/loop12p15", 4 * MIB, MIB))
    assert disk.room_behind(found, 1) == 2 * MIB


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "label boot\nkernel /vmlinuz\nappend initrd=/initrd text nofb ipa-api-url=https://x --\n",
            "initrd=/initrd text nofb ipa-api-url=https://x",
        ),
        ("  APPEND a=1 b=2", "a=1 b=2"),
    ],
)
def test_the_command_line_is_what_the_boot_entry_appends(text: str, expected: str) -> None:
    assert firmware.kernel_command_line(text) == expected


def test_a_medium_without_a_boot_entry_is_refused() -> None:
    with pytest.raises(firmware.NotBootable, match="no boot entry"):
        firmware.kernel_command_line("default boot\n")


def port(mac: str, **more: Any) -> dict[str, Any]:
    return {"link_type": "ether", "address": mac, "link_netnsid": 0, **more}


def test_ports_are_found_again_after_the_system_has_renamed_one() -> None:
    present = {"lo": {"link_type": "loopback"}, "uplink0": port("02:00:00:00:00:01"), "eth0": port("02:00:00:00:00:00")}
    macs = {"eth0": "02:00:00:00:00:00", "eth1": "02:00:00:00:00:01"}
    assert nics.whose(present, macs) == {"eth0": "eth0", "eth1": "uplink0"}


def test_a_bridge_that_took_a_ports_mac_is_not_that_port() -> None:
    bridge = {"link_type": "ether", "address": "02:00:00:00:00:01"}
    present = {"br0": bridge, "eth1": port("02:00:00:00:00:01")}
    assert nics.whose(present, {"eth1": "02:00:00:00:00:01"}) == {"eth1": "eth1"}


def test_a_port_whose_mac_was_changed_is_found_by_its_name() -> None:
    assert nics.whose({"eth1": port("02:ff:ff:ff:ff:ff")}, {"eth1": "02:00:00:00:00:01"}) == {"eth1": "eth1"}


def v2_tree(mount: Path, controllers: str, enabled: str) -> Path:
    for level in ("", cgroups.PARENT, f"{cgroups.PARENT}/machine-a"):
        (mount / level).mkdir(parents=True, exist_ok=True)
        (mount / level / "cgroup.controllers").write_text(controllers)
        (mount / level / "cgroup.subtree_control").write_text(enabled)
    return mount


def test_with_the_second_version_a_machine_gets_one_group_with_all_controllers(tmp_path: Path) -> None:
    mount = v2_tree(tmp_path, "cpu memory pids io", "cpu memory pids io")
    assert groups.unified(mount, "machine-a") == mount / cgroups.PARENT / "machine-a" / "boot"
    assert (mount / cgroups.PARENT / "machine-a" / "boot").is_dir()


def test_a_host_that_cannot_give_controllers_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"(?s)cannot give cpu, memory, pids.*remedy"):
        groups.unified(v2_tree(tmp_path, "", ""), "machine-a")


CONFIG = config_drive.HostConfig(
    name="lab-r01-t01",
    uuid="0000",
    domain="lab.internal",
    mac="02:1a:b0:01:01:00",
    address=IPv4Interface("172.30.0.65/24"),
    gateway="172.30.0.1",
    dns="172.30.0.1",
    authorized_key="ssh-ed25519 AAAA operator\n",
    host_key="-----BEGIN OPENSSH PRIVATE KEY-----\nline: with 'quotes' and \"more\"\n-----END OPENSSH PRIVATE KEY-----\n",
    host_key_public="ssh-ed25519 BBBB root@lab-r01-t01",
    authority="-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
    image_sha256="ab" * 32,
)


def test_the_config_drive_names_the_host_and_the_operators_key() -> None:
    found = config_drive.meta_data(CONFIG)
    assert found == {
        "uuid": "0000",
        "hostname": "lab-r01-t01",
        "public_keys": {"operator": "ssh-ed25519 AAAA operator"},
    }


def test_the_config_drive_configures_the_out_of_band_port_only() -> None:
    found = config_drive.network_data(CONFIG)
    assert [link["ethernet_mac_address"] for link in found["links"]] == ["02:1a:b0:01:01:00"]
    (network,) = found["networks"]
    assert (network["ip_address"], network["netmask"]) == ("172.30.0.65", "255.255.255.0")
    assert network["routes"][0]["gateway"] == "172.30.0.1"
    assert found["services"] == [{"type": "dns", "address": "172.30.0.1"}]


def test_the_user_data_carries_keys_and_certificates_unharmed() -> None:
    first, _, rest = config_drive.user_data(CONFIG).partition("\n")
    assert first == "#cloud-config"
    content = json.loads(rest)
    assert content["ssh_keys"] == {"ed25519_private": CONFIG.host_key, "ed25519_public": CONFIG.host_key_public}
    files = {file["path"]: file["content"] for file in content["write_files"]}
    assert json.loads(files["/etc/gpuregion-image"]) == {"sha256": "ab" * 32}
    assert files["/usr/local/share/ca-certificates/region-ca.crt"] == CONFIG.authority


def test_each_physical_action_is_one_line(tmp_path: Path) -> None:
    file = events.path(Home(path=tmp_path))
    events.record(file, "lab-r01-t01", "power_on")
    events.record(file, "lab-r01-t01", "boot", device="Cd")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["machine"], line["action"]) for line in lines] == [
        ("lab-r01-t01", "power_on"),
        ("lab-r01-t01", "boot"),
    ]
    assert lines[1]["device"] == "Cd"


def test_a_machine_finds_its_facts_as_they_were_written(tmp_path: Path) -> None:
    here = Place(home=Home(path=tmp_path), name="lab-r01-t01")
    facts = Facts(
        name="lab-r01-t01",
        serial="LABR01T01",
        bmc_address="172.30.0.129",
        disk_gib=10,
        memory_mib=4096,
        gpus=4,
        macs={"eth0": "02:1a:b0:01:01:00", "eth1": "02:1a:b0:01:01:01"},
    )
    here.write_facts(facts)
    assert here.facts() == facts


def test_a_disk_keeps_its_content_and_may_only_grow(tmp_path: Path) -> None:
    here = Place(home=Home(path=tmp_path), name="a")
    here.make_disk(1)
    with here.disk.open("r+b") as handle:
        handle.write(b"data")
    here.make_disk(2)
    here.make_disk(1)
    assert here.disk.stat().st_size == 2 << 30
    assert here.disk.stat().st_blocks * 512 < 1 << 20, "the disk is sparse"
    with here.disk.open("rb") as handle:
        assert handle.read(4) == b"data"
