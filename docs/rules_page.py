"""The page of the rules: what every description is held to, from the rules' own docstrings."""

from __future__ import annotations

from components.plan.rule_list import Section, sections

_INTRO = """# Rules

What every description is held to before anything is planned; `region rules` prints the same. All problems are told at once, each with its place in the files, what was found, what is allowed and what to do next.

An id never changes its meaning. A fault for each rule is seeded in `tests/fixtures/faults` or in a table of `tests/unit`. Forms of single values (names, addresses, references to secrets) are described with their keys in [region.md](region.md)."""


def rules_page() -> str:
    """The whole page."""
    lines = [_INTRO]
    for section in sections():
        lines += ["", f"## {section.name}", "", section.about, "", *_table(section)]
    return "\n".join(lines) + "\n"


def _table(section: Section) -> list[str]:
    rows = ["| id | what must hold | broken by | looks at |", "|---|---|---|---|"]
    for rule in section.rules:
        keys = ", ".join(f"`{key}`" for key in rule.looks_at)
        rows.append(f"| `{rule.id}` | {_cell(rule.about)} | {_cell(rule.example)} | {keys} |".replace(" |  |", " | |"))
    return rows


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
