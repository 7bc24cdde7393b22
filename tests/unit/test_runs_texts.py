"""What the window says of messages that a service did not store."""

from __future__ import annotations

from typing import Any

import pytest

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
    counts = {"duplicates": count, "duplicates_unconfirmed": lost}
    assert duplicates(counts) == text  # type: ignore[arg-type]
    run: dict[str, Any] = {"counts": counts, "started": "2026-01-01T00:00:00Z", "sink": "s",
                           "kind": "sample", "value": "rows", "status": "done", "left": 0,
                           "letters": 0, "parent": None, "error": None, "standin": False,
                           "resumable": False}  # fmt: skip
    assert text in tip(run)  # type: ignore[arg-type]
    assert ("not stored" in tip(run)) == bool(count)  # type: ignore[arg-type]
    assert (picture(run)[1] == "danger") == bool(lost)  # type: ignore[arg-type]
