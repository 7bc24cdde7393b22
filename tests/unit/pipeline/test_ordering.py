from __future__ import annotations

from routestudio.pipeline.ordering import Lanes


def test_one_of_a_group_is_out_and_the_others_follow_in_order() -> None:
    lanes: Lanes[int] = Lanes()
    assert lanes.enter("a", 1)
    assert not lanes.enter("a", 2)
    assert lanes.enter("b", 3)
    assert not lanes.enter("a", 4)
    assert lanes.waiting == 2
    assert lanes.leave("a") == 2
    assert not lanes.enter("a", 5)
    assert lanes.leave("a") == 4
    assert lanes.leave("a") == 5
    assert lanes.leave("a") is None
    assert lanes.leave("b") is None
    assert len(lanes) == 0
    assert lanes.waiting == 0
    assert lanes.enter("a", 6)
