"""What a command imports is most of what it costs to start: some of it must not come back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """
http_endpoints:
  - name: hook
    url: http://127.0.0.1:9/hooks
functions:
  - name: route
    type: routing
    sink_type: webhook
    {function}
sinks:
  - name: orders
    database: shop
    routing: route
    destination: {{type: webhook, http_endpoint: hook}}
"""
PYTHON = """language: python
    code: |
      def route(action, record, changes, metadata):
          return {"method": "POST", "endpoint_path": "/" + record["region"]}"""
ELIXIR = """code: |
      def route(action, record, changes, metadata) do
        %{method: "POST", endpoint_path: "/" <> record["region"]}
      end"""
ROW = {
    "action": "insert",
    "record": {"id": 1, "region": "eu"},
    "changes": None,
    "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": 1,
                 "commit_idx": 0, "commit_timestamp": "2026-01-01T00:00:00Z"},
}  # fmt: skip
CLIENTS = (
    "boto3", "botocore", "confluent_kafka", "fakeredis", "google", "h11", "httpx", "nkeys", "redis",
    "keyring", "moto", "pyarrow", "pygments", "black", "PySide6", "shiboken6", "qasync",
    "regex", "uvloop",
)  # fmt: skip
"""Nothing of these is needed before a connection is opened, a window shown or a file formatted."""

UNUSED = ("routestudio.engine.service", "routestudio.functions.conversion.convert",
          "routestudio.functions.worker", "routestudio.project.edits",
          "routestudio.project.splicing", "routestudio.sinks.standins")  # fmt: skip
COMMANDS = {
    "lint": ["lint", "PROJECT"],
    "preview": ["preview", "PROJECT", "orders", "--input", "ROWS"],
    "run": ["run", "PROJECT", "orders", "--dry-run", "--input", "ROWS"],
}


def modules_of(command: str, folder: Path, function: str = PYTHON) -> set[str]:
    """Return what is loaded at the end of a command on a project with one sink."""
    (folder / "sequin.yaml").write_text(PROJECT.format(function=function))
    (folder / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    named = {"PROJECT": str(folder), "ROWS": str(folder / "rows.jsonl")}
    arguments = [named.get(each, each) for each in COMMANDS[command]]
    code = (
        "import sys, json\nfrom routestudio.app import main\n"
        f"code = main({arguments!r})\n"
        "print(json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    status, names = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stdout + done.stderr
    return set(names)


def within(names: set[str], packages: tuple[str, ...]) -> set[str]:
    return {name for name in names if any(f"{name}.".startswith(f"{each}.") for each in packages)}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_what_it_needs(command: str, tmp_path: Path) -> None:
    names = modules_of(command, tmp_path)
    assert within(names, (*CLIENTS, *UNUSED)) == set()
    assert within(names, ("routestudio.functions.elixir",)) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_one_sink_type_of_a_project_is_imported(command: str, tmp_path: Path) -> None:
    found = within(modules_of(command, tmp_path), ("routestudio.sinks",))
    # What is known of servers is data beside the types; `lint` wants all of it.
    modules = [name.split(".")[2:] for name in found]
    rooms = {name[0] for name in modules if len(name) > 1 and name[-1] not in ("hazards", "server")}
    assert rooms == {"_shared", "http_push"}


def test_lint_delivers_nothing(tmp_path: Path) -> None:
    assert within(modules_of("lint", tmp_path), ("routestudio.pipeline.run",)) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_function_in_elixir_is_for_the_worker_to_read(command: str, tmp_path: Path) -> None:
    names = modules_of(command, tmp_path, ELIXIR)
    assert within(names, ("routestudio.functions.elixir",)) == set()


def modules_after(code: str) -> set[str]:
    """Return what is loaded when a program has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_an_editor_loads_elixir_s_functions_for_elixir_alone() -> None:
    code = (
        "from routestudio.ui.editor.vocabulary import vocabulary\n"
        "from routestudio.derive.library import elixir_functions, entries\nassert entries()"
    )
    assert within(modules_after(code), ("routestudio.functions.elixir", "regex")) == set()
    names = modules_after(f"{code}\nassert elixir_functions()")
    assert "routestudio.functions.elixir.lib" in names


def test_the_engine_loads_nothing_that_reads_elixir_or_converts() -> None:
    names = modules_after("import routestudio.engine.service")
    read = ("routestudio.functions.elixir", "routestudio.functions.conversion.convert")
    assert within(names, read) == set()
