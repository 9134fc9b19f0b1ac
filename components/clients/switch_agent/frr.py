"""FRR on this switch: what runs, what would differ, the sessions, and the loading of a configuration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import files
from .files import Refused

FRR_RELOAD = "/usr/lib/frr/frr-reload.py"
DAEMONS = {"bgpd": re.compile(r"^router bgp ", re.M), "bfdd": re.compile(r"^bfd$", re.M)}
"""Daemon -> line that needs it."""
RELOAD_PASSES = 2
"""frr-reload deletes in its order, not in that of references: `no bfd` is without effect while BGP still uses it."""


def run(*argv: str) -> tuple[int, str, str]:
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def running() -> str:
    """The running configuration, as FRR prints it and as frr-reload reads it."""
    code, out, err = run("vtysh", "-c", "show running-config")
    if code:
        raise Refused(f"vtysh: {(err or out).strip()}")
    lines = out.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("frr version")), 0)
    return "\n".join(lines[start:]) + "\n"


def startup() -> str:
    """What the next boot would load; a switch from the factory may have no file at all."""
    return files.CONFIG.read_text() if files.CONFIG.exists() else ""


def frr_reload(mode: str, path: Path) -> tuple[int, str, str]:
    # Unless the file is CONFDIR/frr.conf, `--reload` ends with "write memory", even after a failure: an unconfirmed
    # candidate would become the startup configuration. So it gets a CONFDIR of its own. vtysh.conf must be there
    # too, else `service integrated-vtysh-config` counts as a difference.
    confdir = files.VOLATILE / "confdir"
    (confdir / "run").mkdir(parents=True, exist_ok=True)
    shutil.copy(files.CONFIG.with_name("vtysh.conf"), confdir)
    target = confdir / "frr.conf"
    shutil.copy(path, target)
    places = ("--bindir", "/usr/bin", "--confdir", str(confdir), "--rundir", str(confdir / "run"))
    return run(sys.executable, FRR_RELOAD, *places, *mode.split(), str(target))


def delta(path: Path, runs: str = "") -> list[str]:
    """Lines that would go (`- `) and come (`+ `), each with its context; nothing is changed."""
    present = {line.strip() for line in runs.splitlines()}
    code, out, err = frr_reload("--test", path)
    if code or "ERROR" in err or "Traceback" in err:
        raise Refused(f"frr-reload --test ended with {code}: {err.strip()[-600:]}")
    found: list[str] = []
    sign = ""
    for line in out.splitlines():
        if line.startswith(("Lines To Delete", "Lines To Add")):
            sign = "-" if "Delete" in line else "+"
        elif not sign or not line.strip() or line.startswith("==="):
            continue
        elif line.startswith(" ") and found:
            found[-1] += " / " + line.strip()
        else:
            # frr-reload counts the removal of some lines, such as prefix lists, among what it adds
            goes = line.startswith("no ") and line.strip()[3:] in present
            found.append(f"{'-' if goes else sign} {line.strip()}")
    return [block for block in found if not re.search(r"(^[+-]| /) (exit|exit-\S+|end)$", block)]


def profile(text: str) -> str:
    match = re.search(r"^frr defaults (\S+)", text, re.M)
    return match[1] if match else "traditional"


def load(path: Path, runs: str) -> str:
    """Make the running configuration equal to the file, and prove it; returns what runs then."""
    text = path.read_text()
    if profile(text) != profile(runs):
        # frr-reload leaves this line alone, and it decides the meaning of all the lines that do not print
        run("vtysh", "-c", "configure terminal", "-c", f"frr defaults {profile(text)}")
    code, out, err, left = 0, "", "", [""]
    for _ in range(RELOAD_PASSES):
        code, out, err = frr_reload("--reload --stdout", path)
        left = delta(path)  # exit code 0 does not mean that everything was taken
        if not left:
            break
    runs = running()
    if code or left or profile(text) != profile(runs):
        said = [line.strip() for line in (out + err).splitlines() if "%" in line or "rror" in line]
        raise Refused(f"not taken cleanly (exit {code})", left=left[:20], said=said[:6])
    return runs


def syntax(text: str, path: Path) -> None:
    code, out, err = run("vtysh", "-C", "-f", str(path))
    bad = [line.strip() for line in (out + err).splitlines() if line.strip()]
    if code or bad:
        number = next((int(m[1]) for line in bad if (m := re.search(r"line (\d+)", line))), 0)
        lines = text.splitlines()
        line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        raise Refused("; ".join(bad) or f"vtysh ended with {code}", line_number=number, line=line)


def missing_daemons(text: str) -> list[str]:
    _, out, _ = run("vtysh", "-c", "show daemons")
    return [name for name, needs in DAEMONS.items() if needs.search(text) and name not in out.split()]


def first_json(text: str, opening: str) -> Any:
    """The first JSON value that begins with `opening` at the start of a line; empty if there is none.

    Two `show`s in one vtysh print two values, or prose in place of one where a daemon has no such instance.
    """
    start = re.search(rf"^\{opening}", text, re.M)
    if start is None:
        return json.loads({"{": "{}", "[": "[]"}[opening])
    return json.JSONDecoder().raw_decode(text, start.start())[0]


def look() -> dict[str, Any]:
    """Sessions by port. A switch without BGP or BFD has none."""
    _, out, _ = run("vtysh", "-c", "show bfd peers json", "-c", "show bgp ipv4 unicast summary json")
    watched: list[dict[str, str]] = first_json(out, "[")
    peers: dict[str, dict[str, Any]] = first_json(out, "{").get("peers", {})
    return {
        "sessions": {
            port: {
                "state": p["state"],
                "starts": p.get("connectionsEstablished", 0),
                "uptime_ms": p.get("peerUptimeMsec", 0),
                "prefixes": p.get("pfxRcd", 0),
            }
            for port, p in peers.items()
        },
        "bfd": {p.get("interface") or p["peer"]: p["status"] for p in watched},
    }
