"""Many names as a few, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan.consequences import fold, unfold

CASES: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "none": ([], ()),
    "one": (["lab-r01-t01"], ("lab-r01-t01",)),
    "a rack": ([f"ess-r001-t{n:02d}" for n in range(1, 19)], ("ess-r001-t[01-18]",)),
    "racks with the same trays": (
        [f"ess-r{r:03d}-t{t:02d}" for r in (1, 2, 9) for t in (1, 2)],
        ("ess-r[001-002,009]-t[01-02]",),
    ),
    "racks with other trays": (["a1-t1", "a2-t2"], ("a1-t1", "a2-t2")),
    "numbers of other widths": (["spine9", "spine10", "spine11"], ("spine9", "spine[10-11]")),
    "no numbers": (["edge", "bootstrap.yml"], ("bootstrap.yml", "edge")),
}


@pytest.mark.parametrize("case", CASES)
def test_names_fold_into_ranges(case: str) -> None:
    names, folded = CASES[case]
    assert fold(names) == folded
    assert unfold(folded) == tuple(sorted(names))


NAME = st.from_regex(r"\A[a-z]{1,2}[0-9]{0,3}(-[a-z][0-9]{1,3}){0,2}\Z")


@given(st.sets(NAME, max_size=40))
def test_folding_loses_no_name_and_adds_none(names: set[str]) -> None:
    assert unfold(fold(names)) == tuple(sorted(names))
