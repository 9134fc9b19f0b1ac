"""A small Pulumi project in a folder of its own, run by the real engine with its state in files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


class PulumiProject:
    """One stack whose program is this text.

    The provider's plugin is started by the shell line `launches`; without one it is the project's own.
    """

    def __init__(self, path: Path, program: str, *, launches: str | None = None) -> None:
        self.path = path
        for folder in ("program", "plugins", "state"):
            (path / folder).mkdir()
        (path / "program" / "__main__.py").write_text(program)
        plugins = ROOT / ".venv" / "bin"
        if launches is not None:
            plugins = path / "plugins"
            launcher = plugins / "pulumi-resource-gpuregion"
            launcher.write_text(f"#!/bin/sh\n{launches}\n")
            launcher.chmod(0o755)
        (path / "Pulumi.yaml").write_text(
            "name: region\nruntime: python\nmain: program/\n"
            f"plugins:\n  providers:\n    - {{name: gpuregion, path: {plugins}}}\n"
        )
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": (path / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_HOME": str(path / "home"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *words: str, given: str | None = None, fails: bool = False, timeout_s: float = 150) -> str:
        """What `pulumi` says, both ways."""
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self.path,
            env=self.environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def up(self, *, fails: bool = False) -> str:
        """Bring the stack up without a preview."""
        return self.run("up", "--yes", "--skip-preview", fails=fails)
