"""A server's own file, opened directly: looked at without its secrets, and never delivered so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routestudio.app import main
from tests.support.projects import region_rows
from tests.support.sequin_model import SequinModel

TEXT = """\
databases:
  - {name: d, hostname: h, database: d, password: pw-of-d, slot: {name: s}, publication: {name: p}}
http_endpoints:
  - name: hooks
    url: https://hooks.example.com
    encrypted_headers: {X-Key: a-long-secret}
sinks:
  - name: k
    database: d
    destination: {type: kafka, hosts: "localhost:1", topic: t, compression: none, username: u,
                  sasl_mechanism: plain, password: kafka-secret}
  - name: w
    database: d
    destination: {type: webhook, http_endpoint: hooks}
  - name: s
    database: d
    destination: {type: sequin_stream}
"""


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    model = SequinModel()
    model.apply(TEXT)
    path = tmp_path / "exported.yaml"
    path.write_text(model.export())
    rows = "".join(json.dumps(row) + "\n" for row in region_rows())
    (tmp_path / "rows.jsonl").write_text(rows)
    return path


@pytest.mark.parametrize("sink", ["k", "w"])
def test_a_masked_export_is_previewed_and_not_delivered(
    exported: Path, capsys: pytest.CaptureFixture[str], sink: str
) -> None:
    rows = str(exported.parent / "rows.jsonl")
    before = exported.read_bytes()
    assert main(["preview", str(exported), sink, "--input", rows, "--format", "json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 120
    for command in (["run", str(exported), sink, "--input", rows], ["check", str(exported), sink]):
        assert main(command) in (1, 2)
        found = capsys.readouterr()
        assert "is a masked secret" in found.out + found.err
    assert exported.read_bytes() == before
    assert {path.name for path in exported.parent.iterdir()} == {"exported.yaml", "rows.jsonl"}


def test_every_command_takes_the_file(
    exported: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rows = str(exported), str(exported.parent / "rows.jsonl")
    assert main(["diff", file, file, "k", "--input", rows]) == 0
    assert main(["plan", file, "--against", file, "--input", rows]) == 0
    assert main(["lint", file]) == 1
    found = capsys.readouterr()
    assert "`password` holds a masked secret" in found.out
    assert "RouteStudio does not deliver to `sequin_stream`" in found.out
    assert main(["export", file, "--target", "sequin"]) == 2
    assert "masked secret" in capsys.readouterr().err
    for line in ("${D}", "${X}", "${K}"):
        text = exported.read_text()
        start = text.index("**")
        begin = text.rindex(": ", 0, start) + 2
        exported.write_text(text[:begin] + line + text[text.index("\n", start) :])
    assert main(["export", file, "--target", "sequin"]) == 0
    assert "type: sequin_stream" in capsys.readouterr().out


def test_an_import_of_a_masked_export_names_place_and_way_out(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "project"
    assert main(["import", str(exported), "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert "line " in error
    assert "write a reference like ${NAME}" in error
    assert not output.exists()
