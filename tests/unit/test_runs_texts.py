"""What the window says of messages that a service did not store."""

from __future__ import annotations

import pytest

from routestudio.api.runs import Counts, Run
from routestudio.ui.runs import duplicates, picture, tip


@pytest.mark.parametrize(
    ("count", "lost", "text"),
    [
        (0, 0, ""),
        (1, 0, "1 message was not stored: the service knew its id. It holds the same message "
               "already."),
        (1, 1, "1 message was not stored: the service knew its id. It was not seen to hold the "
               "same message."),
        (1200, 0, "1,200 messages were not stored: the service knew their ids. It holds the same "
                  "messages already."),
        (5, 5, "5 messages were not stored: the service knew their ids. It was not seen to hold "
               "the same messages."),
        (5, 2, "5 messages were not stored: the service knew their ids. For 2 of them it was "
               "not seen to hold the same message."),
    ],
)  # fmt: skip
def test_duplicates_are_said(count: int, lost: int, text: str) -> None:
    counts = Counts(duplicates=count, duplicates_unconfirmed=lost)
    assert duplicates(counts) == text
    run = Run(
        "1", "s", "rows", standin=False, total=2000, started="2026-01-01T00:00:00Z",
        status="done", counts=counts,
    )  # fmt: skip
    assert text in tip(run)
    assert ("not stored" in tip(run)) == bool(count)
    assert (picture(run)[1] == "danger") == bool(lost)
