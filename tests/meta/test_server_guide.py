"""The guide "From laptop to server" agrees with the program: commands, options, metrics, events."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from routestudio.cli.main import build_parser
from routestudio.cli.metrics import RunMetrics
from routestudio.cli.run_options import settings_of, variable
from routestudio.engine.run_control import RunControl
from routestudio.pipeline.report import Progress, ReasonCount
from tests.support.http_server import HttpReceiver

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "server.md").read_text(encoding="utf-8")
LOG_MODULES = ("run.py", "run_log.py", "run_watch.py")


def table(heading: str) -> list[str]:
    """The first cells of the rows of a section's table, without its head."""
    section = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip() for row in rows[2:]]


def metric_names() -> set[str]:
    """Every metric that a run can have, as Prometheus names its family."""
    control = RunControl()
    control.lag = lambda: 1

    async def collected() -> set[str]:
        metrics = RunMetrics("s", "kafka", control)
        metrics.watch(
            Progress(1, 0, 1, 1, 1, 0, 1, 1.0, 1.0, (), 0, 0, 0,
                     (ReasonCount("deliver", "x", "", 2, 1),))
        )  # fmt: skip
        text = metrics.render("")[1].decode()
        return set(re.findall(r"(?m)^# TYPE (routestudio_\w+)", text))

    return asyncio.run(collected())


@pytest.mark.slow
def test_the_commands_of_the_first_steps_work_as_written(
    tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    commands = re.findall(r"(?m)^    routestudio (.*)$", GUIDE)
    assert [line.split()[0] for line in commands] == ["new", "lint", "export", "run"]
    for line in commands:
        found = subprocess.run(
            [sys.executable, "-m", "routestudio", *line.split()], cwd=tmp_path, timeout=300,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, line + found.stdout + found.stderr
        if line.startswith("new"):
            file = tmp_path / "shop" / "sequin.yaml"
            text = file.read_text()
            assert "https://api.example.com" in text
            file.write_text(text.replace("https://api.example.com", http_receiver.url))
    assert http_receiver.requests


def test_other_commands_are_ones_that_the_program_takes() -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)).replace("\\\n", " ")
    lines = [line for line in blocks.splitlines() if line.startswith("routestudio ")]
    assert len(lines) >= 2
    for line in [*lines, *re.findall(r"`routestudio (run [^`]*)`", GUIDE)]:
        words = shlex.split(line.removeprefix("routestudio "))
        options = build_parser().parse_args(words)
        if words[0] == "run" and len(words) > 1:
            settings_of(options, {})


def test_every_option_of_run_is_told() -> None:
    parser = build_parser()
    options = vars(parser.parse_args(["run", "p", "s"])).keys() - {
        "command", "project", "sink", "format", "version",
    }  # fmt: skip
    rows = table("4. Run")
    assert sorted(rows) == sorted(f"`--{name.replace('_', '-')}`" for name in options)
    for name in options - {"dry_run", "limit"}:
        assert f"`{variable(name)}`" in GUIDE, name


def test_every_metric_is_told_and_no_other() -> None:
    told = set(re.findall(r"`(routestudio_\w+)", " ".join(table("Metrics"))))
    assert told == metric_names()


def test_the_alerts_are_about_metrics_that_there_are() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    scrape, rules = (YAML(typ="safe").load(text) for text in blocks)
    assert scrape["scrape_configs"][0]["job_name"] == "routestudio"
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert len(expressions) == 4
    used = set(re.findall(r"routestudio_\w+", " ".join(expressions)))
    assert used <= metric_names()


def test_every_event_is_told_and_no_other() -> None:
    told = set(re.findall(r"`(\w+)`", " ".join(table("Events"))))
    text = "\n".join((ROOT / "routestudio" / "cli" / name).read_text() for name in LOG_MODULES)
    emitted = set(re.findall(r'\.event\(\s*"\w+",\s*"(\w+)"', text))
    emitted |= set(re.findall(r'"(\w+)" if record.*? else "(\w+)"', text)[0])
    assert told == emitted
