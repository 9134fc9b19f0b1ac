"""The file that `region preview --save` writes and `region up --plan` holds to.

It lists every physical action one by one, with the digest of all consequences and of the description, and
carries Pulumi's own plan of each layer, so that the engine, too, does no other operation.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from components.errors import Problem, SpecError
from components.plan.consequences import Planned, words
from components.plan.consequences.names import fold
from components.words import count
from stacks.cli import written
from stacks.cli.preview_run import Change

SHOWN = 8
"""Actions that a refusal names one by one."""


@dataclass(frozen=True, kw_only=True)
class ApprovedAction:
    """One action, as the journal will know it."""

    layer: str
    target: str
    kind: str
    resource: str
    reason: str
    danger: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.kind} {self.target}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """What was previewed, and is approved by whoever merges it."""

    schema: Literal[1] = 1
    kind: Literal["plan"] = "plan"
    region: str
    layers: list[str]
    digest: str
    """Of the consequences."""
    description: str
    """Digest of the description."""
    headline: str
    actions: list[ApprovedAction]
    pulumi: dict[str, str] = field(default_factory=dict[str, str])
    """Layer -> Pulumi's plan, compressed."""


_ADAPTER = TypeAdapter(PlanFile)


def plan_of(change: Change, layers: Sequence[str], pulumi: Mapping[str, Path]) -> PlanFile:
    """The plan of a change; `pulumi` are the plans that the engine wrote."""
    preview = change.preview()
    return PlanFile(
        region=preview.region,
        layers=list(layers),
        digest=preview.consequences.digest,
        description=preview.description,
        headline=words.headline(preview.consequences),
        actions=[_approved(p) for p in change.planned if p.is_physical],
        pulumi={layer: _packed(path) for layer, path in pulumi.items() if path.is_file()},
    )


def _approved(planned: Planned) -> ApprovedAction:
    return ApprovedAction(
        layer=planned.layer,
        target=planned.device,
        kind=planned.action.kind,
        resource=planned.resource,
        reason=planned.action.reason,
        danger=planned.danger,
    )


def write(plan: PlanFile, path: Path) -> None:
    """One action a line, so that two plans can be compared with any program."""
    data = asdict(plan)
    rows = ",\n  ".join(json.dumps(action, sort_keys=True) for action in data.pop("actions"))
    text = json.dumps(data, indent=1).removesuffix("\n}")
    listed = f"[\n  {rows}\n ]" if rows else "[]"
    written.write(path, f'{text},\n "actions": {listed}\n}}\n')


def read(path: Path) -> PlanFile:
    """Raises SpecError if it is not such a file."""
    try:
        return _ADAPTER.validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        found = count(len(error.errors()), "fault") if isinstance(error, ValidationError) else str(error)
        found = str(error.strerror) if isinstance(error, OSError) else found
        raise SpecError(
            "this is no plan",
            [
                Problem(
                    path=str(path),
                    message="it cannot be read as a plan",
                    found=found,
                    allowed="a file that `region preview --save` wrote",
                    remedy="preview again with --save",
                    rule="plan-form",
                )
            ],
        ) from None


def unpack_pulumi(plan: PlanFile, layers: Iterable[str], folder: Path) -> dict[str, Path]:
    """Pulumi's plans of these layers as files."""
    files: dict[str, Path] = {}
    for layer in layers:
        if layer in plan.pulumi:
            files[layer] = folder / f"{layer}.json"
            files[layer].write_bytes(zlib.decompress(base64.b64decode(plan.pulumi[layer])))
    return files


def refuse_other(plan: PlanFile, now: PlanFile) -> None:
    """Raise SpecError, naming what differs, unless a fresh plan is the approved one."""
    problems = [
        *_scalar("region", plan.region, now.region),
        *_scalar("layers", ", ".join(plan.layers), ", ".join(now.layers)),
        *_actions(plan.actions, now.actions),
    ]
    if not problems:
        problems = [
            *_scalar("description", plan.description[:16], now.description[:16]),
            *_scalar("consequences", plan.digest[:16], now.digest[:16]),
        ]
    if problems:
        raise SpecError("what would be done is not what was approved; nothing has been touched", problems)


def _scalar(what: str, approved: str, found: str) -> list[Problem]:
    if approved == found:
        return []
    return [_problem(what, f"the {what} differ" if what.endswith("s") else f"the {what} differs", found, approved)]


def _problem(path: str, message: str, found: str, allowed: str) -> Problem:
    return Problem(
        path=path,
        message=message,
        found=found,
        allowed=allowed,
        remedy="preview again with --save, and have the new plan approved",
        rule="plan-differs",
    )


def _actions(approved: Sequence[ApprovedAction], found: Sequence[ApprovedAction]) -> list[Problem]:
    """Actions that came, that went, and those whose reason is another one."""

    def key(action: ApprovedAction) -> tuple[str, str, str]:
        return action.layer, action.target, action.kind

    before = {(*key(a), n): a for n, a in _numbered(approved, key)}
    after = {(*key(a), n): a for n, a in _numbered(found, key)}
    new = [after[k] for k in after if k not in before]
    gone = [before[k] for k in before if k not in after]
    other = [(before[k], after[k]) for k in after if k in before and before[k] != after[k]]
    problems = [_problem(a.target, "this action is not in the plan", str(a), "no such action") for a in new[:SHOWN]]
    problems += [_problem(a.target, "this action is in the plan only", "no such action", str(a)) for a in gone[:SHOWN]]
    problems += [_problem(a.target, "the reason differs", str(b), str(a)) for a, b in other[:SHOWN]]
    left = [*new[SHOWN:], *gone[SHOWN:], *(b for _, b in other[SHOWN:])]
    if left:
        names = ", ".join(fold({a.target for a in left}))[:400]
        problems.append(_problem("actions", f"{len(left)} more actions differ", names, "the approved ones"))
    return problems


def _numbered(actions: Sequence[ApprovedAction], key: Any) -> Iterable[tuple[int, ApprovedAction]]:
    """The same action may come twice on one device, as a wipe of the machine that goes and of the one that comes."""
    seen: dict[Any, int] = {}
    for action in actions:
        seen[key(action)] = seen.get(key(action), 0) + 1
        yield seen[key(action)], action


def _packed(path: Path) -> str:
    return base64.b64encode(zlib.compress(path.read_bytes(), level=9)).decode()
