"""The list of programs: what it must agree with, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.toolchain.catalogue import Module, Use, catalogue, read

MODULES = sorted(catalogue().modules.values(), key=lambda module: module.name)
NAMES = [module.name for module in MODULES]


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_a_module_pins_the_version_that_the_list_names(module: Module) -> None:
    text = (module.folder / "go.mod").read_text()
    if module.source is None:
        assert (module.folder / "main.go").exists(), "a module without a source has its program in its folder"
    else:
        found = re.search(rf"^(?:require )?\s*{re.escape(module.source)} (\S+)", text, re.M)
        assert found is not None
        assert found[1] == module.version
        assert (module.folder / "go.sum").exists(), "go.sum pins the sources"


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_a_module_imports_each_of_its_programs(module: Module) -> None:
    tools = module.folder / "tools.go"
    packages = [p.package for p in catalogue().programs.values() if p.module is module]
    if tools.exists():
        assert sorted(re.findall(r'_ "(.+)"', tools.read_text())) == sorted(packages)
    else:
        assert packages == ["."]


def test_what_is_shipped_never_comes_from_the_path() -> None:
    shipped = [p for p in catalogue().programs.values() if p.used_by & {Use.IMAGE, Use.PACKAGE}]
    assert shipped
    assert not any(program.may_come_from_path for program in shipped)


def test_an_unknown_program_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabError) as refused:
        catalogue().select(["kubectl", "kubectle"])
    assert "kubectle" in str(refused.value)
    assert "kubectl," in str(refused.value.remedy)


def test_a_selection_by_use_keeps_the_order_of_the_list() -> None:
    names = [program.name for program in catalogue().select(uses=[Use.OPERATOR])]
    assert names == [name for name in catalogue().programs if name in names]
    assert "kube-apiserver" not in names


def test_all_faults_of_the_list_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "programs.yaml"
    file.write_text("modules: {x: {version: '1', build_s: soon, programs: {}, colour: red}}\n")
    with pytest.raises(LabError) as refused:
        read(file)
    for part in ("modules.x.version", "modules.x.build_s", "modules.x.colour"):
        assert part in str(refused.value)


def test_two_programs_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "programs.yaml"
    entry = "{folder: x, version: v1.0.0, build_s: 1, programs: {p: {package: ., used_by: [lab]}}}"
    file.write_text(f"modules: {{a: {entry}, b: {entry}}}\n")
    with pytest.raises(LabError, match="called p"):
        read(file)
