"""The changes whose consequences are held in golden files, by name of the file."""

from __future__ import annotations

from collections.abc import Mapping

from tests.regions import Edit
from tests.scenarios import ESSONNE, LAB, Scenario

_DRIVER = "580.126.20"
_FIRMWARE = "_catalogue/firmware/dgx-gb200.yaml"
_TRAY = '      - {{slot: {0}, role: {1}, serial: LABR01T0{0}, macs: ["02:1a:b0:01:0{0}:00", "02:1a:b0:01:0{0}:01", "02:1a:b0:01:0{0}:02"]}}\n'

CASES: Mapping[str, Scenario] = {
    "nothing": Scenario(base=LAB, is_quiet=True),
    "a-comment": Scenario(
        base=LAB, after=(Edit("racks.yaml", "    id: 1\n", "    id: 1     # beside the door\n"),), is_quiet=True
    ),
    "order-of-trays": Scenario(
        base=LAB,
        after=(
            Edit("racks.yaml", _TRAY.format(1, "control_plane"), ""),
            Edit("racks.yaml", _TRAY.format(4, "spare"), _TRAY.format(4, "spare") + _TRAY.format(1, "control_plane")),
        ),
        is_quiet=True,
    ),
    "image-of-the-lab": Scenario(base=LAB, images="2"),
    "tray-replaced": Scenario(base=LAB, after=(Edit("racks.yaml", "serial: LABR01T02", "serial: LABR01T12"),)),
    "spare-promoted": Scenario(
        base=LAB, after=(Edit("racks.yaml", "slot: 4, role: spare", "slot: 4, role: gpu_worker"),)
    ),
    "host-becomes-a-spare": Scenario(
        base=LAB,
        before=(Edit("racks.yaml", "slot: 4, role: spare", "slot: 4, role: gpu_worker"),),
        after=(Edit("racks.yaml", "slot: 4, role: gpu_worker", "slot: 4, role: spare"),),
    ),
    "rack-renamed": Scenario(base=LAB, after=(Edit("racks.yaml", "name: lab-r01", "name: lab-r02"),)),
    "rack-moved": Scenario(
        base=LAB,
        after=(Edit("racks.yaml", "    id: 1\n", "    id: 1\n    place: {hall: bench, row: 1, position: 3}\n"),),
    ),
    "bmc-credential": Scenario(
        base=LAB, after=(Edit("region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: file:.lab/secrets/bmc2.json"),)
    ),
    "dns-server": Scenario(
        base=LAB, after=(Edit("region.yaml", "dns: [172.30.0.1]", "dns: [172.30.0.1, 172.30.0.2]"),)
    ),
    "bfd-timer": Scenario(base=LAB, after=(Edit("network.yaml", "interval_ms: 100", "interval_ms: 200"),)),
    "spine-added": Scenario(
        base=LAB,
        after=(
            Edit(
                "network.yaml",
                "    - {name: lab-spine2, id: 2, leaf_port: swp52}\n",
                "    - {name: lab-spine2, id: 2, leaf_port: swp52}\n    - {name: lab-spine3, id: 5, leaf_port: swp50}\n",
            ),
        ),
    ),
    "tenant-quota": Scenario(
        base=LAB, after=(Edit("tenants/demo.yaml", "quota: {pods: 20, gpus: 4}", "quota: {pods: 20, gpus: 3}"),)
    ),
    "tenant-added": Scenario(
        base=LAB,
        before=(Edit("tenants/demo.yaml", "quota: {pods: 20, gpus: 4}", "quota: {pods: 20, gpus: 2}"),),
        after=(Edit("tenants/two.yaml", "", "tenant: two\nquota: {pods: 10, gpus: 2}\n"),),
    ),
    "service-gpus": Scenario(base=LAB, after=(Edit("tenants/demo.yaml", "count: 1", "count: 2"),)),
    "service-scaling": Scenario(base=LAB, after=(Edit("tenants/demo.yaml", "min: 0, max: 2", "min: 1, max: 2"),)),
    "gpu-driver": Scenario(
        base=LAB,
        after=(
            Edit("_catalogue/software/lab-debian-12.yaml", _DRIVER, "580.142.10"),
            Edit("cluster.yaml", _DRIVER, "580.142.10"),
        ),
    ),
    "rack-added": Scenario(base=ESSONNE, after=(Edit("racks.yaml", "ids: 1-4", "ids: 1-5"),), racks=5),
    "rack-added-not-received": Scenario(base=ESSONNE, after=(Edit("racks.yaml", "ids: 1-4", "ids: 1-5"),)),
    "rack-removed": Scenario(base=ESSONNE, after=(Edit("racks.yaml", "ids: 1-4", "ids: 1-3"),), racks=3),
    "image-of-four-racks": Scenario(base=ESSONNE, images="2"),
    "firmware": Scenario(base=ESSONNE, after=(Edit(_FIRMWARE, "sbios: 02.04.12", "sbios: 02.05.06"),)),
    "mtu": Scenario(base=ESSONNE, after=(Edit("network.yaml", "mtu: 9000", "mtu: 9100"),)),
    "switch-system": Scenario(base=ESSONNE, after=(Edit("network.yaml", "switch_os: cumulus", "switch_os: sonic"),)),
    "spines-added": Scenario(
        base=ESSONNE,
        after=(
            Edit("network.yaml", "spines_per_plane: 14", "spines_per_plane: 15"),
            Edit("network.yaml", "spine_ids: 1-56", "spine_ids: 1-60"),
        ),
    ),
    "kubernetes-version": Scenario(
        base=ESSONNE, after=(Edit("cluster.yaml", "kubernetes: 1.36.3", "kubernetes: 1.36.4"),)
    ),
}
