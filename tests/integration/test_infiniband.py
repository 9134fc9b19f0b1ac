"""The planned InfiniBand, played by ibsim and routed by a real OpenSM; no hardware and no privilege is needed.

Debian's packages are unpacked, not installed: an installed OpenSM would start by itself, and where a machine
has an adapter it would take charge of a real network.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.plan.networks.discovered import Differences, compare
from components.plan.renders import RENDERS
from components.plan.renders.infiniband import guid_files
from lab import shell
from lab.images import debian
from tests.networks import compute_of, plan_of, region_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PACKAGES = ("ibsim-utils", "infiniband-diags", "opensm")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
NOTHING = Differences(missing=(), unplanned=())


@dataclass(frozen=True)
class Simulator:
    """A network that ibsim plays, and programs that see it in the place of the kernel's."""

    root: Path
    """Where the packages are unpacked."""
    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": str(self.root / LIBRARIES),
            "OSM_TMP_DIR": str(self.folder),
            "OSM_CACHE_DIR": str(self.folder),
            "IBSIM_SOCKNAME": f"gpuregion-{os.getpid()}",
        }

    @contextmanager
    def plays(self, topology: str) -> Generator[None]:
        """The network is there meanwhile."""
        (self.folder / "topology.net").write_text(topology)
        limits = ("-N", "16384", "-S", "2048", "-P", "262144")
        with (self.folder / "ibsim.log").open("w") as log:
            child = subprocess.Popen(
                [self.root / "usr/bin/ibsim", "-s", *limits, "topology.net"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            assert child.stdout
            # Its prompt follows when the network is built.
            said = ""
            while not said.endswith("sim> ") and (more := child.stdout.read(1)):
                said += more
            assert said.endswith("sim> "), said
            yield
        finally:
            child.kill()
            child.communicate()

    def run(self, program: str, *arguments: str) -> str:
        """Output of a program of InfiniBand, which takes the simulation for the kernel."""
        preloaded = {"LD_PRELOAD": str(self.root / LIBRARIES / "umad2sim/libumad2sim.so")}
        done = subprocess.run(
            [self.root / "usr/sbin" / program, *arguments],
            cwd=self.folder,
            env={**self.environment, **preloaded},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def route(self) -> str:
        """OpenSM's log of one sweep with the configuration of the folder."""
        log = self.folder / "opensm.log"
        said = self.run("opensm", "--once", "--config", "opensm.conf", "--log_file", str(log), "-D", "0x03")
        assert "nrecognized" not in said, said
        return log.read_text()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs, unpacked."""
    folder = tmp_path_factory.mktemp("infiniband")
    status = Path("/var/lib/dpkg/status")
    archives = debian.fetch(PACKAGES, status, "an InfiniBand simulator", print, folder / "fetch.log")
    for archive in sorted(archives.glob("*.deb")):
        shell.run("dpkg-deb", "-x", archive, folder / "root")
    return folder / "root"


def files_of(racks: Iterable[int], folder: Path) -> str:
    """The topology of Essonne's first island with these racks; what OpenSM reads is put into the folder."""
    plan = plan_of(region_of("essonne", list(racks)))
    files = dict(RENDERS["infiniband"].files(plan))
    (folder / "opensm.conf").write_text(files["island-1/opensm.conf"])
    return files["island-1/topology.net"]


def learn(simulator: Simulator, found: str) -> None:
    """What an operator does when hardware is there: GUIDs of switches, by their names."""
    guids = {
        name: int(guid, 16) for guid, name in re.findall(r'^Switch\s+\d+ "S-([0-9a-f]+)"\s+# "([^"]+)"', found, re.M)
    }
    island = [s for s in compute_of(plan_of(region_of("essonne", range(1, 17)))).switches if s.name in guids]
    for name, text in guid_files(island, guids):
        (simulator.folder / name).write_text(text)


def test_opensm_routes_two_units_as_a_fat_tree_and_every_link_is_found_where_it_was_planned(
    root: Path, tmp_path: Path
) -> None:
    simulator = Simulator(root, tmp_path)
    topology = files_of(range(1, 17), tmp_path)
    with simulator.plays(topology):
        learn(simulator, simulator.run("ibnetdiscover"))
        log = simulator.route()
        assert "ftree tables configured on all switches" in log
        assert "FatTree rank (roots to leaf switches): 3" in log
        assert "SUBNET UP" in log
        found = simulator.run("ibnetdiscover", "--node-name-map", "node_names.txt")
        assert compare(topology, found) == NOTHING
        # One leaf joins what is of one rail and rack; another unit is beyond a core.
        assert switches_between(simulator, found, "ess-r001-t01 mlx5_0", "ess-r001-t02 mlx5_0") == ["leaf"]
        assert switches_between(simulator, found, "ess-r001-t01 mlx5_0", "ess-r002-t01 mlx5_0") == [
            "leaf",
            "spine",
            "leaf",
        ]
        beyond = switches_between(simulator, found, "ess-r001-t01 mlx5_0", "ess-r016-t18 mlx5_5")
        assert beyond == ["leaf", "spine", "core", "spine", "leaf"]


def test_a_cable_in_a_wrong_port_is_named(root: Path, tmp_path: Path) -> None:
    simulator = Simulator(root, tmp_path)
    topology = files_of(range(1, 17), tmp_path)
    a, b = '"essonne-ib-u01-rail0-leaf1"[33]\n', '"essonne-ib-u01-rail0-leaf1"[36]\n'
    spine1, spine2 = '[33] "essonne-ib-u01-rail0-spine1"[1]', '[36] "essonne-ib-u01-rail0-spine2"[1]'
    wrong = topology.replace(a, "@").replace(b, a).replace("@", b)
    wrong = (
        wrong.replace(spine1, spine1.replace("33", "@"))
        .replace(spine2, spine2.replace("36", "33"))
        .replace("[@]", "[36]")
    )
    with simulator.plays(wrong):
        found = compare(topology, simulator.run("ibnetdiscover"))
    leaf = "essonne-ib-u01-rail0-leaf1"
    assert found.missing == (
        ((leaf, 33), ("essonne-ib-u01-rail0-spine1", 1)),
        ((leaf, 36), ("essonne-ib-u01-rail0-spine2", 1)),
    )
    assert found.unplanned == (
        ((leaf, 33), ("essonne-ib-u01-rail0-spine2", 1)),
        ((leaf, 36), ("essonne-ib-u01-rail0-spine1", 1)),
    )


@pytest.mark.nightly
def test_opensm_routes_a_whole_island_of_128_racks(root: Path, tmp_path: Path) -> None:
    simulator = Simulator(root, tmp_path)
    topology = files_of(range(1, 129), tmp_path)
    with simulator.plays(topology):
        assert "SUBNET UP" in simulator.route()
        assert compare(topology, simulator.run("ibnetdiscover")) == NOTHING


def switches_between(simulator: Simulator, found: str, source: str, target: str) -> list[str]:
    """Tiers of the switches on the route that OpenSM has set."""
    lids: dict[str, str] = dict(re.findall(r'# "([^"]+)" lid (\d+) 4x', found))
    trace = simulator.run("ibtracert", lids[source], lids[target])
    return re.findall(r'-> switch port .*?"\S+-(leaf|spine|core)\d+"', trace)
