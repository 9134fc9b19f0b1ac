"""The region's own .deb packages. Owns how packages.yaml becomes files; what a package holds is told there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter
from ruamel.yaml import YAML

from lab import shell
from lab.images import store
from lab.toolchain.catalogue import catalogue

FOLDER = Path(__file__).with_name("packages")
MAINTAINER = "The lab of this region <root@localhost>"
EPOCH = "1767225600"
"""All files carry this time (2026-01-01), so that equal content makes an equal package."""
_FORMAT = b"1"
"""Raised when this module makes other packages of the same input."""
_STAND_IN = (
    "Built by the lab for machines whose GPUs are simulated.",
    "It has the name of the real package and nothing of its content.",
)


class Package(BaseModel):
    """One package."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    of: str | None = None
    """Module of the toolchain that gives the version; else `version` does."""
    version: str = ""
    section: str
    depends: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    description: str
    stand_in: bool = False
    """Whether it only bears the name of somebody else's package."""

    @property
    def full_version(self) -> str:
        return catalogue().modules[self.of].version.removeprefix("v") if self.of else self.version

    @property
    def file_name(self) -> str:
        return f"{self.name}_{self.full_version}_amd64.deb"

    def fill(self, text: str) -> str:
        """`text` with the version in place of its two marks."""
        upstream = self.full_version.rpartition("-")[0] or self.full_version
        return text.replace("@VERSION@", self.full_version).replace("@UPSTREAM_VERSION@", upstream)

    def control(self, size_kib: int) -> str:
        """The control file."""
        fields = {
            "Package": self.name,
            "Version": self.full_version,
            "Architecture": "amd64",
            "Maintainer": MAINTAINER,
            "Installed-Size": str(size_kib),
            "Depends": self.fill(", ".join(self.depends)),
            "Conflicts": ", ".join(self.conflicts),
            "Section": self.section,
            "Priority": "optional",
            "Description": "\n ".join([self.description, *(_STAND_IN if self.stand_in else ())]),
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def read(path: Path = FOLDER / "packages.yaml") -> tuple[Package, ...]:
    """All packages of the list."""
    return TypeAdapter(tuple[Package, ...]).validate_python(YAML(typ="safe").load(path)["packages"])


def build(package: Package, programs: Mapping[str, Path], report: store.Report, log: Path) -> Path:
    """The .deb file, made if the cache does not have it."""
    tree = FOLDER / package.name
    inputs = store.tree_inputs(tree) if tree.exists() else {}
    inputs |= {"package": package.model_dump_json().encode(), "version": package.full_version.encode()}
    inputs |= {"format": _FORMAT}
    # A program's folder in the cache is named by its content key: no need to read the program.
    inputs |= {f"program {name}": programs[name].parent.name.encode() for name in package.programs}

    def make(draft: Path) -> None:
        root = draft / "root"
        _lay_out(package, tree, {name: programs[name] for name in package.programs}, root)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
        options = ("--root-owner-group", "-Zzstd", "-z3", "--threads-max=1")
        shell.run("dpkg-deb", *options, "--build", root, draft / package.file_name, env=environment, log=log)
        shutil.rmtree(root)

    what = f"package {package.name} {package.full_version}"
    return store.build_once(store.digest_of(inputs), what, make, report) / package.file_name


def _lay_out(package: Package, tree: Path, programs: Mapping[str, Path], root: Path) -> None:
    root.mkdir()
    for source in sorted(tree.rglob("*")) if tree.exists() else ():
        target = root / source.relative_to(tree)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(package.fill(source.read_text()))
            target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    for name, source in programs.items():
        target = root / "usr" / "bin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)
    note = root / "usr" / "share" / "doc" / package.name / "README.lab"
    note.parent.mkdir(parents=True)
    origin = " ".join(_STAND_IN) if package.stand_in else "Built by the lab from the upstream Go module."
    note.write_text(f"{package.name} {package.full_version}\n{origin}\n")
    size_kib = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) // 1024
    control = root / "DEBIAN" / "control"
    control.parent.mkdir(exist_ok=True)
    control.write_text(package.control(size_kib))
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
