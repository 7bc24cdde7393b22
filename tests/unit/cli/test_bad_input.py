"""Bad files: refused with exit code 2, or a marked row, with file, line and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from routestudio.app import main

SINK = (
    "sinks:\n  - name: s\n    database: d\n    destination:\n      type: kafka\n"
    "      hosts: localhost:9092\n      topic: t\n"
)
ROW = b'{"action":"insert","record":{"id":1},"changes":null,"metadata":{"table_name":"t"}}\n'
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)

MEASURED = """
import re, resource, sys
from routestudio.app import main
code = main(sys.argv[1:])
[own] = re.findall(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""The program, which says how much memory it and its processes held at most, in kilobytes.

It asks from inside: what the system tells a process of its children begins with its own size.
"""

PROJECTS = {
    "truncated": (SINK + '  - name: "abc\n', "line 9", "cut off"),
    "truncated flow": ("sinks:\n  - {name: s, database: d", "line 2", "cut off"),
    "tabs": ("sinks:\n\t- name: s\n", "line 2", "spaces"),
    "unknown type": (SINK.replace("kafka", "kafak"), "line 5", "did you mean `kafka`?"),
    "unknown key": (SINK.replace("topic", "topc"), "line 7", "did you mean `topic`?"),
    "list for text": (SINK.replace("localhost:9092", "[1, 2]"), "line 6", "expected text"),
    "text for number": (SINK.replace(": d\n", ": d\n    batch_size: x\n"), "line 4", "number"),
    "number for map": ("sinks:\n  - name: s\n    database: d\n    destination: 7\n", "line 4",
                       "must be a map"),
    "number for list": ("sinks: 5\n", "line 1", "start each entry with `-`"),
    "list for map": ("- a\n", "line 1", "keys like `sinks`"),
    "text": ("just text\n", "line 1", "keys like `sinks`"),
    "no name": ("sinks:\n  - database: d\n", "line 2", "letters, digits"),
    "duplicate key": (SINK + "sinks: []\n", "line 8", "remove one of them"),
    "two documents": (SINK + "---\n" + SINK, "line 8", "more than one document"),
    "alias bomb": (BOMB + SINK, "sequin.yaml", "aliases"),
    "deep": ("a: " + "[" * 5000 + "]" * 5000 + "\n", "line 1", "nested"),
    "empty": ("", "sequin.yaml", "the project has none"),
    "object tag": ("sinks: !!python/object/apply:os.system ['false']\n", "line 1", "`sinks`"),
    "binary": (bytes(range(256)) * 10, "line 2", "UTF-8"),
    "latin-1": ("# é\n" .encode("latin-1") + SINK.encode(), "line 1", "UTF-8"),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sequin.yaml").write_text(SINK)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/a.jsonl").write_bytes(ROW)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
def test_a_bad_project_is_refused_in_one_line(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, where, hint = PROJECTS[name]
    data = content if isinstance(content, bytes) else content.encode()  # type: ignore[attr-defined]
    file = project / "sequin.yaml"
    file.write_bytes(data)
    code = main(["preview", str(project), "s", "--format", "json"])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(file) in err
    assert where in err
    assert hint in err
    assert main(["lint", str(project)]) in (1, 2) or name == "empty"
    said = "".join(capsys.readouterr())
    assert "sequin.yaml" in said
    assert file.read_bytes() == data
    assert sorted(p.name for p in project.iterdir()) == ["samples", "sequin.yaml"]


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text,
    lambda text: text.rstrip("\n"), lambda text: "---\n" + text + "...\n",
])  # fmt: skip
def test_unusual_but_right_projects_open(
    change: object, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(change)
    data = change(SINK).encode()
    (project / "sequin.yaml").write_bytes(data)
    assert main(["preview", str(project), "s", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["routing"]["topic"] == "t"
    assert (project / "sequin.yaml").read_bytes() == data


FILES = {
    "binary.jsonl": (bytes(range(256)) * 100, "a binary file"),
    "packed.jsonl": (b"\x1f\x8bxyz", "a gzip file"),
    "wide.jsonl": (ROW.decode().encode("utf-16"), "UTF-16"),
    "empty.jsonl": (b"", "no messages"),
    "blank.jsonl": (b"\n \r\n\n", "no messages"),
    "cut.json": (b"[" + ROW.strip() + b",", "line 1"),
    "twice.csv": (b"id,id\n1,2\n", "same name"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_messages_is_refused(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, text = FILES[name]
    file = project / "samples" / name
    file.write_bytes(content)
    assert main(["preview", str(project), "s", "--input", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert name in err
    assert text in err
    assert file.read_bytes() == content


LINES = {
    b'{"action":"insert","rec': "cut off",
    b"\xff\xfe": "UTF-8",
    b"5": "not a number",
    b'{"action":"explode","record":{}}': "insert, update, delete or read",
    b'{"action":"insert","record":5}': "`record`",
    b'{"action":"insert","record":{},"metadata":7}': "`metadata`",
    b'{"action":"insert","record":{},"changes":[]}': "`changes`",
    b'{"action":"insert","record":{"id":NaN}}': "NaN",
    b'{"action":"insert","record":{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}}": "deep",
    b'{"action":"insert","record":{"id":' + b"9" * 5000 + b"}}": "digits",
}


def test_bad_lines_become_rows_and_the_others_go_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = b"".join(line + b"\r\n" + ROW for line in list(LINES)[1:])
    content = b"\xef\xbb\xbf" + ROW + bad + next(iter(LINES))
    file = project / "samples/a.jsonl"
    file.write_bytes(content)
    assert main(["preview", str(project), "s", "--format", "json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["ok"] for row in rows] == [True, *[False, True] * (len(LINES) - 1), False]
    texts = [f"{row['error']['message']} {row['error']['hint']}" for row in rows if not row["ok"]]
    wanted = [*list(LINES.values())[1:], next(iter(LINES.values()))]
    for text, part in zip(texts, wanted, strict=True):
        assert part in text
    assert [row["error"]["line"] for row in rows if not row["ok"]] == list(range(2, 22, 2))[:10]
    assert file.read_bytes() == content
    assert main(["lint", str(project)]) == 0
    out = capsys.readouterr().out
    assert "samples/a.jsonl:2" in out
    assert "samples/a.jsonl:20" in out


def test_half_a_character_is_a_row_of_its_own(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = b'{"action":"insert","record":{"id":1,"x":"\\ud800"}}\n'
    (project / "samples/a.jsonl").write_bytes(ROW + row + ROW)
    assert main(["preview", str(project), "s", "--format", "json"]) in (0, 1)
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["preview", str(project), "s"]) in (0, 1)


@pytest.mark.slow
def test_a_line_of_50_mb_is_a_row_and_costs_no_memory(project: Path) -> None:
    file = project / "samples/a.jsonl"
    with file.open("wb") as out:
        out.write(ROW + b'{"action":"insert","record":{"x":"')
        for _ in range(50):
            out.write(b"a" * 1_000_000)
        out.write(b'"}}\n' + ROW)
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, "preview", project, "s", "--format", "json"],
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert found.returncode == 1
    assert [row["ok"] for row in rows] == [True, False, True]
    assert rows[1]["error"]["line"] == 2
    assert "16 MB" in rows[1]["error"]["message"]
    assert rows[1]["error"]["hint"]
    own, children = map(int, found.stderr.split()[-2:])
    assert own < 200_000, "kilobytes"
    assert children < 200_000, "kilobytes"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs the named pipes of Unix")
@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize("command", [["lint"], ["preview", "s"], ["run", "s"]])
def test_a_yaml_file_that_is_no_file_ends_a_command_at_once(
    tmp_path: Path, kind: str, command: list[str]
) -> None:
    """The look for functions, which starts a worker early, opens nothing that others refuse."""
    (tmp_path / "project").mkdir()
    place = tmp_path / "project" / "sequin.yaml"
    if kind == "pipe":
        os.mkfifo(place)
    else:
        (tmp_path / "other.yaml").write_text(SINK + "functions: []\n")
        place.symlink_to(tmp_path / "other.yaml")
    name, *rest = command
    found = subprocess.run(
        [sys.executable, "-m", "routestudio", name, str(place.parent), *rest],
        capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert found.returncode == 2, found.stderr
    assert "Traceback" not in found.stderr
