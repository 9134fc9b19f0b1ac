"""The pull request's comment: what a change does to a region, most dangerous first."""

from __future__ import annotations

from collections.abc import Sequence

from stacks.cli.layers import Phase, State
from stacks.cli.output import changes_text

LIMIT = 60_000
"""Bytes that a comment may have; the forges refuse longer ones."""
DANGER = ("delete", "replace", "delete-replaced", "create-replacement", "update", "create")
"""Operations from the most dangerous to the least."""


def _rank(line: str) -> int:
    operation = line.split(" ", 1)[0]
    return DANGER.index(operation) if operation in DANGER else len(DANGER)


def _details(phase: Phase) -> list[str]:
    lines = sorted(phase.details, key=_rank)
    return [
        "",
        f"<details><summary>{phase.layer}: {len(lines)} resources change</summary>",
        "",
        *(f"- `{line}`" for line in lines),
        "",
        "</details>",
    ]


def markdown(region: str, phases: Sequence[Phase]) -> str:
    """The comment in Markdown, below LIMIT bytes; what does not fit is counted, not cut in the middle."""
    if not any(p.is_changed or p.state is State.FAILED for p in phases):
        return f"### {region}: nothing changes\n"
    head = [f"### {region}: what this change does", "", "| layer | resources |", "|---|---|"]
    head += [
        f"| {p.layer} | {'**failed**' if p.state is State.FAILED else changes_text(p) or 'nothing'} |" for p in phases
    ]
    for phase in phases:
        if phase.state is State.FAILED:
            head += ["", f"**{phase.layer} cannot be previewed:**", "", "```", phase.error, "```"]
    lines = list(head)
    used = sum(len(line.encode()) + 1 for line in lines)
    left_out = 0
    for phase in phases:
        block = _details(phase) if phase.details else []
        size = sum(len(line.encode()) + 1 for line in block)
        if used + size > LIMIT - 200:
            left_out += len(phase.details)
            continue
        lines += block
        used += size
    if left_out:
        lines += ["", f"{left_out} more resources change; run `region preview {region}` to see them."]
    return "\n".join(lines) + "\n"
