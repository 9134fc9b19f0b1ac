"""Answers the engine. Owns the meaning of each call; processes and interpreters are found beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from lab.toolchain.language_host.interpreter import Location, interpreter, program_environment
from lab.toolchain.language_host.process import Children, Stream, output

EXECUTOR = "PULUMI_LANGUAGE_PYTHON_EXEC"
"""Environment: path of `pulumi-language-python-exec`."""
VERSION = "PULUMI_LANGUAGE_PYTHON_VERSION"
"""Environment: the release that this host stands in for."""
ALREADY_REPORTED = 32
"""Exit code by which the executor says that it has told the engine of the error itself."""

_LIST_DISTRIBUTIONS = (
    "import importlib.metadata as m, json; "
    "print(json.dumps(sorted({(d.name, d.version) for d in m.distributions() if d.name})))"
)

_Context = grpc.ServicerContext


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime for Python programs and plugins of this project."""

    def __init__(self, *, engine: str | None, executor: Path, version: str, children: Children) -> None:
        self._engine = engine
        self._executor = executor
        self._version = version
        self._children = children

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: _Context
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learn where the engine listens."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: _Context) -> plugin_pb2.PluginInfo:
        """Name the release that this host stands in for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: _Context
    ) -> language_pb2.GetRequiredPluginsResponse:
        """None: see GetRequiredPackages."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: _Context
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None: all plugins are pinned and in place. A list would make the engine download what differs."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(self, request: language_pb2.AboutRequest, context: _Context) -> language_pb2.AboutResponse:
        """Tell the interpreter and its version."""
        location = Location.of(request.info)
        python = interpreter(location, os.environ)
        done = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
        return language_pb2.AboutResponse(executable=str(python), version=done.stdout.strip().removeprefix("Python "))

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: _Context
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List what is installed in the program's environment."""
        python = interpreter(Location.of(request.info), os.environ)
        done = subprocess.run([python, "-c", _LIST_DISTRIBUTIONS], capture_output=True, text=True, check=False)
        if done.returncode:
            context.abort(grpc.StatusCode.INTERNAL, f"{python} cannot list its packages: {done.stderr.strip()}")
        found: list[tuple[str, str]] = json.loads(done.stdout)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: _Context
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Change nothing: the environment is made from the lock file."""
        text = "the environment of this project comes from requirements.lock: run make install\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: _Context
    ) -> language_pb2.RuntimeOptionsResponse:
        """Ask nothing of who makes a new project."""
        return language_pb2.RuntimeOptionsResponse()

    def Template(self, request: language_pb2.TemplateRequest, context: _Context) -> language_pb2.TemplateResponse:
        """Nothing to add to a new project."""
        return language_pb2.TemplateResponse()

    def Run(self, request: language_pb2.RunRequest, context: _Context) -> language_pb2.RunResponse:
        """Run the program to its end; its output goes to the engine by itself."""
        location = Location.of(request.info)
        python = interpreter(location, os.environ)
        command = [python, "-u", self._executor, *self._executor_arguments(request, location), location.program]
        environment = {**program_environment(python, os.environ), **_configuration(request)}
        try:
            with self._children.start(
                [*command, *request.args], environment=environment, folder=None, piped=True
            ) as child:
                for _stream, data in output(child):
                    _to_engine(data)
                code = child.wait()
        except InterruptedError as stopped:
            return language_pb2.RunResponse(error=str(stopped))
        if code == ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        if code:
            return language_pb2.RunResponse(error=f"the program ended with code {code}: {location.program}")
        return language_pb2.RunResponse()

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: _Context
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a plugin written in Python (a policy pack, a provider) and pass on what it writes."""
        location = Location.of(request.info)
        python = interpreter(location, os.environ)
        environment = program_environment(python, os.environ)
        for entry in request.env:
            name, _, value = entry.partition("=")
            environment[name] = value
        command = [python, "-u", location.program, *request.args]
        folder = Path(request.pwd) if request.pwd else None
        with self._children.start(command, environment=environment, folder=folder, piped=True) as child:
            # The engine drops the call when it no longer needs the plugin: then the plugin ends too.
            context.add_callback(child.terminate)
            for stream, data in output(child):
                yield _plugin_output(stream, data)
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: empty_pb2.Empty, context: _Context) -> empty_pb2.Empty:
        """End what runs."""
        self._children.stop()
        return empty_pb2.Empty()

    def _executor_arguments(self, request: language_pb2.RunRequest, location: Location) -> list[str]:
        arguments = {
            "monitor": request.monitor_address,
            "engine": self._engine or "",
            "project": request.project,
            "root_directory": str(location.root),
            "stack": request.stack,
            "pwd": request.pwd or str(location.directory),
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        return [word for name, value in arguments.items() for word in (f"--{name}", value)]


def _configuration(request: language_pb2.RunRequest) -> Mapping[str, str]:
    # By environment, as the SDK reads it: arguments would show secrets to everybody on the machine.
    return {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def _plugin_output(stream: Stream, data: bytes) -> language_pb2.RunPluginResponse:
    fields: dict[str, Any] = {stream.value: data}
    return language_pb2.RunPluginResponse(**fields)


def _to_engine(data: bytes) -> None:
    """The engine shows what the host writes after its first line, which was the port."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
