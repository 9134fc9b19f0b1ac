"""The list of all rules: each has one id for good, and says in a sentence what must hold."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from typer.testing import CliRunner

from components.plan.rule_list import rules, sections
from components.spec import Region, load
from components.spec.rules import RULES
from stacks.cli.main import app
from tests.regions import REGIONS, ROOT

KEYS = frozenset(Region.model_fields)


class Watched(Region):
    """Notes which top-level keys are looked at."""

    def __getattribute__(self, name: str) -> Any:
        if name in KEYS:
            looked_at.add(name)
        return super().__getattribute__(name)


looked_at: set[str] = set()


@pytest.mark.parametrize("name", ["lab", "paris", "essonne"])
def test_a_rule_looks_at_no_key_but_those_that_it_says_so_it_is_not_run_where_one_is_missing(name: str) -> None:
    region = load(REGIONS / name, REGIONS / "_catalogue", project=ROOT)
    watched = Watched.model_construct(**{key: getattr(region, key) for key in KEYS})
    watched = watched.at(region.positions, region.delivered)
    unsaid: dict[str, set[str]] = {}
    for rule in RULES:
        looked_at.clear()
        list(rule.check(watched))
        if more := looked_at - rule.needs:
            unsaid[rule.id] = more
    assert not unsaid


def test_every_rule_has_an_id_of_its_own() -> None:
    assert [id for id, count in Counter(rule.id for rule in rules()).items() if count > 1] == []


def test_every_rule_says_in_a_sentence_what_must_hold() -> None:
    for rule in rules():
        assert rule.about.endswith("."), rule.id
        assert rule.about[0].isupper(), rule.id
        assert "Example" not in rule.about, rule.id
    for section in sections():
        assert section.about.startswith("Rules "), section.name


def test_the_command_prints_them_for_people_and_for_machines() -> None:
    printed = CliRunner().invoke(app, ["rules", "--section", "power"], env={"COLUMNS": "200"})
    assert printed.exit_code == 0
    assert "power-feed-lost" in printed.output
    assert "(N+1)" in printed.output
    assert "latency-budget" not in printed.output
    document = json.loads(CliRunner().invoke(app, ["rules", "--json"]).output)
    assert document["schema"] == 1
    assert {rule["id"] for rule in document["rules"]} == {rule.id for rule in rules()}


def test_the_command_names_the_subjects_that_there_are() -> None:
    refused = CliRunner().invoke(app, ["rules", "--section", "weather"], env={"COLUMNS": "400"})
    assert refused.exit_code == 2
    assert "sovereignty" in refused.output
