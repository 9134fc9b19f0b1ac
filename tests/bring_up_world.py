"""A region of a few racks, and the simulated fleet that stands for its hardware, for tests of the bring-up."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.spec import Region, load
from components.spec.catalogue.firmware import Endpoint
from lab.fleet import behaviour, bundle, describe, description
from lab.fleet.scenario import Scenario
from stacks.bring_up import BringUpFiles
from tests.fleet_world import free_port
from tests.regions import REGIONS, ROOT

SERIES = "ess-r"
COMPRESSION = 1200.0
KINDS = ("power_shelf", "nvlink_switch", "dpu", "compute_tray")


@functools.cache
def essonne() -> Region:
    """The whole region."""
    return load(REGIONS / "essonne", REGIONS / "_catalogue", project=ROOT)


def region_of(racks: int) -> Region:
    """Essonne with its first racks only; enough for a bring-up, which knows nothing of switches and clusters."""
    region = essonne()
    return region.model_copy(update={"racks": region.racks[:racks]})


def calm(**more: Any) -> dict[str, Any]:
    """A scenario in which answers take few milliseconds and nothing goes wrong."""
    quick = {"latency_s": {"p50": 0.002, "p99": 0.01}}
    return {"seed": 7, "time": {"compression": COMPRESSION}, "kinds": dict.fromkeys(KINDS, quick), **more}


@dataclass
class Told:
    """What a bring-up told."""

    events: list[StepEvent] = field(default_factory=list[StepEvent])

    def __call__(self, event: StepEvent) -> None:
        self.events.append(event)

    def outcomes(self, endpoint: str) -> list[tuple[str, StepOutcome]]:
        """Of one endpoint, without beginnings."""
        return [(e.step, e.outcome) for e in self.events if e.endpoint == endpoint and e.outcome != "started"]

    def causes(self) -> Counter[str]:
        """Isolated endpoints by cause."""
        return Counter(e.cause for e in self.events if e.outcome is StepOutcome.ISOLATED)


class World:
    """The files of a region and the fleet's process."""

    def __init__(self, folder: Path, racks: int, scenario: Mapping[str, Any], *, seed: int = 1) -> None:
        self.folder = folder
        self.racks = racks
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._described = described = describe.describe(racks, seed=seed, series=SERIES, port=self.port)
        self.supplier = folder / "fleet.json"
        self.supplier.touch(0o600)
        self.supplier.write_text(description.dump(described))
        self.scenario = folder / "scenario.yaml"
        self.scenario.write_text(json.dumps(dict(scenario)))  # JSON is YAML
        self.compression = float(scenario["time"]["compression"])
        baseline = essonne().catalogue.baseline("dgx-gb200")
        assert baseline is not None
        bundle.write_bundle({kind: baseline.versions(kind) for kind in Endpoint}, folder / "firmware")
        self._process: subprocess.Popen[str] | None = None
        self._control = ""

    @property
    def region(self) -> Region:
        return region_of(self.racks)

    @property
    def files(self) -> BringUpFiles:
        return BringUpFiles(
            journal=self.folder / "journal.sqlite",
            supplier=self.supplier,
            passwords=self.folder / "passwords",
            firmware=self.folder / "firmware",
            nodes=self.folder / "nodes",
            ca=self.folder / "tls" / "ca.crt",
        )

    def start(self) -> None:
        """Start the fleet, or start it again where it was."""
        words = [sys.executable, "-m", "lab.fleet", "serve", "--description", str(self.supplier)]
        words += ["--scenario", str(self.scenario), "--tls", str(self.folder / "tls")]
        words += ["--state", str(self.folder / "state")]
        (self.folder / "state").mkdir(exist_ok=True)
        self._process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        self._control = ready["control"]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the fleet."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def ledger(self) -> dict[str, dict[str, int]]:
        """What was done to each endpoint, by count."""
        return self._get("ledger")

    def entries(self) -> list[dict[str, Any]]:
        """What was done, line by line."""
        return self._get("entries")["entries"]

    def totals(self) -> dict[str, float]:
        """Figures of the fleet."""
        return self._get("totals")

    def cpu_s(self) -> float:
        """Processor time of the fleet's process."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(f"{rack}/{place}" for rack, there in self._described.items() for place in there)

    def hit(self) -> dict[str, set[str]]:
        """Fault -> endpoints that the seed gives it to."""
        kinds = {f"{r}/{place}": e.kind for r, there in self._described.items() for place, e in there.items()}
        scenario = Scenario.model_validate(json.loads(self.scenario.read_text()))
        return {
            fault.fault: set(behaviour.hit_by(scenario.seed, number, fault, kinds))
            for number, fault in enumerate(scenario.faults)
        }

    def passwords(self) -> set[str]:
        """All of them: as delivered, and minted."""
        found = {e.bmc_password for there in self._described.values() for e in there.values()}
        for path in (self.folder / "passwords").glob("*.json"):
            found |= {each["password"] for each in json.loads(path.read_text()).values()}
        return found

    def minted(self, endpoint: str) -> str:
        """The password of the region for an endpoint."""
        path = self.folder / "passwords" / f"{endpoint.partition('/')[0]}.json"
        return json.loads(path.read_text())[endpoint]["password"]

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self._control}/{what}", timeout=30) as answer:  # noqa: S310  # loopback, http
            return json.load(answer)


@contextlib.contextmanager
def world(folder: Path, racks: int, scenario: Mapping[str, Any] | None = None) -> Generator[World]:
    """A fleet that runs, and is ended whatever happens."""
    made = World(folder, racks, scenario or calm())
    made.start()
    try:
        yield made
    finally:
        made.stop()
