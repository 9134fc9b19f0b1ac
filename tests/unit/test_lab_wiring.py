"""The lab's wiring file: what is accepted, and how each fault is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import wiring
from lab.errors import WiringError

GOOD: dict[str, Any] = {
    "name": "lab",
    "domain": "lab.internal",
    "oob": {"network": "172.30.0.0/24", "gateway": "172.30.0.1", "bridge": "lab-oob"},
    "machines": [
        {
            "name": f"lab-r01-t0{n}",
            "serial": f"SERIAL{n}",
            "bmc_address": f"172.30.0.12{n}",
            "disk_gib": 10,
            "memory_mib": 4096,
            "gpus": 4,
            "nics": [
                {"name": "eth0", "mac": f"02:00:00:00:0{n}:00", "oob": True},
                {"name": "eth1", "mac": f"02:00:00:00:0{n}:01", "oob": False},
            ],
        }
        for n in (1, 2)
    ],
    "switches": [
        {"name": "lab-leaf1", "role": "leaf", "oob_address": "172.30.0.19", "ports": ["swp1", "swp2", "swp48"]},
    ],
    "cables": [
        {"a": ["lab-r01-t01", "eth1"], "b": ["lab-leaf1", "swp1"]},
        {"a": ["lab-r01-t02", "eth1"], "b": ["lab-leaf1", "swp2"]},
        {"a": ["edge", "lab-edge1"], "b": ["lab-leaf1", "swp48"]},
    ],
    "edges": [{"port": "lab-edge1", "address": "10.255.3.1/31", "via": "10.255.3.0"}],
    "edge_routes": ["10.255.0.0/24"],
    "records": {"registry": "172.30.0.1"},
    "services": {
        "address": "172.30.0.1",
        "ironic": 6385,
        "images": 8080,
        "apt": 8081,
        "registry": 5000,
        "registry_tokens": 5001,
        "s3": 7070,
    },
    "cluster": {"keys": "https://172.30.0.21:6443/openid/v1/jwks", "issuer": "https://kubernetes.default.svc.local"},
}


def test_a_good_wiring_tells_who_is_at_the_other_end_of_a_cable() -> None:
    found = wiring.parse(GOOD)
    assert str(found.peer("lab-leaf1", "swp1")) == "lab-r01-t01 eth1"
    assert str(found.peer("edge", "lab-edge1")) == "lab-leaf1 swp48"
    assert found.peer("lab-leaf1", "swp99") is None


def test_a_wiring_survives_being_written_and_read() -> None:
    found = wiring.parse(GOOD)
    assert wiring.parse(json.loads(found.model_dump_json())) == found


def _set(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        target: Any = document
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("colour", value="red"), ["colour", "red"]),
        (_set("machines", 0, "disk_gib", value="ten"), ["machines[0].disk_gib", "ten"]),
        (_set("machines", 0, "nics", 0, "mac", value="02-00"), ["machines[0].nics[0].mac", "02-00"]),
        (_set("machines", 1, "nics", 1, "mac", value="02:00:00:00:01:01"), ["MAC 02:00:00:00:01:01", "2 times"]),
        (_set("machines", 1, "serial", value="SERIAL1"), ["serial SERIAL1"]),
        (_set("machines", 1, "name", value="lab-leaf1"), ["name of a device lab-leaf1"]),
        (_set("machines", 0, "name", value="a-name-too-long-for-a-port"), ["machines[0].name", "pattern"]),
        (_set("machines", 0, "bmc_address", value="10.0.0.1"), ["10.0.0.1", "outside", "172.30.0.0/24"]),
        (_set("switches", 0, "oob_address", value="172.30.0.121"), ["out-of-band address 172.30.0.121"]),
        (_set("cables", 0, "b", value=["lab-leaf1", "swp9"]), ["cables[0].b", "lab-leaf1 swp9"]),
        (_set("cables", 0, "b", value=["lab-leaf1", "swp2"]), ["port of a cable lab-leaf1 swp2"]),
        (_set("cables", 0, "a", value=["lab-r01-t01", "eth0"]), ["cables[0].a", "lab-r01-t01 eth0"]),
        (
            _set("cables", 2, "a", value=["lab-leaf1", "swp48"]),
            ["both ends are on lab-leaf1", "lab-edge1 has no cable"],
        ),
        (_set("edges", 0, "via", value="10.255.3.1"), ["edges[0].via", "10.255.3.0/31"]),
        (_set("services", "address", value="172.30.0.2"), ["services.address", "172.30.0.1"]),
        (_set("services", "s3", value=70000), ["services.s3"]),
    ],
)
def test_a_fault_is_told_with_its_place(change: Callable[[dict[str, Any]], None], words: list[str]) -> None:
    document = copy.deepcopy(GOOD)
    change(document)
    with pytest.raises(WiringError) as caught:
        wiring.parse(document)
    for word in words:
        assert word in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    document = copy.deepcopy(GOOD)
    document["machines"][1]["serial"] = "SERIAL1"
    document["cables"][0]["b"] = ["lab-leaf1", "swp9"]
    with pytest.raises(WiringError) as caught:
        wiring.parse(document)
    assert len(caught.value.details) == 2


def test_a_missing_file_is_told_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(WiringError, match="region export"):
        wiring.load(tmp_path / "wiring.json")


def test_a_file_that_is_not_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "wiring.json").write_text("{")
    with pytest.raises(WiringError, match="is not JSON"):
        wiring.load(tmp_path / "wiring.json")
