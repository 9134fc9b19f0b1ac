"""Plain data as YAML: what a YAML library reads back is what was written."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from components.plan.renders.text import ON, Block, yaml_text

KEYS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=12)
SCALARS = st.one_of(KEYS, st.integers(), st.booleans(), st.none())
TREES = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(KEYS, inner)), max_leaves=8),
    min_size=1,
)


@given(TREES)
def test_a_library_reads_back_what_was_written(tree: dict[str, Any]) -> None:
    assert YAML(typ="safe").load(yaml_text(tree)) == tree


def test_words_that_mean_something_else_are_quoted() -> None:
    text = yaml_text({"a": "on", "b": "5", "c": "10.0.0.1/32", "d": "0a:1b", "yes": ON, "5": {}})
    assert text == 'a: "on"\nb: "5"\nc: 10.0.0.1/32\nd: "0a:1b"\n"yes": on\n"5": {}\n'


def test_items_stand_at_the_depth_of_their_key() -> None:
    assert yaml_text({"a": [{"b": 1, "c": [2]}, "d"]}) == "a:\n- b: 1\n  c:\n  - 2\n- d\n"


def test_documents_are_parted() -> None:
    assert yaml_text({"a": 1}, {"b": 2}) == "a: 1\n---\nb: 2\n"


@given(TREES)
def test_a_block_is_written_as_its_mapping_at_any_depth(tree: dict[str, Any]) -> None:
    block = Block(tree)
    with_blocks = yaml_text({"a": block, "b": [{"c": block}, {"d": {"e": block}}]})
    assert with_blocks == yaml_text({"a": tree, "b": [{"c": tree}, {"d": {"e": tree}}]})
