"""The commands that a runbook tells its reader to run."""

from __future__ import annotations

import re

from tests.e2e.process import ROOT, run

PROGRAMS = ("curl", "kubectl", "losetup", "pulumi", "python", "region", "ss", "ssh", "tail")


def steps(name: str, section: str = "Diagnosis") -> list[str]:
    """Commands of a section in order, as they stand there; those in tables are for single causes."""
    text = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()
    (body,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found: list[str] = []
    is_script = False
    for line in body.splitlines():
        if line.strip().startswith("```"):
            is_script = not is_script
        elif is_script:
            found.append(line.strip())
        elif not line.lstrip().startswith("|"):
            found += [c for c in re.findall(r"`([^`]+)`", line) if c.split()[0] in PROGRAMS and " " in c]
    return [command for command in dict.fromkeys(found) if command]


def diagnose(name: str) -> dict[str, str]:
    """What each command of the diagnosis shows. None may fail but those whose code tells of the failure itself."""
    shown: dict[str, str] = {}
    for command in steps(name):
        tells = re.search("region (verify|service explain)|systemctl status", command)
        done = run("sh", "-c", command, expect=(0, 1, 3) if tells else (0,))
        shown[command] = done.stdout + done.stderr
    return shown
