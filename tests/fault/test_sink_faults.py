"""Every sink, every fault: nothing lost, every group in order, what is doubled is explained."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from routestudio.sinks import registry
from tests.fault.harness import deliver_under, excused
from tests.fault.rows import FORMS
from tests.fault.service import Service
from tests.fault.services import STARTS

pytestmark = pytest.mark.real

FAULTS = {
    "killed": "the service is killed and started again",
    "cut": "connections are cut inside of a batch",
    "held": "answers are held back for longer than the sink waits",
    "slow": "every answer is slow",
    "refused": "requests are refused again and again",
    "lost": "the write is done, but its answer is lost",
    "frozen": "the service stands still for longer than the sink waits, then does all it was sent",
}
# Each fault meets rows of another form, so every sink meets them all; further rounds shift them.
ROUNDS = int(os.environ.get("ROUTESTUDIO_FAULT_ROUNDS", "1"))


def test_every_sink_is_in_the_table() -> None:
    assert set(STARTS) == set(registry.default().keys())


@pytest.mark.usefixtures("trusted_ca")
@pytest.mark.parametrize("service", STARTS, indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("turn", range(ROUNDS))
async def test_nothing_is_lost_and_every_group_is_in_order(
    service: Service, fault: str, turn: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    if reason := service.excuse(fault):
        record_property("table:faults", excused(service.key, fault, reason).as_json())
        pytest.skip(f"{service.key}: {reason}")
    forms = list(FORMS)
    form = forms[(list(FAULTS).index(fault) + turn) % len(forms)]
    row, verdict = await deliver_under(service, fault, tmp_path, monkeypatch.setattr, form)
    record_property("table:faults", row.as_json())
    assert verdict.good, str(verdict)
    assert row.rejected == 0
    assert row.fired > 0, "the fault did not happen"
    if fault == "lost" and service.key != "kafka":  # its client sends again by itself
        assert row.retried > 0
