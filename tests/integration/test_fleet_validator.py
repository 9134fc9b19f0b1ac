"""The DMTF's Redfish service validator finds no failure in any kind of simulated endpoint.

It reads CSDL schemas and would load them from the DMTF's site. They come here from a package of the Rust registry
that carries the DMTF's and NVIDIA's (`nv-redfish-schema`), by cargo, and their digest is checked; nothing of it is
built or run. Without cargo the test is skipped and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.fleet.clock import Clock
from lab.fleet.describe import describe
from lab.fleet.fleet import Fleet
from lab.home import cache
from tests.fleet_world import DPU, SHELF, SWITCH, TRAY, Client, free_port, scenario, served
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LOCK = Path(__file__).parent / "redfish" / "validator.lock"
SCHEMAS = "0.22.1"
SCHEMAS_SHA256 = "9432e13940e99ee7ef07e53a67c1316d256eb37b1d38f8ab6689a543c03ab6bf"
"""Of the DMTF's files, one after another in the order of their names."""
KNOWN = ("/LeakDetection/LeakDetectors", "'Nvidia' contains a value for '@odata.type' that is not valid")
"""Warnings that the hardware would get too: it has the older place of leak detectors, and NVIDIA's schema of cable
cartridges does not derive from the type that it should."""


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all schemas."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is missing: the schemas come by it")
    project = tmp_path_factory.mktemp("schemas")
    (project / "src").mkdir()
    (project / "src" / "lib.rs").touch()
    manifest = '[package]\nname = "schemas"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n'
    (project / "Cargo.toml").write_text(f'{manifest}nv-redfish-schema = "={SCHEMAS}"\n')
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"], cwd=project, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    packages = json.loads(told.stdout)["packages"]
    found = Path(next(p["manifest_path"] for p in packages if p["name"] == "nv-redfish-schema")).parent
    files = sorted((found / "redfish-csdl" / "csdl").glob("*.xml"))
    assert hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest() == SCHEMAS_SHA256
    directory = project / "csdl"
    directory.mkdir()
    for file in (*files, *(found / "oem" / "nvidia").glob("*.xml")):
        shutil.copy(file, directory)
    return directory


@pytest.fixture(scope="module")
def validator() -> Path:
    """The validator, in an environment of its own: this project's has other versions of what it needs."""
    made = cache() / f"redfish-validator-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    program = made / "bin" / "rf_service_validator"
    if not program.exists():
        uv = str(ROOT / ".tools" / "uv" / "bin" / "uv")
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run([uv, "venv", "-q", made], check=True)
        install = [uv, "pip", "install", "-q", "--python", made / "bin" / "python", "--require-hashes", "-r", LOCK]
        subprocess.run(install, check=True)
    return program


def fill(client: Client) -> None:
    """One of each resource that comes and goes."""
    every = (0x10, 0x210, 0x310, 0x410)
    assert client.push(dict.fromkeys(every, "25.08-9"))[0] == 202
    subscription = {"Destination": "https://192.0.2.1/events", "Protocol": "Redfish"}
    assert client.post("/redfish/v1/EventService/Subscriptions", subscription) == 201
    login = {"UserName": "root", "Password": client.password}
    assert client.post("/redfish/v1/SessionService/Sessions", login) == 201


@pytest.mark.parametrize("name", [TRAY, DPU, SWITCH, SHELF])
async def test_the_validator_finds_no_failure(name: str, schemas: Path, validator: Path, tmp_path: Path) -> None:
    fleet = Fleet(describe(1, port=free_port()), scenario(), clock=Clock(1))
    entry = fleet.endpoints[name].entry
    fill(Client(fleet, name))
    async with served(fleet):
        words = ["--user", entry.bmc_username, "--password", entry.bmc_password, "--authtype", "Basic"]
        words += ["--rhost", f"http://{entry.bmc_address}:{entry.bmc_port}", "--skipschema"]
        words += ["--schema_directory", str(schemas), "--logdir", str(tmp_path)]
        process = await asyncio.create_subprocess_exec(
            validator, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
        )
        told = (await process.communicate())[0].decode()
    log = "".join(file.read_text() for file in tmp_path.rglob("*.log"))  # noqa: ASYNC240  # small, local
    passed = re.search(r"PASS.*?\n.*?\n\|\s+(\d+)", told)
    assert passed, told[-2000:]
    assert int(passed[1]) > 500, "the validator saw only a part of the service"
    wrong = [line for line in log.splitlines() if re.search(r"\b(FAIL|WARN|ERROR) - ", line)]
    assert not [line for line in wrong if not any(known in line for known in KNOWN)]
