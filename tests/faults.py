"""Seeded faults: what is wrong in a copy of a region, and the rule that must name it. They are data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, TypeAdapter
from ruamel.yaml import YAML

from tests.regions import ROOT

FAULTS = ROOT / "tests" / "fixtures" / "faults"


class Edit(BaseModel):
    """Text that is replaced in one file; without `old` the file is written anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    """Of the region; or of the catalogue, or of the project, where it begins so."""
    old: str = ""
    new: str


class Fault(Edit):
    """One seeded fault."""

    rule: str
    region: str
    folder: str = ""
    """Name of the region's folder, where it is another one."""
    also: tuple[Edit, ...] = ()
    """What must be changed with it, to break nothing else."""
    says: str = ""
    """What the operator must read."""

    @property
    def name(self) -> str:
        return f"{self.region}-{self.rule}"


def faults() -> list[Fault]:
    """All of them, of all files."""
    found: list[Fault] = []
    for path in sorted(FAULTS.glob("*.yaml")):
        rows = YAML(typ="safe").load(path.read_text())
        found += TypeAdapter(list[Fault]).validate_python([{"region": path.stem, **row} for row in rows])
    return found
