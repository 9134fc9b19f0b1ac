"""The environment in which Pulumi and the project's programs run.

Owns search path, state backend and the passphrase of local state. An operator's own settings win:
a backend or passphrase already in the environment is left alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection
from pathlib import Path

from components.errors import DeviceError, Problem, RegionError
from stacks.project import ROOT, state_folder


def search_path() -> str:
    """PATH with the project's programs in front: the virtual environment, then the pinned tools."""
    return os.pathsep.join([str(ROOT / ".venv" / "bin"), str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")])


def _passphrase_file() -> Path:
    """The passphrase that encrypts secrets in local state; made once, readable by its owner only."""
    path = state_folder() / "passphrase"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(handle, "w") as f:
        f.write(secrets.token_urlsafe(32))
    return path


def pulumi_environment() -> dict[str, str]:
    """Variables to add to the environment of `pulumi`."""
    variables = {
        "PATH": search_path(),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
    }
    if "PULUMI_BACKEND_URL" not in os.environ:
        folder = state_folder() / "state"
        folder.mkdir(parents=True, exist_ok=True)
        variables["PULUMI_BACKEND_URL"] = folder.as_uri()
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file())
    return variables


def use_pulumi() -> None:
    """Let this process find `pulumi`, and what it works with: the Automation API looks on the process's own path.

    Raises RegionError where it is not installed.
    """
    if shutil.which("pulumi", path=search_path()) is None:
        remedy = "`make tools` builds it below .tools/bin"
        raise RegionError("pulumi is missing", [Problem(path="pulumi", message="it is not installed", remedy=remedy)])
    os.environ.update(pulumi_environment())


def unusable_state(error: Exception) -> DeviceError:
    """Why `pulumi` could not even look at a region's stacks, in its own words; `error` is a CommandError of it."""
    said = str(error).partition("stderr:")[2] or str(error)
    problem = Problem(
        path="PULUMI_BACKEND_URL",
        message="pulumi does not get at the state of the region",
        found=said.strip()[-1000:],
        allowed="a backend that answers, with the passphrase that its secrets were encrypted with",
        remedy="`region env` prints what is used; unset PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE_FILE for the"
        " state on this machine",
    )
    return DeviceError("the state cannot be read", [problem])


def destroy_environment(layer: str, going: Collection[str]) -> dict[str, str]:
    """Variables to add for the destroy of `layer` when the layers `going` are taken down in one run."""
    if layer in ("cluster", "runtime") and "substrate" in going:
        # The provider of Kubernetes objects refuses to delete what it cannot reach. Here the machines are wiped next
        # and the cluster with them, so a dead API server must not stand in the way. Where the machines stay it may
        # only be out of reach for the moment, and forgotten objects would live on in it: there the refusal is right.
        return {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}
    return {}
