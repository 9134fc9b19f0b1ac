"""The commands that a runbook tells its reader to run."""

from __future__ import annotations

import re

from tests.e2e.process import ROOT

PROGRAMS = ("curl", "kubectl", "pulumi", "python", "region", "ssh", "tail")


def steps(name: str, section: str = "Diagnosis") -> list[str]:
    """Commands in the numbered steps of a section, in order; those in tables are for single causes."""
    text = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()
    (body,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found: list[str] = []
    for line in body.splitlines():
        if not line.startswith("|"):
            found += [c for c in re.findall(r"`([^`]+)`", line) if c.split()[0] in PROGRAMS and " " in c]
    return found
