"""The BMCs as a server of the lab."""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request
from pathlib import Path

from lab.bmc.server import PORT
from lab.context import Lab
from lab.services import pki
from lab.services.service import Service


def service(lab: Lab) -> Service:
    """One process for all BMCs."""
    return Service(
        name="bmc",
        title="BMCs of the machines (Redfish)",
        argv=(sys.executable, "-m", "lab.bmc.server"),
        env={"LAB_HOME": str(lab.home.path), "PATH": os.environ["PATH"], "HOME": str(Path.home())},
        depends_on=(*pki.certificate(lab.home, "bmc"), lab.home.secrets / "bmc.json", lab.home.wiring),
        listens=tuple((machine.bmc_address, PORT) for machine in lab.wiring.machines),
        ready=lambda: all(_answers(lab, str(machine.bmc_address)) for machine in lab.wiring.machines),
    )


def _answers(lab: Lab, address: str) -> bool:
    context = ssl.create_default_context(cafile=str(pki.authority(lab.home)))
    with urllib.request.urlopen(f"https://{address}:{PORT}/redfish/v1", timeout=3, context=context) as answer:
        return answer.status == 200
