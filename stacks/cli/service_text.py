"""How services are shown: tables for people, documents for programs. Owns no reading and no judging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from components.checks.explain_model import Cause, Explanation, Seen
from components.plan.model import RegionPlan
from components.spec.service import Kind

SCHEMA = 1
"""Of what `--json` prints; raised when a key changes its meaning or goes."""
STYLES = {Cause.SERVING: "green", Cause.FINISHED: "green", Cause.ASLEEP: "dim", Cause.STARTING: "cyan"}
Found = Sequence[tuple[Seen, Explanation]]


def state(found: Explanation) -> Text:
    """The cause as a word; red where somebody has to do something."""
    return Text(found.cause.value.replace("-", " "), style=STYLES.get(found.cause, "bold red"))


def table(plan: RegionPlan, found: Found) -> Table:
    """One line a service."""
    shown = Table(title=f"services of {plan.region}", title_justify="left")
    for column in ("service", "type", "replicas", "GPUs", "state", "why"):
        shown.add_column(column, justify="right" if column in ("replicas", "GPUs") else "left")
    for seen, why in found:
        service = seen.service
        shown.add_row(
            service.key,
            service.kind.value,
            f"{why.ready}/{why.wanted}",
            str(service.gpus * why.ready),
            state(why),
            why.says,
        )
    return shown


def details(plan: RegionPlan, seen: Seen, found: Explanation) -> Text:
    """One service."""
    service = seen.service
    lines = [
        ("service", service.key),
        ("type", service.kind.value),
        ("image", service.image),
        ("replicas", f"{found.ready} of {found.wanted}; {service.extent} declared"),
        ("GPUs", f"{service.gpus} of each replica"),
    ]
    if service.kind is Kind.WEB:
        lines.append(("host", f"{service.host} at {plan.runtime.gateway_vip}"))
    if service.steered_host:
        lines.append(("steered", f"{service.steered_host}, from the nearest edge of its regions"))
    pods = [(f"pod {name}", f"on {node or 'no node yet'}") for name, node in _pods(seen)]
    shown = Text()
    for name, value in (*lines, *pods):
        shown.append(f"{name:10} {value}\n")
    return shown + reasons(service.key, found)


def reasons(key: str, found: Explanation) -> Text:
    """Cause, evidence, next step."""
    shown = Text.assemble(f"{key}: ", state(found), f": {found.says}\n")
    for line in found.evidence:
        shown.append(f"  seen  {line}\n")
    return shown.append(f"  next  {found.next_step}")


def rows(found: Found) -> list[dict[str, Any]]:
    """One document a service."""
    return [document(seen, why) for seen, why in found]


def document(seen: Seen, found: Explanation) -> dict[str, Any]:
    """All that is told of one service."""
    service = seen.service
    return {
        "tenant": service.tenant,
        "service": service.name,
        "namespace": service.namespace,
        "type": service.kind.value,
        "host": service.host if service.kind is Kind.WEB else None,
        "steered_host": service.steered_host,
        "image": service.image,
        "gpus_per_replica": service.gpus,
        "min_replicas": service.min_replicas,
        "max_replicas": service.max_replicas,
        "pods": [{"name": name, "node": node} for name, node in _pods(seen)],
        **explanation(found),
    }


def explanation(found: Explanation) -> dict[str, Any]:
    """The state of a service for programs."""
    return {
        "cause": found.cause.value,
        "well": found.is_well,
        "ready": found.ready,
        "wanted": found.wanted,
        "says": found.says,
        "evidence": list(found.evidence),
        "next_step": found.next_step,
    }


def _pods(seen: Seen) -> Iterable[tuple[str, str | None]]:
    return [(str(pod["metadata"]["name"]), pod["spec"].get("nodeName")) for pod in seen.pods]
