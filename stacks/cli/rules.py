"""`region rules`: what a description is held to."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.plan.rule_list import sections


def rules(
    section: Annotated[str, typer.Option(help="Only rules on this subject, such as power or sovereignty.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Print the rules that every description is held to: id, what must hold, and what breaks it."""
    chosen = [each for each in sections() if section in ("", each.name)]
    if not chosen:
        raise typer.BadParameter(f"no rules on {section}; there are {', '.join(s.name for s in sections())}")
    if as_json:
        print(json.dumps({"schema": 1, "rules": [asdict(rule) for each in chosen for rule in each.rules]}, indent=1))
        return
    console = Console()
    for each in chosen:
        table = Table(
            title=escape(f"{each.name}: {each.about}"), title_justify="left", box=None, padding=(0, 1), expand=True
        )
        table.add_column("id", no_wrap=True)
        table.add_column("what must hold")
        for rule in each.rules:
            table.add_row(rule.id, escape(rule.about + (f"\nExample: {rule.example}" if rule.example else "")))
        console.print(table, highlight=False)
        console.print()
    console.print(f"{sum(len(each.rules) for each in chosen)} rules")
