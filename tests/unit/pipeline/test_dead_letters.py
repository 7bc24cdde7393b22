from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from routestudio.model.message import message_from
from routestudio.pipeline.dead_letters import DeadLetter, DeadLetterError, DeadLetters
from tests.unit.pipeline.doubles import make_message

LETTER = DeadLetter(make_message(3), "deliver", "http_400", "refused", attempts=2)


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_letter_holds_message_reason_attempts_sink_and_time(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    now = dt.datetime(2024, 5, 1, 12, 0, 0, 120_000, tzinfo=dt.UTC)
    with DeadLetters(path, "orders", now=lambda: now) as letters:
        letters.add([LETTER])
        assert entries(path), "it is in the file before `add` returns"
    (entry,) = entries(path)
    assert entry == {
        "message": make_message(3).as_json(),
        "reason": {"stage": "deliver", "code": "http_400", "message": "refused", "field": None,
                   "line": None, "column": None},
        "attempts": 2, "sink": "orders", "at": "2024-05-01T12:00:00.120Z",
    }  # fmt: skip
    assert message_from(entry["message"]) == message_from(make_message(3).as_json())


def test_unreadable_rows_keep_their_text_and_place(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s") as letters:
        letters.add([DeadLetter(None, "read", "unreadable", "no", line=4, column=2, raw='{"a"')])
    (entry,) = entries(path)
    assert entry["message"] is None
    assert entry["raw"] == '{"a"'
    assert (entry["reason"]["line"], entry["reason"]["column"]) == (4, 2)  # type: ignore[index]


@pytest.mark.parametrize("letters", [0, 1, 3])
@pytest.mark.parametrize("part", [1, 5, 11, 40, 70_000, -2])
def test_half_a_letter_is_taken_away(tmp_path: Path, letters: int, part: int) -> None:
    path = tmp_path / "dead.jsonl"
    long = DeadLetter(make_message(1, text="x" * 80_000), "deliver", "no", "refused")
    with DeadLetters(path, "s") as kept:
        kept.add([long] * letters)
        before = path.read_bytes()
        kept.add([long])
    path.write_bytes(path.read_bytes()[: len(before) + part] if part > 0
                     else path.read_bytes()[:part])  # fmt: skip
    with DeadLetters(path, "s") as again:
        assert path.read_bytes() == before
        again.add([LETTER])
    assert len(entries(path)) == letters + 1


@pytest.mark.parametrize("line", ['{"message": null}', "a note", '{"mess": 1', "[1"])
def test_any_other_open_line_is_kept(tmp_path: Path, line: str) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_text(f"first\n{line}", encoding="utf-8")
    with DeadLetters(path, "s") as letters:
        letters.add([LETTER])
    lines = path.read_text("utf-8").splitlines()
    assert lines[:2] == ["first", line]
    assert json.loads(lines[2])["sink"] == "s"


def test_a_letter_that_may_not_be_on_the_disk_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with DeadLetters(tmp_path / "dead.jsonl", "s") as letters:
        letters.add([LETTER])
        letters.sync()
        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(DeadLetterError, match="No space left"):
            letters.sync()
    monkeypatch.undo()
    with DeadLetters(Path("/dev/null"), "s") as nowhere:
        nowhere.add([LETTER])
        nowhere.sync()


def test_values_without_json_form_are_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    message = make_message(0, bad=float("nan"), odd=object, fine=[1, {"x": 2}])
    with DeadLetters(path, "s") as letters:
        letters.add([DeadLetter(message, "encode", "not_json", "nan")])
    record = entries(path)[0]["message"]["record"]  # type: ignore[index]
    assert record["bad"] == "nan"
    assert record["fine"] == [1, {"x": 2}]


def test_reasons_are_redacted(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path, "s", redact=lambda t: t.replace("hunter2", "•••")) as letters:
        letters.add([DeadLetter(make_message(), "deliver", "c", "bad password hunter2")])
    assert "hunter2" not in path.read_text("utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_that_says_so() -> None:
    with (
        DeadLetters(Path("/dev/full"), "s") as letters,
        pytest.raises(DeadLetterError, match=r"/dev/full.*cannot be written.*[Nn]o space"),
    ):
        letters.add([LETTER])


def test_an_unwritable_place_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(DeadLetterError, match="cannot be written"):
        DeadLetters(tmp_path / "missing" / "dead.jsonl", "s")
