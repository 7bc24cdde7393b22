"""The guides agree with the program: commands, allowed names, examples that run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from routestudio.cli.main import COMMANDS
from routestudio.derive.library import entries
from routestudio.engine.service import EngineService

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"


def guide(name: str) -> str:
    return (GUIDES / f"{name}.md").read_text(encoding="utf-8")


def test_every_allowed_name_is_listed() -> None:
    rows = [line for line in guide("functions").splitlines() if line.startswith("| `")]
    table = [f"| `{entry.signature}` | {entry.doc} |" for entry in entries()]
    assert rows[-len(table) :] == table, "the table must be:\n" + "\n".join(table)


def test_every_command_has_its_section() -> None:
    headings = " ".join(re.findall(r"(?m)^## (.*)$", guide("command-line")))
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", headings), command


def test_links_lead_somewhere() -> None:
    for page in GUIDES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.slow
async def test_the_project_of_the_guide_has_no_problem(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", guide("project-format"), re.DOTALL)
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/orders_by_region.py").write_text(
        re.findall(r"```python\n(.*?)```", guide("functions"), re.DOTALL)[0]
    )
    (tmp_path / "sequin.yaml").write_text(blocks[0])
    async with EngineService() as engine:
        snapshot = await engine.open(str(tmp_path))
        assert snapshot["problems"] == []
        assert await engine.checks.lint() == []


@pytest.mark.slow
def test_getting_started_works_as_written(tmp_path: Path) -> None:
    text = guide("getting-started")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    tests = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)[0]
    commands = re.findall(r"(?m)^    routestudio (.*)$", text)
    offline = [line for line in commands if line.split()[0] in ("new", "preview", "test", "lint",
                                                                "export")]  # fmt: skip
    assert len(offline) >= 5
    for line in offline:
        found = subprocess.run(
            [sys.executable, "-m", "routestudio", *line.split()], cwd=tmp_path, timeout=300,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, line + found.stdout + found.stderr
        if line.startswith("preview"):
            assert found.stdout == shown
            (tmp_path / "shop/functions/kafka_route.py").write_text(code)
            (tmp_path / "shop/tests").mkdir()
            (tmp_path / "shop/tests/orders.yaml").write_text(tests)


@pytest.mark.slow
def test_the_servers_guide_works_as_written(tmp_path: Path) -> None:
    text = guide("sequin-servers")
    (tmp_path / "server.yaml").write_text(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    (tmp_path / "orders.jsonl").write_text(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)[0]
    commands = re.findall(r"(?m)^    routestudio (.*)$", text)
    assert [line.split()[0] for line in commands] == [
        "preview", "lint", "import", "plan", "diff", "export"
    ]  # fmt: skip
    for line in commands:
        found = subprocess.run(
            [sys.executable, "-m", "routestudio", *line.split()], cwd=tmp_path, timeout=300,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        expected = 1 if line.startswith(("plan", "diff")) else 0
        assert found.returncode == expected, line + found.stdout + found.stderr
        if line.startswith("plan"):
            assert found.stdout == shown
        if line.startswith("import"):
            project = tmp_path / "shop" / "sequin.yaml"
            old, new = '"orders.#{record["region"]}"', '"orders.#{record["region"] || "unknown"}"'
            assert new in text
            project.write_text(project.read_text().replace(old, new))
    assert "compression: none" in (tmp_path / "shop.yaml").read_text()
