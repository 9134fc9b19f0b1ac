"""The life of a machine through Ironic's API, for a test on a bench: `python -m tests.integration.metal NAME STEP...`.

Not the operator's client, so that a fault of that one does not hide a fault of the lab. Prints one JSON
object: seconds of each step, and what was found.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from lab.context import Lab
from lab.hosts import config_drive, seed
from lab.images import deploy_image
from lab.services import pki, secrets
from lab.wiring import Machine

_STEP_S = 240


class Life:
    """One machine and what happens to it."""

    def __init__(self, lab: Lab, machine: Machine) -> None:
        self.lab, self.machine = lab, machine
        self.found: dict[str, Any] = {}
        at, credentials = lab.wiring.services, secrets.read(lab.home, "ironic")
        self.images = f"http://{at.address}:{at.images}"
        self.image = deploy_image.publish(lab.home)
        self.config = seed.new_config(lab, machine, self.image.sha256)
        self.api = httpx.Client(
            base_url=f"https://{at.address}:{at.ironic}/v1",
            auth=(credentials["username"], credentials["password"]),
            verify=ssl.create_default_context(cafile=str(pki.authority(lab.home))),
            timeout=60,
            headers={"X-OpenStack-Ironic-API-Version": "1.81"},
        )

    def enrol(self) -> None:
        bmc = secrets.read(self.lab.home, "bmc")
        self._call(
            "POST",
            "/nodes",
            {
                "name": self.machine.name,
                "driver": "redfish",
                "properties": {"capabilities": "boot_mode:bios", "cpu_arch": "x86_64"},
                "driver_info": {
                    "redfish_address": f"https://{self.machine.bmc_address}",
                    "redfish_username": bmc["username"],
                    "redfish_password": bmc["password"],
                    "redfish_auth_type": "basic",
                },
                "network_data": config_drive.network_data(self.config),
            },
        )
        self._go("manage", "manageable")

    def inspect(self) -> None:
        self._go("inspect", "manageable")
        inventory = self._call("GET", f"/nodes/{self.machine.name}/inventory")["inventory"]
        self.found["serial"] = inventory["system_vendor"]["serial_number"]
        self.found["macs"] = {nic["name"]: nic["mac_address"] for nic in inventory["interfaces"]}
        self.found["disks"] = [disk["size"] for disk in inventory["disks"]]

    def provide(self) -> None:
        self._go("provide", "available")

    def deploy(self) -> None:
        artifact = self.image.artifact(self.images)
        wanted = {
            "image_source": artifact["url"],
            "image_checksum": artifact["sha256"],
            "image_disk_format": artifact["format"],
        }
        self._call("PATCH", f"/nodes/{self.machine.name}", [{"op": "add", "path": "/instance_info", "value": wanted}])
        drive = {
            "meta_data": config_drive.meta_data(self.config),
            "network_data": config_drive.network_data(self.config),
            "user_data": config_drive.user_data(self.config),
        }
        self._go("active", "active", configdrive=drive)

    def ssh(self) -> None:
        look = "hostname; cat /etc/gpuregion-image; df --output=size -BM / | tail -1; cat /etc/resolv.conf"
        command = [*seed.ssh_command(self.lab, self.machine), look]
        end = time.monotonic() + 60
        while (result := subprocess.run(command, capture_output=True, text=True)).returncode:
            if time.monotonic() > end:
                raise SystemExit(f"{self.machine.name} does not answer on SSH: {result.stderr}")
            time.sleep(0.2)
        hostname, image, size, resolver = result.stdout.split("\n", 3)
        self.found |= {"hostname": hostname, "image": json.loads(image)["sha256"], "resolver": resolver.strip()}
        self.found["root_mib"] = int(size.strip().removesuffix("M"))

    def undeploy(self) -> None:
        self._go("deleted", "available")

    def delete(self) -> None:
        self._call("DELETE", f"/nodes/{self.machine.name}")

    def _go(self, target: str, wanted: str, **more: Any) -> None:
        self._call("PUT", f"/nodes/{self.machine.name}/states/provision", {"target": target, **more})
        end = time.monotonic() + _STEP_S
        while True:
            node = self._call("GET", f"/nodes/{self.machine.name}")
            state = node["provision_state"]
            if state == wanted and not node["target_provision_state"]:
                return
            if "failed" in state or (state == "enroll" and node["last_error"]) or time.monotonic() > end:
                raise SystemExit(f"{self.machine.name}: {target} ended in {state}: {node['last_error']}")
            time.sleep(0.5)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        while (answer := self.api.request(method, path, json=body)).status_code == 409:
            time.sleep(0.5)  # locked by what Ironic is doing with the node
        if answer.is_error:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def main() -> None:
    name, *steps = sys.argv[1:]
    lab = Lab.running()
    machine = lab.wiring.machine(name)
    assert machine is not None
    life = Life(lab, machine)
    acts: Mapping[str, Callable[[], None]] = {
        act.__name__: act
        for act in (life.enrol, life.inspect, life.provide, life.deploy, life.ssh, life.undeploy, life.delete)
    }
    seconds: dict[str, float] = {}
    for step in steps:
        began = time.monotonic()
        acts[step]()
        seconds[step] = round(time.monotonic() - began, 1)
        print(f"{name} {step} {seconds[step]} s", file=sys.stderr, flush=True)
    print(json.dumps({"seconds": seconds, **life.found}))


if __name__ == "__main__":
    main()
