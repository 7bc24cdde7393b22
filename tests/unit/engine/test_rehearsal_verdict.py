"""The verdict of a rehearsal against the fault tests' oracle, on anything that may arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routestudio.engine.rehearsal_verdict import verdict_on
from tests.support.oracle import Wanted, judge

_NUMBERS = st.integers(0, 14)


@given(
    st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=1, max_size=15),
    st.dictionaries(st.sampled_from(["x", "y"]), st.lists(_NUMBERS, max_size=25)),
    st.sets(_NUMBERS),
    st.sets(_NUMBERS),
)
def test_both_judges_agree(
    groups: list[str | None],
    places: dict[str, list[int]],
    given_up: set[int],
    doubtful: set[int],
) -> None:
    known = dict(enumerate(groups))
    places = {place: [n for n in found if n in known] for place, found in places.items()}
    given_up &= known.keys()
    ours = verdict_on(known, places, given_up=given_up, doubtful=doubtful)
    wanted = [Wanted(number, group) for number, group in known.items()]
    other = judge(wanted, places, letters=given_up, explained=doubtful)
    assert (ours.wanted, ours.arrived, ours.doubled) == (
        other.wanted, other.arrived, other.doubled
    )  # fmt: skip
    assert list(ours.lost) == other.missing
    assert list(ours.unexplained) == other.unexplained
    told = [f"{o.place}: {o.group}: {o.number} after {o.before}" for o in ours.overtaken]
    assert len(told) == len(other.disorder)
    for mine, theirs in zip(told, other.disorder, strict=True):
        assert mine.split(" after ")[0] in theirs
        assert theirs.endswith(f" {mine.rsplit(' ', 1)[1]}")
    assert len(ours.stale) == len(other.stale)
    assert ours.good == other.good
