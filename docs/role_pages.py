"""Writes the README of every role, and docs/reference/roles.md, from the roles' argument specs.

Run as `python docs/role_pages.py`; with `--check` it writes nothing and fails if a page is out of date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
ROLES = ROOT / "playbooks" / "roles"
CHECK_MODE_GUARD = 'ignore_errors: "{{ ansible_check_mode }}"'


def roles() -> list[Path]:
    """Every role, by name."""
    return sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml"))


def entry_points(role: Path) -> dict[str, dict[str, Any]]:
    """What the role's argument specs say, by entry point."""
    document = cast("Any", YAML(typ="safe")).load((role / "meta" / "argument_specs.yml").read_text())
    return cast("dict[str, dict[str, Any]]", document["argument_specs"])


def readme(role: Path) -> str:
    """The page of one role."""
    entries = entry_points(role)
    first = entries.get("main") or next(iter(entries.values()))
    lines = [f"# {role.name}", "", first["short_description"], *_paragraphs(first)]
    printed: dict[str, Any] | None = None
    for name, entry in entries.items():
        options = cast("dict[str, Any]", entry.get("options") or {})
        if len(entries) > 1:
            lines += ["", f"## Entry point `{name}`"]
            if name != "main":
                lines += ["", entry["short_description"], *_paragraphs(entry)]
        if options and options == printed:
            lines += ["", "Takes the options of the entry point above."]
        elif options:
            lines += ["", "| option | type | default | meaning |", "|---|---|---|---|", *_rows(options)]
            printed = options
    lines += ["", "## Check mode", "", _check_mode(role)]
    return "\n".join(lines) + "\n"


def _paragraphs(entry: dict[str, Any]) -> list[str]:
    description = entry.get("description") or []
    texts = [description] if isinstance(description, str) else cast("list[str]", description)
    return [line for text in texts for line in ("", _one_line(text))]


def _rows(options: dict[str, Any], prefix: str = "") -> list[str]:
    rows: list[str] = []
    for name, option in options.items():
        kind = str(option.get("type", "str"))
        if kind == "list":
            kind = f"list of {option.get('elements', 'any')}"
        if "choices" in option:
            kind = " or ".join(f"`{choice}`" for choice in option["choices"])
        default = "required" if option.get("required") else f"`{json.dumps(option.get('default'))}`"
        rows.append(f"| `{prefix}{name}` | {kind} | {default} | {_one_line(option['description'])} |")
        rows += _rows(option.get("options") or {}, prefix=f"{prefix}{name}[].")
    return rows


def _one_line(text: str | list[str]) -> str:
    joined = " ".join(text) if isinstance(text, list) else text
    return " ".join(joined.split()).replace("|", "\\|")


def _check_mode(role: Path) -> str:
    if any(CHECK_MODE_GUARD in tasks.read_text() for tasks in role.glob("tasks/*.yml")):
        return (
            "Works, also on a clean host. There, tasks that need a package which the role itself would have installed "
            "report a failure that is ignored; verification is skipped, because nothing has been done that could be "
            "verified."
        )
    return "Works, also on a clean host."


def index() -> str:
    """The page that names all roles."""
    lines = [
        "# Roles",
        "",
        "Each role's options stand in its README, which is written from its `meta/argument_specs.yml`.",
        "",
        "| role | what it does |",
        "|---|---|",
    ]
    for role in roles():
        entries = entry_points(role)
        first = entries.get("main") or next(iter(entries.values()))
        lines.append(f"| [{role.name}](../../playbooks/roles/{role.name}/README.md) | {first['short_description']} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every page, by the file that holds it."""
    found = {role / "README.md": readme(role) for role in roles()}
    return found | {ROOT / "docs" / "reference" / "roles.md": index()}


def main() -> int:
    """Write the pages, or with --check report those that differ."""
    stale = {path: text for path, text in pages().items() if not path.is_file() or path.read_text() != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: make docs")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
