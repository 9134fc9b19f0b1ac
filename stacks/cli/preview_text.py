"""A preview on a terminal: the most dangerous on top, and one screen for what is usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from components.plan.consequences import Danger, words
from components.plan.consequences.model import ActionGroup, Consequences
from components.plan.cost import euros, headline
from stacks.cli.preview_result import Preview

STYLES = {
    Danger.HOST_LOST: "bold white on red",
    Danger.WIPED: "bold red",
    Danger.INTERRUPTED: "bold yellow",
    Danger.CHANGED: "green",
    Danger.RECORDED: "dim",
}
DETAILS = 6
"""Lines of a configuration that are shown for one group; the comment and the JSON have more."""


def screen(preview: Preview) -> Group:
    """The whole preview."""
    found = preview.consequences
    parts: list[RenderableType] = [Text(f"{preview.region}: {words.headline(found)}", style="bold")]
    parts += [Text(f"note: {note}", style="yellow") for note in (*preview.unready, *found.notes)]
    if found.actions:
        parts.append(_actions(found.actions))
    for title, lines in _sections(found):
        if lines:
            parts += [Text(title, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines)]
    parts.append(Text(f"compared with {preview.compared}; digest of the consequences {found.digest[:16]}", style="dim"))
    return Group(*parts)


def _actions(groups: Sequence[ActionGroup]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for group in groups:
        lines = [words.action_text(group), *group.effects]
        if group.disrupts:
            lines.append(f"flaps: {', '.join(group.disrupts)}")
        lines += [*group.examples, *group.details[:DETAILS]]
        hidden = max(0, len(group.details) - DETAILS) + group.details_left_out
        if hidden:
            lines.append(f"and {words.count(hidden, 'more line', 'more lines')}")
        where = Text(", ".join(group.targets), style="cyan")
        body = Text.assemble(lines[0], "  ", where, *(Text(f"\n  {line}", style="dim") for line in lines[1:]))
        table.add_row(Text(words.DANGER[group.danger], style=STYLES[group.danger]), Text(group.layer), body)
    return table


def _sections(found: Consequences) -> Iterator[tuple[str, list[str]]]:
    yield (
        "who notices",
        [
            *map(words.domain_text, found.domains),
            *words.node_lines(found),
            *map(words.tenant_text, found.tenants),
            *map(words.service_text, found.services),
        ],
    )
    yield "where services land", [f"{s.namespace}/{s.service} {s.lands}" for s in found.services if s.lands]
    if found.cost and found.cost.lines:
        changed = [
            f"{line.tenant}/{line.service} ({line.state}): {euros(line.after.expected)} as expected"
            f" ({euros(line.delta.expected, sign=True)})"
            for line in found.cost.lines[:DETAILS]
        ]
        yield "what a month costs", [headline(found.cost), *changed, *found.cost.warnings]
    yield (
        "work by hand",
        [
            *(f"{words.hand_text(w)}: {w.reason}: {', '.join(w.targets)}" for w in found.hand_work),
            *(f"{words.cable_text(g.work, g.network, g.count)}: {', '.join(g.devices)}" for g in found.cables),
        ],
    )
    if found.power:
        yield "power", [words.power_text(found.power), *words.power_lines(found.power)]
    if not found.is_empty:
        yield "spare capacity after it", [words.spare_text(group) for group in found.spares.groups]
    if found.not_received.count:
        text = words.count(found.not_received.count, "tray is", "trays are")
        yield "planned only", [f"{text} not received: nothing is done to {', '.join(found.not_received.trays)}"]
    if found.duration.seconds:
        yield (
            f"takes about {words.duration_text(found.duration.seconds)}",
            [f"{p.layer}: {p.what}: {words.duration_text(p.seconds)} ({p.source})" for p in found.duration.parts],
        )
    yield (
        "the way back",
        [f"{'' if s.is_possible else 'CANNOT BE UNDONE: '}{s.what}: {s.how}" for s in found.rollback],
    )
