"""An endpoint of a simulated fleet costs little memory."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.regions import ROOT

KIB_EACH = 60
ENDPOINTS = 2000
PROGRAM = f"""
import base64, json, resource
from pathlib import Path
from lab.fleet.describe import describe
from lab.fleet.fleet import Fleet, Request
from lab.fleet.scenario import Scenario

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024

describe(1)
before = rss()
fleet = Fleet(describe({ENDPOINTS} // 71 + 1), Scenario(factory_password_must_change=False))
idle = rss()
for endpoint in fleet.endpoints.values():
    secret = base64.b64encode(f"root:{{endpoint.entry.bmc_password}}".encode()).decode()
    path = f"/redfish/v1/Systems/{{endpoint.hardware.computer.id}}/Actions/ComputerSystem.Reset"
    asked = Request("POST", path, {{"authorization": f"Basic {{secret}}"}}, b'{{"ResetType": "PowerCycle"}}')
    assert fleet.handle(endpoint, asked).status == 204
count = len(fleet.endpoints)
print(json.dumps({{"idle": (idle - before) / count, "used": (rss() - before) / count}}))
"""


def test_an_endpoint_costs_a_few_kilobytes_of_the_sixty_that_it_may() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    kib = json.loads(done.stdout)
    assert kib["idle"] < 10, kib
    assert kib["used"] < KIB_EACH / 2, kib
