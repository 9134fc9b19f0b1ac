"""The simulated fleet as a process of its own, with all that a bring-up is given of it.

Owns its folder: description, certificates, firmware packages, state. `lab` is no part of what runs in production, so it
is started as the program that it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML, YAMLError

from components.errors import DeviceError, Problem, RegionError, SpecError
from components.spec.catalogue.firmware import FirmwareBaseline
from components.spec.region import Region
from stacks.project import ROOT

READY_S = 120.0
STOP_S = 30.0


class Simulator:
    """`with Simulator(...)`: it serves inside, and is stopped at the end."""

    def __init__(self, folder: Path, scenario: Path, region: Region) -> None:
        self.folder, self._scenario = folder, scenario
        self.racks = [r.name for r in region.racks if (profile := region.profile(r)) and profile.bring_up]
        self._baseline = _baseline(region)
        self._pid = 0
        self._digest = hashlib.sha256(scenario.read_bytes()).hexdigest()
        self.compression = _compression(scenario)

    @property
    def supplier(self) -> Path:
        """The supplier's list: the description of the fleet."""
        return self.folder / "fleet.json"

    @property
    def firmware(self) -> Path:
        """Directory of the bundle's packages."""
        return self.folder / "firmware"

    @property
    def ca(self) -> Path:
        """Certificate of the authority of its BMCs."""
        return self.folder / "tls" / "ca.crt"

    def __enter__(self) -> Simulator:
        self._refuse_other_scenario()
        if not self.supplier.is_file():
            self._describe()
        self._make_packages()
        self._pid = self._running() or self._start()
        self._kept.write_text(self._digest)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        _wait_for_end(self._pid)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        """Says which process serves: a run that was killed leaves its simulator behind, and the next one finds it."""
        return self.folder / "serving.json"

    @property
    def _kept(self) -> Path:
        """Digest of the scenario that was served: a file that was refused may still be put right."""
        return self.folder / "scenario.sha256"

    def _refuse_other_scenario(self) -> None:
        if self._kept.is_file() and self._kept.read_text() != self._digest:
            raise SpecError(
                "the scenario is not the one that these machines have lived by",
                [
                    Problem(
                        path=str(self._scenario),
                        message="the file was changed since the fleet's first start",
                        remedy=f"give it another name, or forget the fleet: rm -r {self.folder}",
                    )
                ],
            )

    def _describe(self) -> None:
        names = [re.fullmatch(r"(.+?)(\d{3,})", name) for name in self.racks]
        found = [(m[1], int(m[2])) for m in names if m]
        series, first = found[0] if found else ("", 0)
        if not found or len(found) < len(self.racks) or found != [(series, first + n) for n in range(len(found))]:
            raise SpecError(
                "a simulated fleet is one series of racks without gaps",
                [
                    Problem(
                        path="racks",
                        message="the racks that have a bring-up are not such a series",
                        found=", ".join(self.racks[:3]) or "none",
                        allowed="one series with a bring-up in its profile",
                    )
                ],
            )
        # Fleets of other scenarios may serve beside this one; ephemeral ports lie higher.
        port = 20_000 + int(hashlib.sha256(str(self.folder).encode()).hexdigest(), 16) % 10_000
        draft = self.folder / "fleet.json.new"
        self._fleet(
            "describe",
            "--racks",
            str(len(found)),
            "--series",
            series,
            "--first",
            str(first),
            "--port",
            str(port),
            "--out",
            str(draft),
        )
        draft.rename(self.supplier)

    def _make_packages(self) -> None:
        versions = self.folder / "versions.json"
        kinds = self._baseline.inventory
        versions.write_text(json.dumps({kind: dict(self._baseline.versions(kind)) for kind in kinds}, indent=1) + "\n")
        self._fleet("bundle", "--versions", str(versions), "--out", str(self.firmware))

    def _fleet(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "lab.fleet", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise _failed(f"`lab.fleet {words[0]}` ended with {done.returncode}", done.returncode, done.stderr)

    def _running(self) -> int:
        """The process that a killed run left behind; 0 if there is none."""
        try:
            noted = cast("dict[str, Any]", json.loads(self._note.read_text()))
            pid = int(noted["pid"])
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, KeyError):
            return 0
        return pid if str(self.supplier).encode() in words else 0

    def _start(self) -> int:
        log = self.folder / "simulator.log"
        command = [sys.executable, "-m", "lab.fleet", "serve", "--description", str(self.supplier)]
        command += ["--scenario", str(self._scenario)]
        command += ["--tls", str(self.folder / "tls"), "--state", str(self.folder / "state")]
        with log.open("ab") as errors:
            before = errors.tell()
            # A session of its own: Ctrl-C is for the run, which needs its machines until it has ended.
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        self._note.write_text(json.dumps({"pid": process.pid}) + "\n")
        assert process.stdout  # noqa: S101
        readable, _, _ = select.select([process.stdout], [], [], READY_S)
        if readable and process.stdout.readline():
            return process.pid
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S if readable else 0)  # one whose output ended ends by itself, and says why by its code
        process.kill()
        said = log.read_bytes()[before:].decode(errors="replace")
        raise _failed("the simulator does not serve", process.wait(), said)


def _wait_for_end(pid: int) -> None:
    """Until the process is gone; one that does not go is killed. A run's own child is reaped by it."""
    deadline = time.monotonic() + STOP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _compression(scenario: Path) -> float:
    """How much faster than real ones these machines are."""
    yaml: Any = YAML(typ="safe", pure=True)
    try:
        read = cast("dict[str, dict[str, float]]", yaml.load(scenario.read_text()) or {})
        return float(read["time"]["compression"])
    except KeyError:
        return 1.0
    except (YAMLError, TypeError, ValueError):
        return 1.0  # the simulator says what is wrong with the file


def _baseline(region: Region) -> FirmwareBaseline:
    for rack in region.racks:
        profile = region.profile(rack)
        baseline = region.catalogue.baseline(profile.firmware or "") if profile and profile.bring_up else None
        if baseline is not None:
            return baseline
    raise SpecError(
        "nothing of this region can be brought up",
        [
            Problem(
                path=region.region,
                message="no rack has a profile with a bring-up and a firmware bundle",
                found=", ".join(sorted({rack.profile for rack in region.racks})),
                allowed="profiles that name `bring_up` and `firmware` in stacks/regions/_catalogue/racks",
                remedy="docs/guides/bring-up.md says what both hold",
            )
        ],
    )


def _failed(message: str, code: int, said: str) -> RegionError:
    """What `lab.fleet` ended with: by its exit code what it was given is wrong, or it could not do it."""
    kind = SpecError if code == SpecError.exit_code else DeviceError
    problem = Problem(path="lab.fleet", message=message, found=said.strip()[-2000:] or None)
    return kind("there is no simulated fleet", [problem])
