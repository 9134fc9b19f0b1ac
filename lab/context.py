"""One lab: where it keeps its things and how it is wired. What nearly every function here needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab import wiring
from lab.errors import LabError
from lab.home import RUN, Home, write_atomically
from lab.wiring import Machine, Switch, Wiring

_AS_BUILT = RUN / "wiring.json"


@dataclass(frozen=True)
class Lab:
    """A lab that is, or will be, on this machine."""

    home: Home
    wiring: Wiring

    @classmethod
    def load(cls, home: Home | None = None, wiring_file: Path | None = None) -> Lab:
        """The lab of this checkout, as its wiring file describes it."""
        home = home or Home.default()
        return cls(home, wiring.load(wiring_file or home.wiring))

    @classmethod
    def running(cls, home: Home | None = None) -> Lab:
        """The lab as it was last brought up, whatever happened to the wiring file since."""
        return cls.load(home, _AS_BUILT if _AS_BUILT.exists() else None)

    @staticmethod
    def is_described(home: Home) -> bool:
        """Whether any wiring is known; if none is, nothing was ever built from it."""
        return _AS_BUILT.exists() or home.wiring.exists()

    def write_as_built(self) -> None:
        """Keep the names that are used where `down` finds them, whatever happens to the wiring file."""
        if _AS_BUILT.exists():
            built = wiring.load(_AS_BUILT)
            gone = [*(set(built.device_names) - set(self.wiring.device_names))]
            gone += {e.port for e in built.edges} - {e.port for e in self.wiring.edges}
            if gone or built.oob != self.wiring.oob:
                raise LabError(
                    "the lab is up with another wiring, of which parts would be forgotten",
                    found=f"not in the new one: {', '.join(sorted(gone)) or 'its out-of-band network'}",
                    remedy="take it down first: python -m lab down",
                )
        write_atomically(_AS_BUILT, self.wiring.model_dump_json(), 0o644)

    def device(self, name: str) -> Switch | Machine:
        """A switch or machine by its name."""
        found = self.wiring.switch(name) or self.wiring.machine(name)
        if found is None:
            raise LabError(
                "there is no such device in this lab",
                found=name,
                allowed=", ".join(self.wiring.device_names),
            )
        return found
