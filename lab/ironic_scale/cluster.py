"""Ironic's processes: the API, and conductors in groups, each at a loopback address of its own.

Owns their configuration and their life. They find each other by the database and call each other by JSON-RPC:
there is no message broker.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from lab import shell
from lab.errors import LabError
from lab.ironic_scale.database import Database, serving
from lab.ironic_scale.processes import Running, running

_TEMPLATE = Path(__file__).with_name("ironic.conf.in")
_START_S = 240.0
_BIN = Path(sys.executable).parent
_POOL = (10, 20)
"""Connections to the database that a process keeps, and takes in addition while it needs them."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A conductor group."""

    name: str = ""
    """`row-a`, ...; the empty one takes nodes that name none."""
    conductors: int = 1
    hardware_types: str = "fake-hardware,redfish"
    python_path: Path | None = None
    """Where these conductors find packages before they look among the installed ones."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator sets of Ironic, as far as size depends on it. The defaults are Ironic's own."""

    groups: tuple[Group, ...] = (Group(),)
    api_workers: int = 1
    max_concurrent_deploy: int = 250
    per_group: bool = False
    """Whether that limit is of each group, and not of all Ironic."""
    workers: int = 300
    """Threads of a conductor."""
    sync_interval_s: int = 120
    """Seconds between two looks at all nodes' power; 0: never."""
    sync_workers: int = 8
    deploy_delay_s: str = "0"
    """Of each of the steps of a fake deployment: `N`, or `N,M` for a triangular distribution."""
    power_delay_s: str = "0"
    bios_interfaces: str = "no-bios"
    status_interval_s: int = 60
    """Seconds between two looks at a machine that Ironic waits for in a step."""
    connection_cache_size: int = 1000
    verify_ca: str = "True"
    """Authority of the BMCs' certificates: a file."""
    network: str = "127.72"
    """First half of the addresses."""

    @property
    def connections(self) -> int:
        """Connections that all processes together may have to the database, and some to look at it."""
        processes = sum(group.conductors for group in self.groups) + self.api_workers
        return processes * sum(_POOL) + 20


@dataclass(frozen=True)
class Cluster:
    """Ironic that serves."""

    url: str
    database: Database
    api: Running
    conductors: tuple[Running, ...]
    directory: Path

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far, by part."""
        return {
            "api": self.api.cpu_s,
            "conductors": sum(c.cpu_s for c in self.conductors),
            "database": self.database.server.cpu_s,
        }


@contextmanager
def temporary_folder() -> Generator[Path]:
    """A directory for a cluster, which the database's user can pass through to its own; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="ironic-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@contextmanager
def cluster(directory: Path, settings: Settings) -> Generator[Cluster]:
    """Ironic with an empty database, in a directory of its own; gone at the end."""
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711)  # the database's user passes through to its own directory
    ports = _free_port(f"{settings.network}.0.1"), _free_port(f"{settings.network}.1.1")
    with ExitStack() as stack:
        database = stack.enter_context(serving(directory / "db", connections=settings.connections))
        place = _Place(directory, settings, database.url, ports)
        api_config = place.configure("api", f"{settings.network}.0.1", Group())
        shell.run(
            shell.program("ironic-dbsync", _BIN),
            *("--config-file", api_config, "create_schema"),
            log=directory / "dbsync.log",
            env=_environment(),
        )
        conductors = tuple(
            place.start(stack, "ironic-conductor", f"conductor-{g}-{n}", f"{settings.network}.{g}.{n}", group)
            for g, group in enumerate(settings.groups, 1)
            for n in range(1, group.conductors + 1)
        )
        api = place.start(stack, "ironic-api", "api", f"{settings.network}.0.1", Group())
        made = Cluster(f"http://{settings.network}.0.1:{ports[0]}", database, api, conductors, directory)
        _wait(made)
        yield made


@dataclass(frozen=True)
class _Place:
    """Where the processes live."""

    directory: Path
    settings: Settings
    database: str
    ports: tuple[int, int]
    """Of the API, and of all conductors' JSON-RPC."""

    def configure(self, role: str, address: str, group: Group) -> Path:
        """Write the configuration file of a process."""
        values = {
            **vars(self.settings),
            "role": role,
            "address": address,
            "group": group.name,
            "hardware_types": group.hardware_types,
            "directory": self.directory,
            "database": self.database,
            "api_port": self.ports[0],
            "rpc_port": self.ports[1],
            "pool_size": _POOL[0],
            "pool_overflow": _POOL[1],
        }
        path = self.directory / f"{role}.conf"
        path.write_text(Template(_TEMPLATE.read_text()).substitute(values))
        return path

    def start(self, stack: ExitStack, program: str, role: str, address: str, group: Group) -> Running:
        """Start a process; it ends with the stack."""
        words = [sys.executable, shell.program(program, _BIN), "--config-file", self.configure(role, address, group)]
        log = self.directory / f"{role}.out"
        return stack.enter_context(running(role, words, log=log, env=_environment(group.python_path)))


def _environment(python_path: Path | None = None) -> dict[str, str]:
    own = {"PYTHONPATH": str(python_path)} if python_path else {}
    return {**own, "PATH": os.environ["PATH"], "HOME": str(Path.home()), "LC_ALL": "C.UTF-8"}


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as free:
        return free.getsockname()[1]


def _wait(made: Cluster) -> None:
    """Until every conductor has registered and the API answers."""
    end = time.monotonic() + _START_S
    while _registered(made) < len(made.conductors):
        for part in (*made.conductors, made.api):
            if part.process.poll() is not None:
                log = made.directory / f"{part.name}.out"
                raise LabError(f"Ironic's {part.name} ended", found=log.read_text()[-800:], remedy=f"read {log}")
        if time.monotonic() > end:
            raise LabError("Ironic does not start", remedy=f"read the logs in {made.directory}")
        time.sleep(0.2)


def _registered(made: Cluster) -> int:
    version = {"X-OpenStack-Ironic-API-Version": "1.49"}
    request = urllib.request.Request(f"{made.url}/v1/conductors", headers=version)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return sum(each["alive"] for each in json.load(answer)["conductors"])
    except OSError:
        return 0
