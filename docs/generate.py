"""Writes docs/reference and docs/dashboards from the models, the rules, the boards and the command line.

Run as `python docs/generate.py`; with `--check` it writes nothing and fails if a page is out of date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer.main
from catalogue_page import catalogue_page
from rules_page import rules_page

from components.plan.dashboards import BOARDS, board_json
from components.plan.schema import schema, tenant_schema
from components.spec.catalogue import load_catalogue
from components.spec.catalogue.schema import catalogue_schemas
from stacks.cli.main import app
from stacks.cli.preview_json import document_schema
from stacks.project import CATALOGUE, ROOT

REFERENCE = Path(__file__).parent / "reference"


def _type(node: dict[str, Any], parts: dict[str, Any]) -> str:
    """In words; a part of the schema that has keys has a section of its own."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if parts[name].get("properties") else _type(parts[name], parts)
    if "enum" in node:
        return ", ".join(f"`{v}`" for v in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "anyOf" in node:
        return " or ".join(_type(n, parts) for n in node["anyOf"])
    kind = str(node.get("type", "any"))
    if kind == "array":
        return f"list of {_type(node.get('items', {}), parts)}"
    if kind == "object" and isinstance(node.get("additionalProperties"), dict):
        return f"map to {_type(node['additionalProperties'], parts)}"
    limits = [
        f"{word} {node[key]}"
        for key, word in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("minLength", "at least"),
            ("maxLength", "at most"),
        )
        if key in node
    ]
    return kind + (f" ({', '.join(limits)})" if limits else "")


def _table(node: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    required = set(node.get("required", ()))
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, value in node.get("properties", {}).items():
        default = (
            "required" if key in required else f"`{json.dumps(value['default'])}`" if "default" in value else "none"
        )
        meaning = " ".join(str(value.get("description", "")).split())
        rows.append(f"| `{key}` | {_type(value, parts)} | {default} | {meaning} |".replace(" |  |", " | |"))
    return rows


def _models(title: str, intro: str, root: dict[str, Any]) -> str:
    parts = root.get("$defs", {})
    lines = [f"# {title}", "", intro, "", "## Top level", "", *_table(root, parts)]
    for name, node in sorted(parts.items()):
        if node.get("properties"):
            about = " ".join(str(node.get("description", "")).split())
            lines += ["", f"## {name}", "", *([about, ""] if about else []), *_table(node, parts)]
    return "\n".join(lines) + "\n"


def _catalogue_files() -> str:
    """The files of the catalogue: one page, as they share most of their parts."""
    schemas = catalogue_schemas()
    parts: dict[str, Any] = {}
    lines = [
        "# Files of the catalogue",
        "",
        "Keys of the files in `stacks/regions/_catalogue`, one item a file; what they say is in [catalogue.md](catalogue.md).",
    ]
    for where, root in schemas.items():
        parts |= root.get("$defs", {})
        if root.get("properties"):
            lines += ["", f"## {where}", "", root["description"], "", *_table(root, parts)]
    lines += [
        "",
        "## sources.yaml",
        "",
        "Number of the source, from S1 on, and for each:",
        "",
        *_table(parts["Source"], parts),
    ]
    for name, node in sorted(parts.items()):
        if node.get("properties") and name != "Source":
            about = " ".join(str(node.get("description", "")).split())
            lines += ["", f"## {name}", "", about, "", *_table(node, parts)]
    return "\n".join(lines) + "\n"


def _flat(group: Any, path: str = "") -> dict[str, Any]:
    """Commands by what one types, those of groups with the group's name before them."""
    found: dict[str, Any] = {}
    for name, command in vars(group)["commands"].items():
        found |= _flat(command, f"{path}{name} ") if "commands" in vars(command) else {f"{path}{name}": command}
    return found


def _commands() -> str:
    commands = _flat(typer.main.get_command(app))
    lines = [
        "# The `region` command",
        "",
        "Exit codes: 0 done, 1 a check failed, 2 the description is wrong and nothing was touched, 3 a device failed, 4 racks were isolated and all others brought up, 130 interrupted.",
    ]
    for name in sorted(commands):
        parameters = commands[name].params
        arguments = [p.name.upper() for p in parameters if p.param_type_name == "argument"]
        options = [p for p in parameters if p.param_type_name == "option"]
        lines += [
            "",
            f"## region {name}",
            "",
            f"`region {' '.join([name, *arguments, *(['[OPTIONS]'] if options else [])])}`",
            "",
            commands[name].help or "",
        ]
        if options:
            lines += [
                "",
                "| option | meaning |",
                "|---|---|",
                *(f"| `{', '.join(o.opts)}` | {o.help or ''} |" for o in options),
            ]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Every page of the reference, and the schema of what programs read, by file name."""
    return {
        "region.md": _models(
            "Description of a region",
            "Keys of the YAML files in `stacks/regions/<region>`. Each top-level key stands in exactly one of the files. `region schema` prints the same as JSON Schema for editors.",
            schema(),
        ),
        "tenant.md": _models(
            "Description of a tenant",
            "Keys of the YAML files in `stacks/regions/<region>/tenants`, one file a tenant. `region schema tenant` prints the same as JSON Schema for editors.",
            tenant_schema(),
        ),
        "catalogue.md": catalogue_page(load_catalogue(CATALOGUE, root=ROOT)),
        "rules.md": rules_page(),
        "catalogue-files.md": _catalogue_files(),
        "region-command.md": _commands(),
        "preview.schema.json": json.dumps(document_schema(), indent=2) + "\n",
        **{f"../dashboards/{board.uid}.json": json.dumps(board_json(board), indent=2) + "\n" for board in BOARDS},
    }


def main() -> int:
    """Write the pages, or with --check report those that differ."""
    stale = [
        name
        for name, text in pages().items()
        if not (REFERENCE / name).is_file() or (REFERENCE / name).read_text() != text
    ]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is out of date: make docs")
        return 1 if stale else 0
    for name in stale:
        (REFERENCE / name).parent.mkdir(exist_ok=True)
        (REFERENCE / name).write_text(pages()[name])
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
