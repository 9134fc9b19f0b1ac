#!/usr/bin/env python3
"""Runs on a switch: transactional configuration of FRR. Owns the switch's side of a commit, nothing of the fabric.

The controller uploads this file and calls it over SSH; it uses the standard library only. Candidates come on
standard input, answers leave as one JSON object on standard output.

    state                          pending commit, digests of the configurations
    check                          < candidate: syntax, lines that would change, lines changed by hand
    apply ID OWNER SECONDS BASE    < candidate: change the lines; taken back unless confirmed within SECONDS
    look                           BGP and BFD sessions
    confirm ID                     keep the lines: only now do they become the startup configuration
    rollback ID WHY                take the lines back now
    survey                         < planned configuration: check, look and the kernel's routes in one answer
    factory                        the configuration from before the first commit

The startup configuration is written at confirm only, so a switch that reboots before has rolled back.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/frr/frr.conf")
VOLATILE = Path("/run/gpuregion")
"""Gone after a reboot, and with it any pending commit: the startup configuration is still the old one."""
KEPT = Path("/var/lib/gpuregion")
LOG = Path("/var/log/gpuregion-commit.log")
FRR_RELOAD = "/usr/lib/frr/frr-reload.py"
DAEMONS = {"bgpd": re.compile(r"^router bgp ", re.M), "bfdd": re.compile(r"^bfd$", re.M)}
"""Daemon -> line that needs it."""
ROLLBACK_TRIES = 5
RELOAD_PASSES = 2
"""frr-reload deletes in its order, not in that of references: `no bfd` is without effect while BGP still uses it."""


class Refused(Exception):
    """The switch does not do it; the text says why."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run(*argv: str) -> tuple[int, str, str]:
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def write(path: Path, text: str) -> None:
    """Whole or not at all, also after a power cut."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    if path == CONFIG:
        owner = path.parent.stat()  # FRR's own user must be able to read it
        os.chown(new, owner.st_uid, owner.st_gid)
    new.chmod(0o640)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def log(text: str) -> None:
    with LOG.open("a") as f:
        f.write(f"{time.strftime('%FT%TZ', time.gmtime())} {text}\n")


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
    return CONFIG.read_text() if CONFIG.exists() else ""


def frr_reload(mode: str, path: Path) -> tuple[int, str, str]:
    # Unless the file is CONFDIR/frr.conf, `--reload` ends with "write memory", even after a failure: an unconfirmed
    # candidate would become the startup configuration. So it gets a CONFDIR of its own. vtysh.conf must be there
    # too, else `service integrated-vtysh-config` counts as a difference.
    confdir = VOLATILE / "confdir"
    (confdir / "run").mkdir(parents=True, exist_ok=True)
    shutil.copy(CONFIG.with_name("vtysh.conf"), confdir)
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


def accepted() -> str | None:
    """What was confirmed last; None on a switch that was never configured by this program."""
    path = KEPT / "accepted.conf"
    return path.read_text() if path.exists() else None


def is_as_confirmed(runs: str) -> bool:
    """Whether the running configuration is, to the letter, the one that was proven at the last confirm."""
    path = KEPT / "running.sha256"
    return accepted() is not None and path.exists() and path.read_text() == digest(runs)


def pending() -> dict[str, Any] | None:
    path = VOLATILE / "pending.json"
    return json.loads(path.read_text()) if path.exists() else None


def public(commit: dict[str, Any] | None) -> dict[str, Any] | None:
    if commit is None:
        return None
    now = time.monotonic()
    shown = {k: commit[k] for k in ("id", "owner", "candidate_sha256", "before")}
    previous = (VOLATILE / "previous.conf").read_text()
    return {**shown, "previous": previous, "remaining_s": commit["until"] - now}


def mine(commit_id: str) -> dict[str, Any]:
    commit = pending()
    if commit is None or commit["id"] != commit_id:
        raise Refused(f"commit {commit_id} is not pending here", pending=commit and commit["id"])
    return commit


def state() -> dict[str, Any]:
    kept = accepted()
    return {
        "agent": digest(Path(__file__).read_text()),
        "pending": public(pending()),
        "startup_sha256": digest(startup()),
        "accepted_sha256": None if kept is None else digest(kept),
    }


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


def check(text: str) -> dict[str, Any]:
    candidate = VOLATILE / "check.conf"
    write(candidate, text)
    kept, boots, runs = accepted(), startup(), running()
    differs: list[str] = []
    drift: list[str] = []
    if text != kept or not is_as_confirmed(runs):
        syntax(text, candidate)
        if absent := missing_daemons(text):
            raise Refused(f"{', '.join(absent)} does not run", daemons=absent)
        differs = delta(candidate, runs)
    if differs and not is_as_confirmed(runs):  # a configuration that is already as planned needs no blame
        if kept == text:
            drift = differs
        elif kept is not None:
            write(VOLATILE / "base.conf", kept)
            drift = delta(VOLATILE / "base.conf", runs)
        elif re.search(r"^router ", runs, re.M):
            drift = [line for line in differs if line.startswith("-")]
    return {
        **state(),
        **look(),
        "delta": differs,
        "drift": drift,
        "running": runs,
        "fresh": kept is None,
        "rewrite": boots != text or kept != text,
    }


def take_back(commit: dict[str, Any], why: str) -> dict[str, Any]:
    began = time.monotonic()
    load(VOLATILE / "previous.conf", running())
    (VOLATILE / "pending.json").unlink()
    log(f"{commit['id']} rolled back: {why}")
    return {"rolled_back": commit["id"], "seconds": time.monotonic() - began}


def arm_timer(commit: dict[str, Any]) -> None:
    """A process of its own that outlives the SSH session and the controller."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, 256)  # the lock is among them
    agent = [sys.executable, str(Path(__file__).resolve()), "rollback", commit["id"], "not confirmed in time"]
    tries = 0
    while tries < ROLLBACK_TRIES:
        now = pending()
        if now is None or now["id"] != commit["id"]:
            break
        left = commit["until"] - time.monotonic()
        if left <= 0:
            tries += 1
            subprocess.run(agent, capture_output=True)
        time.sleep(min(1.0, max(0.05, left)) if left > 0 else 1.0)
    os._exit(0)


def apply(text: str, commit_id: str, owner: str, seconds: str, base: str) -> dict[str, Any]:
    began = time.monotonic()
    if waiting := pending():
        raise Refused(f"commit {waiting['id']} waits for its confirmation", pending=waiting["id"])
    before = running()
    if digest(before) != base:
        raise Refused("the running configuration has changed since it was checked")
    candidate = VOLATILE / "candidate.conf"
    write(candidate, text)
    write(VOLATILE / "previous.conf", before)
    commit: dict[str, Any] = {
        "id": commit_id,
        "owner": owner,
        "candidate_sha256": digest(text),
        "before": look(),
        "until": began + float(seconds),
    }
    write(VOLATILE / "pending.json", json.dumps(commit))
    arm_timer(commit)  # before the first line changes
    log(f"{commit_id} applied for {seconds} s by {owner}")
    try:
        runs = load(candidate, before)
    except Refused as refused:
        take_back(commit, "not taken cleanly")
        raise Refused(f"{refused}; taken back", **refused.details) from refused
    write(VOLATILE / "pending.json", json.dumps({**commit, "running_sha256": digest(runs)}))
    return {"applied": commit_id, "seconds": time.monotonic() - began}


def confirm(commit_id: str) -> dict[str, Any]:
    commit = mine(commit_id)
    if digest(running()) != commit.get("running_sha256"):
        # FRR was restarted (it read the old startup file), or somebody typed a line meanwhile
        raise Refused("the running configuration is no longer the one that was applied")
    text = (VOLATILE / "candidate.conf").read_text()
    if accepted() is None and not (KEPT / "factory.conf").exists():
        write(KEPT / "factory.conf", (VOLATILE / "previous.conf").read_text())
    write(CONFIG, text)
    write(KEPT / "accepted.conf", text)
    write(KEPT / "running.sha256", commit["running_sha256"])
    (VOLATILE / "pending.json").unlink()
    log(f"{commit_id} confirmed")
    return {"confirmed": commit_id, "config_sha256": digest(text)}


def factory() -> dict[str, Any]:
    path = KEPT / "factory.conf"
    return {"factory": path.read_text() if path.exists() else None}


def survey(text: str) -> dict[str, Any]:
    _, routes, _ = run("ip", "-j", "route", "show")
    return {**check(text), "routes": json.loads(routes or "[]")}


def main(command: str, *args: str) -> dict[str, Any]:
    VOLATILE.mkdir(mode=0o755, parents=True, exist_ok=True)
    if command == "state":
        return state()
    if command == "look":
        return look()
    if command == "factory":
        return factory()
    with (VOLATILE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if command == "confirm":
            return confirm(*args)
        if command == "rollback":
            return take_back(mine(args[0]), *args[1:])
        text = sys.stdin.read()
        if command == "check":
            return check(text)
        if command == "survey":
            return survey(text)
        if command == "apply":
            return apply(text, *args)
    raise Refused(f"unknown command {command}")


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except Refused as refused:
        print(json.dumps({"error": str(refused), **refused.details}))
        sys.exit(1)
