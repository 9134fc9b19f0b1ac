"""`python -m lab.toolchain build [NAME...] | list | path NAME`: the pinned programs of this checkout."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from rich.console import Console

from lab.errors import LabError
from lab.home import PROJECT, cache
from lab.toolchain.build import Listener, Result, State, build, default_jobs, ensure, missing
from lab.toolchain.catalogue import Program, Use, catalogue
from lab.toolchain.golang import go
from lab.toolchain.links import BIN, link, link_language_host
from lab.toolchain.progress import BuildProgress
from lab.toolchain.store import place


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments or ["build"] if arguments is not None else sys.argv[1:] or ["build"])
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        match options.command:
            case "list":
                return _list(options.json)
            case "path":
                return _path(options.name)
            case _:
                return _build(options)
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; run it again and it goes on where it stood", file=sys.stderr)
        return 130


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="build what is missing and link it into .tools/bin (the default)")
    command.add_argument("names", nargs="*", metavar="NAME", help="programs; all of them if none is named")
    command.add_argument(
        "--for", dest="uses", action="append", type=Use, choices=list(Use), help="only what this needs"
    )
    command.add_argument("--jobs", type=int, default=default_jobs(), help="modules to build side by side")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command = commands.add_parser("list", help="show all programs, their versions and whether they are there")
    command.add_argument("--json", action="store_true", help="print the list as JSON")
    command = commands.add_parser("path", help="print where a program is; builds it if it is missing")
    command.add_argument("name")
    return parser


def _build(options: argparse.Namespace) -> int:
    listing, console = catalogue(), Console(stderr=True)
    programs = listing.select(options.names, options.uses or ())
    start, todo = time.monotonic(), missing(programs)
    if todo:
        console.print(f"{len(programs)} programs, {len(todo)} to build", highlight=False)
    with BuildProgress(len(programs), console) as progress:
        results = build(programs, jobs=options.jobs, listener=_linking(progress))
    link(results, listing)
    ours = link_language_host(listing) if any(r.name == "pulumi" for r in results) else False
    seconds = time.monotonic() - start
    if options.json:
        report = {"seconds": round(seconds, 1), "language_host": "ours" if ours else "official or not asked for"}
        print(json.dumps({**report, "programs": [_record(r) for r in results]}, indent=1))
        return 0
    counts = {state: sum(r.state is state for r in results) for state in State}
    print(
        f"{len(results)} programs ready in {seconds:.1f} s: {counts[State.BUILT]} built,"
        f" {counts[State.CACHED]} cached, {counts[State.INSTALLED]} of this machine; links in"
        f" {BIN.relative_to(PROJECT)}"
    )
    return 0


def _linking(progress: BuildProgress) -> Listener:
    """Links each program as soon as it is there, so that what needs only that one need not wait."""

    def listen(name: str, result: Result | None) -> None:
        if result is not None:
            link([result], catalogue())
        progress(name, result)

    return listen


def _record(result: Result) -> dict[str, str | float]:
    return {
        "name": result.name,
        "version": result.version,
        "state": result.state.value,
        "path": str(result.path),
        "seconds": round(result.seconds, 1),
    }


def _list(as_json: bool) -> int:
    rows = [_row(program) for program in catalogue().select()]
    if as_json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(f"{row['name']:28} {row['version']:20.20} {row['used_by']:16} {row['state']}")
    return 0


def _row(program: Program) -> dict[str, str]:
    target = place(program, go().platform, cache())
    state = "missing" if missing([program]) else str(target) if target.exists() else "of this machine"
    return {
        "name": program.name,
        "version": program.module.version,
        "used_by": ",".join(sorted(program.used_by)),
        "state": state,
    }


def _path(name: str) -> int:
    print(ensure(name)[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
