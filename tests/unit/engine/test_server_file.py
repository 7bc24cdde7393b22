"""A server's own file, opened directly: looked at without its secrets, and never delivered so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from routestudio.app import main
from routestudio.engine.service import EngineService
from routestudio.sinks import registry
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


@pytest.mark.slow
async def test_every_configuration_is_opened_and_linted_without_a_fault() -> None:
    files = sorted((Path(__file__).parents[2] / "data" / "configurations").glob("*.yaml"))
    async with EngineService() as engine:
        for file in files:
            snapshot = await engine.open(str(file))
            findings = await engine.checks.lint()
            errors = [item for item in findings if item.severity == "error"]
            codes = {i.code for i in errors if "RouteStudio cannot deliver" not in i.message}
            # Hazards of the routes themselves; nothing is wrong with the files.
            assert all(re.fullmatch(r"[A-Z]{2,3}\d?-\d+", code) for code in codes), (file, codes)
            assert {sink["key"] for sink in snapshot["sinks"]} <= set(registry.default().keys())


@pytest.mark.parametrize("source", ["5", "[a]", "{include_tables: 5}", "{include_tables: [{a: 1}]}",
                                    "{include_schemas: {a: 1}}", "{x: 1}"])  # fmt: skip
def test_a_strange_source_is_no_fault(
    exported: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    text = TEXT.replace("- name: k\n", f"- name: k\n    source: {source}\n")
    exported.write_text(text)
    rows = str(exported.parent / "rows.jsonl")
    assert main(["preview", str(exported), "k", "--input", rows]) in (0, 2)
    assert "internal fault" not in capsys.readouterr().err


def test_an_import_tells_what_it_kept_and_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "server.yaml"
    source.write_text("x-note: 1\n" + TEXT)
    assert main(["import", str(source), "--output", str(tmp_path / "project")]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "sequin.yaml: line 18: sink `s`: RouteStudio does not deliver to `sequin_stream`",
        "kept as it is: line 1: the key `x-note`",
        "secrets moved to .env: D_PASSWORD, HOOKS_X_KEY, K_PASSWORD",
        f"imported 2 sinks and 0 functions to {tmp_path / 'project'}",
    ]
