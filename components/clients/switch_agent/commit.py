"""A commit: lines that are changed, and taken back by a timer unless they are confirmed.

The startup configuration is written at confirm only, so a switch that reboots before has rolled back.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import files, frr
from .files import Refused

ROLLBACK_TRIES = 5


def accepted() -> str | None:
    """What was confirmed last; None on a switch that was never configured by this program."""
    path = files.KEPT / "accepted.conf"
    return path.read_text() if path.exists() else None


def is_as_confirmed(runs: str) -> bool:
    """Whether the running configuration is, to the letter, the one that was proven at the last confirm."""
    path = files.KEPT / "running.sha256"
    return accepted() is not None and path.exists() and path.read_text() == files.digest(runs)


def pending() -> dict[str, Any] | None:
    path = files.VOLATILE / "pending.json"
    return json.loads(path.read_text()) if path.exists() else None


def public(commit: dict[str, Any] | None) -> dict[str, Any] | None:
    if commit is None:
        return None
    now = time.monotonic()
    shown = {k: commit[k] for k in ("id", "owner", "candidate_sha256", "before")}
    previous = (files.VOLATILE / "previous.conf").read_text()
    return {**shown, "previous": previous, "remaining_s": commit["until"] - now}


def mine(commit_id: str) -> dict[str, Any]:
    commit = pending()
    if commit is None or commit["id"] != commit_id:
        raise Refused(f"commit {commit_id} is not pending here", pending=commit and commit["id"])
    return commit


def state() -> dict[str, Any]:
    kept = accepted()
    return {
        "pending": public(pending()),
        "startup_sha256": files.digest(frr.startup()),
        "accepted_sha256": None if kept is None else files.digest(kept),
    }


def check(text: str) -> dict[str, Any]:
    candidate = files.VOLATILE / "check.conf"
    files.write(candidate, text)
    kept, boots, runs = accepted(), frr.startup(), frr.running()
    differs: list[str] = []
    drift: list[str] = []
    if text != kept or not is_as_confirmed(runs):
        frr.syntax(text, candidate)
        if absent := frr.missing_daemons(text):
            raise Refused(f"{', '.join(absent)} does not run", daemons=absent)
        differs = frr.delta(candidate, runs)
    if differs and not is_as_confirmed(runs):  # a configuration that is already as planned needs no blame
        if kept == text:
            drift = differs
        elif kept is not None:
            files.write(files.VOLATILE / "base.conf", kept)
            drift = frr.delta(files.VOLATILE / "base.conf", runs)
        elif re.search(r"^router ", runs, re.M):
            drift = [line for line in differs if line.startswith("-")]
    return {
        **state(),
        **frr.look(),
        "delta": differs,
        "drift": drift,
        "running": runs,
        "fresh": kept is None,
        "rewrite": boots != text or kept != text,
    }


def take_back(commit: dict[str, Any], why: str) -> dict[str, Any]:
    began = time.monotonic()
    frr.load(files.VOLATILE / "previous.conf", frr.running())
    (files.VOLATILE / "pending.json").unlink()
    files.log(f"{commit['id']} rolled back: {why}")
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
    agent = [sys.executable, str(Path(sys.argv[0]).resolve()), "rollback", commit["id"], "not confirmed in time"]
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
    before = frr.running()
    if files.digest(before) != base:
        raise Refused("the running configuration has changed since it was checked")
    candidate = files.VOLATILE / "candidate.conf"
    files.write(candidate, text)
    files.write(files.VOLATILE / "previous.conf", before)
    commit: dict[str, Any] = {
        "id": commit_id,
        "owner": owner,
        "candidate_sha256": files.digest(text),
        "before": frr.look(),
        "until": began + float(seconds),
    }
    files.write(files.VOLATILE / "pending.json", json.dumps(commit))
    arm_timer(commit)  # before the first line changes
    files.log(f"{commit_id} applied for {seconds} s by {owner}")
    try:
        runs = frr.load(candidate, before)
    except Refused as refused:
        take_back(commit, "not taken cleanly")
        raise Refused(f"{refused}; taken back", **refused.details) from refused
    files.write(files.VOLATILE / "pending.json", json.dumps({**commit, "running_sha256": files.digest(runs)}))
    return {"applied": commit_id, "seconds": time.monotonic() - began}


def confirm(commit_id: str) -> dict[str, Any]:
    commit = mine(commit_id)
    if files.digest(frr.running()) != commit.get("running_sha256"):
        # FRR was restarted (it read the old startup file), or somebody typed a line meanwhile
        raise Refused("the running configuration is no longer the one that was applied")
    text = (files.VOLATILE / "candidate.conf").read_text()
    if accepted() is None and not (files.KEPT / "factory.conf").exists():
        files.write(files.KEPT / "factory.conf", (files.VOLATILE / "previous.conf").read_text())
    files.write(files.CONFIG, text)
    files.write(files.KEPT / "accepted.conf", text)
    files.write(files.KEPT / "running.sha256", commit["running_sha256"])
    (files.VOLATILE / "pending.json").unlink()
    files.log(f"{commit_id} confirmed")
    return {"confirmed": commit_id, "config_sha256": files.digest(text)}


def factory() -> dict[str, Any]:
    path = files.KEPT / "factory.conf"
    return {"factory": path.read_text() if path.exists() else None}


def survey(text: str) -> dict[str, Any]:
    _, routes, _ = frr.run("ip", "-j", "route", "show")
    return {**check(text), "routes": json.loads(routes or "[]")}
