"""The language host: what it runs, with which interpreter, and what it tells the engine."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import language_pb2

from lab.toolchain.language_host.host import PythonHost
from lab.toolchain.language_host.interpreter import Location, interpreter, program_environment
from lab.toolchain.language_host.process import Children


class Context:
    """What the host uses of a call's context."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self.callbacks.append(callback)
        return True


CONTEXT = cast(grpc.ServicerContext, Context())


def an_environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "pyvenv.cfg").touch()
    return python


def a_location(root: Path, **options: str) -> Location:
    return Location(root=root, directory=root / "program", entry_point=".", options=options)


def a_host(executor: Path) -> PythonHost:
    return PythonHost(engine="127.0.0.1:1", executor=executor, version="3.274.1", children=Children())


def test_the_environment_that_pulumi_yaml_names_comes_first(tmp_path: Path) -> None:
    an_environment(tmp_path / ".venv")
    named = an_environment(tmp_path / "other")
    assert interpreter(a_location(tmp_path, virtualenv="other"), {}) == named


def test_the_projects_own_environment_comes_before_the_active_one(tmp_path: Path) -> None:
    own = an_environment(tmp_path / ".venv")
    active = an_environment(tmp_path / "active")
    assert interpreter(a_location(tmp_path), {"VIRTUAL_ENV": str(active.parent.parent)}) == own


def test_without_any_environment_the_hosts_own_interpreter_runs(tmp_path: Path) -> None:
    assert interpreter(a_location(tmp_path), {}) == Path(sys.executable)


def test_programs_of_the_environment_are_on_the_path(tmp_path: Path) -> None:
    python = an_environment(tmp_path / ".venv")
    made = program_environment(python, {"PATH": "/bin", "PYTHONHOME": "/wrong"})
    assert made == {"PATH": f"{python.parent}:/bin", "VIRTUAL_ENV": str(tmp_path / ".venv")}


def a_run(tmp_path: Path, executor: str) -> language_pb2.RunResponse:
    path = tmp_path / "executor"
    path.write_text(executor)
    info = language_pb2.ProgramInfo(
        root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".", options=struct_pb2.Struct()
    )
    request = language_pb2.RunRequest(
        info=info, project="p", stack="s", dryRun=True, parallel=4, config={"p:word": "hi"}, configSecretKeys=["p:k"]
    )
    return a_host(path).Run(request, CONTEXT)


def test_a_program_gets_its_configuration_by_environment_and_not_by_arguments(tmp_path: Path) -> None:
    report = tmp_path / "report"
    answer = a_run(
        tmp_path,
        "import os, pathlib, sys\n"
        f"pathlib.Path({str(report)!r}).write_text(os.environ['PULUMI_CONFIG'] + ' '.join(sys.argv[1:]))\n",
    )
    assert (answer.bail, answer.error) == (False, "")
    text = report.read_text()
    assert text.startswith('{"p:word": "hi"}')
    assert "--dry_run true" in text
    assert " hi" not in text.removeprefix('{"p:word": "hi"}')


def test_an_error_that_was_reported_already_is_not_reported_again(tmp_path: Path) -> None:
    assert a_run(tmp_path, "raise SystemExit(32)").bail


def test_a_program_that_dies_is_an_error_with_its_code(tmp_path: Path) -> None:
    assert "code 7" in a_run(tmp_path, "raise SystemExit(7)").error


def test_a_plugin_streams_both_outputs_and_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1], os.environ['X'])\nprint('e', file=sys.stderr)\nraise SystemExit(3)\n"
    )
    info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".")
    request = language_pb2.RunPluginRequest(info=info, args=["a"], env=["X=b=c"], pwd=str(tmp_path))
    answers = list(a_host(tmp_path).RunPlugin(request, CONTEXT))
    assert b"".join(a.stdout for a in answers) == b"a b=c\n"
    assert b"".join(a.stderr for a in answers) == b"e\n"
    assert answers[-1].exitcode == 3


def test_cancel_ends_what_runs_and_lets_nothing_start(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".")
    host = a_host(tmp_path)
    stream = host.RunPlugin(language_pb2.RunPluginRequest(info=info), CONTEXT)
    assert next(stream).stdout.startswith(b"up")
    threading.Timer(0.1, lambda: host.Cancel(empty_pb2.Empty(), CONTEXT)).start()
    assert list(stream)[-1].exitcode != 0
    with pytest.raises(InterruptedError):
        next(host.RunPlugin(language_pb2.RunPluginRequest(info=info), CONTEXT))


def test_no_plugin_is_asked_for_so_that_none_is_downloaded(tmp_path: Path) -> None:
    answer = a_host(tmp_path).GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(), CONTEXT)
    assert answer.ByteSize() == 0


def test_the_dependencies_are_those_of_the_programs_environment(tmp_path: Path) -> None:
    info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path))
    answer = a_host(tmp_path).GetProgramDependencies(language_pb2.GetProgramDependenciesRequest(info=info), CONTEXT)
    assert "pulumi" in {dependency.name for dependency in answer.dependencies}
