"""The program's commands. Candidates come on standard input, answers leave as one JSON object on standard output.

state                          pending commit, digests of the configurations
check                          < candidate: syntax, lines that would change, lines changed by hand
apply ID OWNER SECONDS BASE    < candidate: change the lines; taken back unless confirmed within SECONDS
look                           BGP and BFD sessions
confirm ID                     keep the lines: only now do they become the startup configuration
rollback ID WHY                take the lines back now
survey                         < planned configuration: check, look and the kernel's routes in one answer
factory                        the configuration from before the first commit
"""

from __future__ import annotations

import fcntl
import json
import sys
from typing import Any

from . import commit, files, frr
from .files import Refused


def answer(command: str, *args: str) -> dict[str, Any]:
    files.VOLATILE.mkdir(mode=0o755, parents=True, exist_ok=True)
    if command == "state":
        return commit.state()
    if command == "look":
        return frr.look()
    if command == "factory":
        return commit.factory()
    with (files.VOLATILE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if command == "confirm":
            return commit.confirm(*args)
        if command == "rollback":
            return commit.take_back(commit.mine(args[0]), *args[1:])
        text = sys.stdin.read()
        if command == "check":
            return commit.check(text)
        if command == "survey":
            return commit.survey(text)
        if command == "apply":
            return commit.apply(text, *args)
    raise Refused(f"unknown command {command}")


def main() -> None:
    """Answer the command of this process; exit code 1 says that the answer is a refusal."""
    try:
        print(json.dumps(answer(*sys.argv[1:])))
    except Refused as refused:
        print(json.dumps({"error": str(refused), **refused.details}))
        sys.exit(1)
