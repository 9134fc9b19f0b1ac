"""The pull request's comment: what a change does to a region, most dangerous first, below the forges' limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from components.plan.consequences import Danger, words
from components.plan.consequences.model import ActionGroup, Consequences
from components.plan.cost import change_table, headline
from stacks.cli.layers import Phase, State
from stacks.cli.output import changes_text
from stacks.cli.preview_result import Preview

LIMIT = 60_000
"""Bytes that a comment may have; the forges refuse longer ones."""
_MARGIN = 300
"""Bytes for the last line, which says what was left out."""
NAMES_LIMIT = 600
"""Characters of folded names in one entry; beyond, their number must do."""
MOST_DANGEROUS = ("delete", "replace", "delete-replaced", "create-replacement", "update", "create")
"""Operations of Pulumi from the most dangerous to the least."""
Block = Sequence[str]


def markdown(preview: Preview) -> str:
    """The comment. What does not fit is counted, never cut in the middle."""
    found = preview.consequences
    blocks: list[Block] = [list(_head(preview))]
    if not preview.is_empty:
        blocks += [*_visible(found), *_folded(found), *_resources(preview.phases)]
    lines: list[str] = []
    used, left_out = 0, 0
    for block in blocks:
        size = sum(len(line.encode()) + 1 for line in block)
        if used + size > LIMIT - _MARGIN:
            left_out += 1
            continue
        lines += block
        used += size
    if left_out:
        what = words.count(left_out, "more part does", "more parts do")
        lines += ["", f"{what} not fit here: `region preview {preview.region}` shows all."]
    return "\n".join(lines) + "\n"


def _head(preview: Preview) -> Iterator[str]:
    found = preview.consequences
    if preview.is_empty:
        yield f"### {preview.region}: nothing changes"
    else:
        yield f"### {preview.region}: {'all of it is new' if found.is_first else 'what this change does'}"
        yield from ("", f"**{_capital(words.headline(found))}.**")
    for note in (*preview.unready, *found.notes):
        yield from ("", f"> {_capital(note)}.")
    for phase in preview.phases:
        if phase.state is State.FAILED:
            yield from ("", f"**{phase.layer} cannot be previewed:**", "", "```", phase.error, "```")
    if not preview.is_empty:
        seconds = found.duration.seconds
        time = f" · takes about {words.duration_text(seconds)}" if seconds else ""
        yield from ("", f"Compared with {preview.compared}{time} · consequences `{found.digest[:16]}`")


def _visible(found: Consequences) -> Iterator[Block]:
    """What nobody may overlook, and what stops for it."""
    for title, wanted in (
        ("Hosts in service are lost", (Danger.HOST_LOST,)),
        ("Disks of machines that are not in service are wiped", (Danger.WIPED,)),
        ("Something in service stops for a moment", (Danger.INTERRUPTED,)),
        ("Devices change, nothing in service stops", (Danger.CHANGED,)),
    ):
        if groups := [group for group in found.actions if group.danger in wanted]:
            yield ["", f"#### {title}", "", *(f"- {_action(group)}" for group in groups)]
    who = [
        *map(words.domain_text, found.domains),
        *words.node_lines(found),
        *map(words.tenant_text, found.tenants),
        *map(words.service_text, found.services),
    ]
    if who:
        yield ["", "#### Who notices", "", *(f"- {_capital(line)}" for line in who)]
    if lands := [f"`{s.namespace}/{s.service}` {s.lands}" for s in found.services if s.lands]:
        yield ["", "#### Where services land", "", *(f"- {line}" for line in lands)]
    if found.cost and found.cost.lines:
        yield ["", "#### What a month costs", "", f"{_capital(headline(found.cost))}.", *_warnings(found.cost.warnings)]
    work = [f"{words.hand_text(each)}: {each.reason} ({_names(each.targets)})" for each in found.hand_work]
    work += [f"{words.cable_text(g.work, g.network, g.count)}: {_names(g.devices)}" for g in found.cables]
    if work:
        yield ["", "#### Work by hand", "", *(f"- {_capital(line)}" for line in work)]


def _warnings(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from ("", f"> **Warning:** {text}.")


def _action(group: ActionGroup) -> str:
    return f"{words.action_text(group)} ({_names(group.targets)})"


def _folded(found: Consequences) -> Iterator[Block]:
    for group in found.actions:
        if detail := list(_details_of(group)):
            yield _details(f"{group.kind} {_short(group.targets)}: what differs", detail)
    if recorded := [group for group in found.actions if group.danger is Danger.RECORDED]:
        yield _details("Recorded only", (f"- {_action(group)}" for group in recorded))
    if found.cost and found.cost.lines:
        title = f"The month of {words.count(len(found.cost.lines), 'service changes', 'services change')}"
        yield _details(title, change_table(found.cost))
    if found.power:
        yield _details(_capital(words.power_text(found.power)), (f"- {x}" for x in words.power_lines(found.power)))
    for group in found.cables:
        title = _capital(words.cable_text(group.work, group.network, group.count))
        yield _details(title, [*(f"- {x}" for x in group.lengths), *(f"- for example {x}" for x in group.examples)])
    if found.spares.groups:
        title = f"Spare capacity after it: {found.spares.region_trays:,} trays, {found.spares.region_gpus:,} GPUs"
        yield _details(title, (f"- {words.spare_text(group)}" for group in found.spares.groups))
    if found.not_received.count:
        title = f"{words.count(found.not_received.count, 'tray is', 'trays are')} not received: nothing is done to them"
        yield _details(title, [f"- {_names(found.not_received.trays)}"])
    if found.duration.parts:
        parts = (f"- {p.layer}: {p.what}: {words.duration_text(p.seconds)} ({p.source})" for p in found.duration.parts)
        yield _details(f"Duration: about {words.duration_text(found.duration.seconds)}", parts)
    if found.rollback:
        steps = (f"- {'' if s.is_possible else '**cannot be undone:** '}{s.what}: {s.how}" for s in found.rollback)
        yield _details("The way back", steps)


def _details_of(group: ActionGroup) -> Iterator[str]:
    yield from (f"- {effect}" for effect in group.effects)
    if group.disrupts:
        yield f"- flaps: {_names(group.disrupts)}"
    yield from (f"- `{example}`" for example in group.examples)
    if group.details:
        first = "" if group.count == 1 else "of the first one"
        more = [f"({group.details_left_out} more lines)"] if group.details_left_out else []
        yield from (*([first] if first else []), "```diff", *group.details, *more, "```")


def _resources(phases: Sequence[Phase]) -> Iterator[Block]:
    if not phases:
        return
    rows = [
        f"| {p.layer} | {'**failed**' if p.state is State.FAILED else changes_text(p) or 'nothing'} |" for p in phases
    ]
    lines = ["| layer | resources |", "|---|---|", *rows]
    yield _details("Pulumi's resources by layer", lines)
    for phase in phases:
        if phase.details:
            ordered = sorted(phase.details, key=_rank)
            title = f"{phase.layer}: {words.count(len(ordered), 'resource changes', 'resources change')}"
            yield _details(title, (f"- `{line}`" for line in ordered))


def _rank(line: str) -> int:
    operation = line.split(" ", 1)[0]
    return MOST_DANGEROUS.index(operation) if operation in MOST_DANGEROUS else len(MOST_DANGEROUS)


def _details(title: str, lines: Iterable[str]) -> Block:
    return ["", f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _names(folded: Sequence[str]) -> str:
    text = ", ".join(folded)
    return f"`{text}`" if len(text) <= NAMES_LIMIT else f"`{text[:NAMES_LIMIT]}` and more"


def _short(folded: Sequence[str]) -> str:
    return folded[0] if len(folded) == 1 else f"{folded[0]} and {len(folded) - 1} more"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
