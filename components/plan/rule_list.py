"""All rules that a region is held to before anything is planned, with what each says: for people and for pages.

The text is that of the rules' own docstrings, so it is never another than the code's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from components.plan import rules as artifact_rules
from components.plan import workload_rules
from components.plan.cost import change as cost_rules
from components.spec import rules as spec_rules


@dataclass(frozen=True, kw_only=True)
class RuleText:
    """One rule."""

    id: str
    """Stable: it stands in messages, in tests and in what refers to them."""
    section: str
    about: str
    """What must hold, in a sentence."""
    example: str
    """A description that breaks it; empty where the sentence says it all."""
    looks_at: tuple[str, ...]
    """Top-level keys of the description that it reads."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rules on one subject."""

    name: str
    about: str
    rules: tuple[RuleText, ...]


def sections() -> tuple[Section, ...]:
    """All of them, by name; rules in the order in which their module has them."""
    found: dict[str, list[RuleText]] = {}
    for rule in spec_rules.RULES:
        text = RuleText(
            id=rule.id,
            section=rule.section,
            about=rule.about,
            example=rule.example,
            looks_at=tuple(sorted(rule.needs)),
        )
        found.setdefault(rule.section, []).append(text)
    named = [Section(name=name, about=_about(name), rules=tuple(found[name])) for name in found]
    return tuple(sorted([*named, *_of_the_plan()], key=lambda section: section.name))


def rules() -> Iterator[RuleText]:
    """All of them."""
    for section in sections():
        yield from section.rules


def _about(section: str) -> str:
    """The first sentence of the module that holds the rules."""
    text = import_module(f"{spec_rules.__name__}.{section}").__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())


_OF_THE_PLAN = (
    (
        "artifacts",
        "Rules between a description and the artifact index: what is named is published.",
        ("artifacts",),
        artifact_rules.ABOUT,
    ),
    (
        "cost",
        "Rules on budgets, which warn in the preview and refuse nothing.",
        ("catalogue", "power", "tenants"),
        cost_rules.ABOUT,
    ),
    (
        "workloads",
        "Rules on where services land: what a service or its model needs of GPUs is in some pool of the region.",
        ("catalogue", "racks", "tenants"),
        workload_rules.ABOUT,
    ),
)
"""Section, what it is about, keys that it reads, and id -> what must hold, of rules that need more than a description."""


def _of_the_plan() -> Iterator[Section]:
    for name, about, looks_at, texts in _OF_THE_PLAN:
        rules = (RuleText(id=id, section=name, about=text, example="", looks_at=looks_at) for id, text in texts.items())
        yield Section(name=name, about=about, rules=tuple(rules))
