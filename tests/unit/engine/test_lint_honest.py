"""What lint and plan say of situations that are met in practice."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.cli import main
from routestudio.engine import plan as planning
from routestudio.engine.service import EngineService
from routestudio.engine.workspace import Workspace

SECRETS = """\
databases:
  - {name: shop, hostname: h, password: written-out-1}
sinks:
  - name: hub
    database: shop
    destination:
      type: kafka
      hosts: h:9092
      username: u
      sasl_mechanism: plain
      password: written-out-2
"""


async def test_a_secret_in_the_file_is_a_finding_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(SECRETS)
    async with EngineService() as engine:
        await engine.open(str(tmp_path))
        found = [f for f in await engine.checks.lint() if f.code == "written_secret"]
    assert sorted(f.line for f in found) == [2, 11]  # type: ignore[type-var]
    assert {(f.severity, f.file) for f in found} == {("warning", "sequin.yaml")}
    assert "written-out" not in str(found)


async def test_a_sample_that_is_not_saved_yet_is_no_problem(service: EngineService,
                                                            demo: Path) -> None:  # fmt: skip
    await service.open(str(demo))
    await service.apply({"op": "add_sample", "name": "five", "text": '{"record": {"id": 1}}\n'})
    assert [f for f in await service.checks.lint() if f.code == "sample"] == []


async def test_a_finding_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "s.jsonl").write_text(
        '{"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "t"}}\n'
    )
    (tmp_path / "sequin.yaml").write_text(
        "functions:\n  - name: f\n    type: routing\n    sink_type: kafka\n    code: |\n"
        "      def route(action, record, changes, metadata) do\n"
        '        Map.fetch!(record, "gone")\n      end\n'
        "sinks:\n  - {name: s, database: d, routing: f, destination: {type: kafka, hosts: h}}\n"
    )
    async with EngineService() as engine:
        await engine.open(str(tmp_path))
        found = await engine.checks.lint()
    assert found
    assert all("\n" not in item.message for item in found)


@pytest.mark.slow
async def test_a_project_does_not_differ_from_its_own_export(
    service: EngineService, demo: Path, tmp_path: Path
) -> None:
    """Its functions are Python, and an export has them in Elixir."""
    await service.open(str(demo))
    exported = tmp_path / "exported.yaml"
    await service.export("sequin", str(exported))
    other = Workspace.open(exported, service.registry, service.pool)
    sources = planning.sources_of(service.workspace, None, None)
    found = await planning.plan(service.workspace, other, sources)
    assert found.differences.changes == ()
    assert found.empty
    text = exported.read_text()
    exported.write_text(text.replace("orders.", "others."))
    changed = Workspace.open(exported, service.registry, service.pool)
    assert not (await planning.plan(service.workspace, changed, sources)).empty


def test_the_file_of_a_fault_is_new_private_and_not_to_be_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = []
    for _ in range(2):
        try:
            raise ValueError("CANARY in a fault")
        except ValueError:
            names.append(main._report())
    assert names[0] != names[1]
    for name in names:
        assert Path(name).stat().st_mode & 0o777 == 0o600
        assert "CANARY" not in Path(name).read_text()
