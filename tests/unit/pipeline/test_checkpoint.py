from __future__ import annotations

import json
from pathlib import Path

import pytest

from routestudio.errors import ProjectError, UsageError
from routestudio.pipeline.checkpoint import Checkpoint


def test_saves_and_continues(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    checkpoint = Checkpoint(path, "orders.jsonl")
    assert checkpoint.position == 0
    checkpoint.save(41)
    assert json.loads(path.read_text()) == {"position": 41, "source": "orders.jsonl"}
    assert Checkpoint(path, "orders.jsonl").position == 41
    assert Checkpoint(path).position == 41
    assert [p.name for p in tmp_path.iterdir()] == ["place.json"]


def test_keeps_what_is_finished_above_the_position(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    Checkpoint(path).save(3, [(5, 9), (12, 13)])
    again = Checkpoint(path)
    assert (again.position, again.finished) == (3, [(5, 9), (12, 13)])
    again.save(3, [(5, 13)])
    assert Checkpoint(path).finished == [(5, 13)]
    again.save(13)
    assert json.loads(path.read_text()) == {"position": 13}


def test_what_a_crash_left_behind_does_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    torn = tmp_path / ".place.json.part"
    torn.write_text('{"posi')
    Checkpoint(path).save(7)
    assert Checkpoint(path).position == 7
    assert [p.name for p in tmp_path.iterdir()] == ["place.json"]


def test_another_source_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    Checkpoint(path, "orders.jsonl").save(5)
    with pytest.raises(UsageError, match=r"another source: orders\.jsonl"):
        Checkpoint(path, "customers.jsonl")


def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    path, rows = tmp_path / "place.json", tmp_path / "rows.jsonl"
    rows.write_text("one\ntwo\n")
    Checkpoint(path, "rows", input=rows).save(2)
    assert Checkpoint(path, "rows", input=rows).position == 2
    rows.write_text("one\ntwo\nthree\n")
    assert Checkpoint(path, "rows", input=rows).position == 2, "it has grown"
    for other in ("one\nTWO\nthree\n", "one\n", ""):
        rows.write_text(other)
        with pytest.raises(UsageError, match=r"rows\.jsonl is not the file"):
            Checkpoint(path, "rows", input=rows)
    assert Checkpoint(path, "rows").position == 2


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    path, rows = tmp_path / "place.json", tmp_path / "rows.jsonl"
    rows.write_bytes(b"x" * 200_000)
    Checkpoint(path, input=rows).save(1)
    with rows.open("r+b") as file:
        file.seek(150_000)
        file.write(b"y")
    assert Checkpoint(path, input=rows).position == 1


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"[]", b'{"position": -1}', b'{"position": true}', b"\xff\xfe",
     b'{"position": 4, "finished": [[4, 5]]}', b'{"position": 4, "finished": [[7, 6]]}',
     b'{"position": 4, "finished": [[6, 8], [8, 9]]}', b'{"position": 4, "finished": [[6, 8.5]]}',
     b'{"position": 4, "finished": 5}', b'{"position": 4, "finished": [[6]]}'],
)  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "place.json"
    path.write_bytes(content)
    with pytest.raises(ProjectError, match="checkpoint"):
        Checkpoint(path)
    assert path.read_bytes() == content


def test_missing_folder_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        Checkpoint(tmp_path / "no" / "place.json")


def test_a_failed_write_keeps_the_old_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "place.json"
    checkpoint = Checkpoint(path)
    checkpoint.save(1)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(2)
    assert Checkpoint(path).position == 1
    assert [p.name for p in tmp_path.iterdir()] == ["place.json"]
