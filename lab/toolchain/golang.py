"""The Go tool. Owns how it is called: the environment, the flags, and where a module's files lie."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from lab.errors import LabError
from lab.toolchain.catalogue import Module, Program

FLAGS = ("-trimpath", "-ldflags")
_STRIP = ("-s", "-w")
_ENVIRONMENT = {
    # Static programs: they run in an image that holds nothing else.
    "CGO_ENABLED": "0",
    # go.sum decides; a build never edits it. The tree's commit must not change a program's content.
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOWORK": "off",
}


@dataclass(frozen=True)
class Go:
    """The Go tool of this machine."""

    executable: str

    @cached_property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **_ENVIRONMENT}

    @cached_property
    def platform(self) -> str:
        """Version and target, such as `go1.26.8 linux/amd64`: part of each content key."""
        version, system, machine = self.output("env", "GOVERSION", "GOOS", "GOARCH").split()
        return f"{version} {system}/{machine}"

    def output(self, *arguments: str, folder: Path | None = None) -> str:
        """What `go ARGUMENTS` prints."""
        done = subprocess.run(
            [self.executable, *arguments], cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LabError(
                f"go {' '.join(arguments)} failed: {done.stderr.strip()[-2000:]}",
                remedy="check that the Go module proxy of this machine answers (go env GOPROXY)",
            )
        return done.stdout

    def build_command(self, program: Program, target: Path, overlay: Path | None) -> list[str]:
        """The command that builds `program` into `target`."""
        command = [self.executable, "build", "-C", str(program.module.folder)]
        command += [*FLAGS, " ".join([*_STRIP, *program.module.ldflags])]
        if overlay is not None:
            command += ["-overlay", str(overlay)]
        return [*command, "-o", str(target), program.package]

    def module_folder(self, module: Module, source: str | None = None) -> Path:
        """The unpacked, verified sources of an upstream module (by default the one that `module` pins)."""
        text = self.output("mod", "download", "-json", source or module.source or "", folder=module.folder)
        return Path(json.loads(text)["Dir"])


@cache
def go() -> Go:
    """The Go tool on PATH."""
    executable = shutil.which("go")
    if executable is None:
        raise LabError("the Go tool is not on PATH", remedy="install Go 1.26 or newer and put it on PATH")
    return Go(executable)
