"""The programs of our own that are written in Go hold to their own tests and to the tools of their language."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from lab.toolchain.catalogue import FILE, Module, read
from lab.toolchain.golang import Go, go

OURS = [module for module in read(FILE).modules.values() if module.source is None]


@pytest.fixture(scope="module")
def tool() -> Go:
    """The Go tool, called as the builds call it, so that what it compiles here is there already for them."""
    return go()


def said(tool: Go, module: Module, *arguments: str) -> str:
    done = subprocess.run(
        [tool.executable, *arguments],
        cwd=module.folder,
        env=tool.environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(arguments)} of {module.name}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("module", OURS, ids=lambda module: module.name)
def test_a_program_passes_its_own_tests(tool: Go, module: Module) -> None:
    told = said(tool, module, "test", "-trimpath", "./...")
    print(told)
    assert "ok" in told or not list(module.folder.glob("*_test.go")), f"{module.name} has tests, and none ran"


@pytest.mark.parametrize("module", OURS, ids=lambda module: module.name)
def test_a_program_is_vetted_and_formatted(tool: Go, module: Module) -> None:
    said(tool, module, "vet", "-trimpath", "./...")
    gofmt = shutil.which("gofmt") or f"{tool.output('env', 'GOROOT').strip()}/bin/gofmt"
    done = subprocess.run([gofmt, "-l", "."], cwd=module.folder, capture_output=True, text=True, check=True)
    assert done.stdout == "", f"gofmt would change these files of {module.name}:\n{done.stdout}"
