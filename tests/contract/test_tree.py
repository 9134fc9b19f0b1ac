"""Rules about the tree itself: what may import what, how large files get, what a component looks like."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BASE = ("components.errors", "components.words")
ARROW = {
    "components.spec": (*BASE, "components.spec"),
    "components.plan": (*BASE, "components.spec", "components.plan"),
    "components.engine": (*BASE, "components.spec", "components.plan", "components.engine"),
    "components.clients": (
        *BASE,
        "components.spec",
        "components.plan",
        "components.engine",
        "components.clients",
    ),
    "components.checks": (
        *BASE,
        "components.spec",
        "components.plan",
        "components.engine",
        "components.clients",
        "components.checks",
    ),
    "lab": ("lab",),
}
"""Package -> packages of this project that it may import."""
PULUMI_FREE = (
    "components.spec",
    "components.plan",
    "components.engine",
    "components.clients",
    "components.checks",
    "lab",
)
LINES_HARD_STOP = 400
# registries that package clients talk to: their names belong in a machine's settings, not in the project
REGISTRY_HOSTS = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|proxy\.golang\.org|deb\.debian\.org|registry\.npmjs|crates\.io|repo1?\.maven)"
)


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()})


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


SOURCES = [p for p in tracked("*.py") if p.relative_to(ROOT).parts[0] in ("components", "stacks", "lab", "benchmarks")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrow(path: Path) -> None:
    name = module_name(path)
    package = next((p for p in ARROW if name == p or name.startswith(p + ".")), None)
    if package is None:
        return
    own = [i for i in imports(path) if i.split(".")[0] in ("components", "stacks", "lab", "playbooks")]
    wrong = [i for i in own if not any(i == ok or i.startswith(ok + ".") for ok in ARROW[package])]
    assert not wrong, f"{package} may import only {ARROW[package]}"
    # the language host is a part of Pulumi's, which the toolchain builds
    if package in PULUMI_FREE and "lab/toolchain/language_host" not in str(path):
        assert not [i for i in imports(path) if i.split(".")[0].startswith("pulumi")], f"{package} must not know Pulumi"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_small_and_say_what_they_own(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LINES_HARD_STOP, f"more than {LINES_HARD_STOP} lines: make two modules"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module begins with a docstring that says what it owns"


def test_the_stack_entrypoint_is_short() -> None:
    assert len((ROOT / "stacks/__main__.py").read_text().splitlines()) <= 60


def component_classes() -> list[tuple[Path, ast.ClassDef]]:
    return [
        (path, node)
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and any("ComponentResource" in ast.unparse(base) for base in node.bases)
    ]


@pytest.mark.parametrize(
    ("path", "node"), component_classes(), ids=lambda v: v.name if isinstance(v, ast.ClassDef) else ""
)
def test_a_component_has_the_agreed_shape(path: Path, node: ast.ClassDef) -> None:
    init = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    assert [a.arg for a in init.args.args] == ["self", "name", "args", "opts"]
    body = ast.unparse(init)
    token = re.search(r"super\(\).__init__\('([^']+)'", body)
    assert token, "the type token is a literal in super().__init__"
    package = path.relative_to(ROOT).parts[1]
    assert token[1] == f"gpuregion:{package}:{node.name}"
    assert "self.register_outputs(" in body, "outputs are registered"
    assert ".merge(opts)" not in ast.unparse(node), "children never take the caller's options"


def test_every_file_with_tests_is_collected() -> None:
    strays = [
        p
        for p in tracked("tests/*.py", "tests/**/*.py")
        if re.search(r"^(async )?def test_", p.read_text(), re.M) and not p.name.startswith("test_")
    ]
    assert not strays, "pytest collects test_*.py only"


def test_nothing_names_a_package_registry_or_a_path_of_one_machine() -> None:
    wrong: list[str] = []
    for path in tracked():
        if path.suffix in (".png", ".svg") or path.name == "test_tree.py" or path.name == "go.sum":
            continue
        text = path.read_text(errors="replace")
        if REGISTRY_HOSTS.search(text) or re.search(r"(?<![\w.])/(work|root)/(?!\.ssh)\w", text):
            wrong.append(str(path.relative_to(ROOT)))
    assert not wrong


def test_every_runbook_that_the_code_names_exists() -> None:
    named = {m for path in SOURCES for m in re.findall(r"docs/runbooks/\w+\.md", path.read_text())}
    assert named
    assert not [n for n in sorted(named) if not (ROOT / n).exists()]


def test_no_two_modules_of_the_components_list_the_same_words() -> None:
    named: dict[str, list[set[str]]] = {}
    for path in (p for p in SOURCES if p.relative_to(ROOT).parts[0] == "components"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "StrEnum" for base in node.bases):
                words = {ast.unparse(item.value) for item in node.body if isinstance(item, ast.Assign)}
                named.setdefault(node.name, []).append(words)
    twice = {name: lists[0].intersection(*lists[1:]) for name, lists in named.items() if len(lists) > 1}
    assert not {name: words for name, words in twice.items() if words}, "make it one, and import it"
