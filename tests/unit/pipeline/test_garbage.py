"""The collector's thresholds while deliveries last."""

from __future__ import annotations

import gc

import pytest

from routestudio.pipeline.garbage import collected_rarely


def test_thresholds_come_back_when_the_last_delivery_ends() -> None:
    usual = gc.get_threshold()
    first, second = collected_rarely(), collected_rarely()
    first.__enter__()
    raised = gc.get_threshold()
    assert raised[0] > usual[0]
    assert raised[1:] == usual[1:]
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() == raised
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_a_failure_gives_them_back() -> None:
    usual = gc.get_threshold()
    with pytest.raises(RuntimeError), collected_rarely():
        raise RuntimeError
    assert gc.get_threshold() == usual


def test_a_process_that_collects_even_less_often_is_left_alone() -> None:
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        with collected_rarely():
            assert gc.get_threshold() == (200_000, 20, 100)
    finally:
        gc.set_threshold(*usual)
