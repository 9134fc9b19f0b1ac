"""Where a lab keeps its things, and whose lab this machine runs.

A machine has one set of interface names and one `/run`, so it runs one lab. The checkout that
owns it is named in `/run/gpuregion-lab/owner.json`; another checkout is refused while that lab lives
(`lab.down.take_over`). A lock beside it makes `up` and `down` wait for nobody and harm nobody: the second
one is told who holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

RUN = Path("/run/gpuregion-lab")
PROJECT = Path(__file__).resolve().parent.parent


def cache() -> Path:
    """Content-addressed store shared by all checkouts of this user."""
    return Path(os.environ.get("GPUREGION_CACHE") or Path.home() / ".cache" / "gpuregion").absolute()


@dataclass(frozen=True, kw_only=True)
class Home:
    """Directories of one lab."""

    path: Path
    """Runtime state: disks, logs, certificates, secrets. `$LAB_HOME`, by default `.lab` of the checkout."""

    @classmethod
    def default(cls) -> Home:
        """The lab of this checkout."""
        return cls(path=Path(os.environ.get("LAB_HOME") or PROJECT / ".lab").absolute())

    @property
    def wiring(self) -> Path:
        return self.path / "wiring.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def pki(self) -> Path:
        return self.path / "pki"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def services(self) -> Path:
        """Configuration and data of the services, one directory each."""
        return self.path / "services"

    @property
    def switches(self) -> Path:
        return self.path / "switches"

    @property
    def http(self) -> Path:
        """What the images server (port 8080) serves: `images/`, `manifests/`."""
        return self.path / "http"

    @property
    def apt(self) -> Path:
        """What the apt server (port 8081) serves."""
        return self.path / "apt"

    @property
    def tools(self) -> Path:
        """Pinned programs that the toolchain made."""
        return PROJECT / ".tools" / "bin"

    def make(self) -> None:
        """Create the directories that everything else presumes."""
        for directory in (self.path, self.logs, self.pki, self.services, self.switches, self.http, self.apt):
            directory.mkdir(parents=True, exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def locked() -> Generator[None]:
    """Hold the machine's lab lock, or fail at once and name the holder."""
    path = RUN / "lock"
    while True:
        RUN.mkdir(parents=True, exist_ok=True)
        try:
            handle = path.open("a+")
        except FileNotFoundError:
            continue  # `down` removed the directory between the two lines
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                raise LabError(
                    "another lab command is running",
                    found=f"process {handle.read().strip() or 'unknown'} holds {path}",
                    remedy="wait for it to end, or stop it, and run this again",
                ) from None
            if not path.exists() or not os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                continue  # `down` removed the file that we waited for
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield
            return


def owner() -> Path | None:
    """Home of the lab that this machine runs, if any."""
    try:
        return Path(json.loads((RUN / "owner.json").read_text())["home"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def claim(home: Home) -> None:
    """Write down that this machine's lab is ours. Whoever does has asked `lab.down.take_over` before."""
    write_atomically(RUN / "owner.json", json.dumps({"home": str(home.path)}) + "\n")


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file so that a reader, or a crash, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        os.fchmod(descriptor, mode)
    draft.replace(path)
