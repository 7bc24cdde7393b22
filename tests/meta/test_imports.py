"""Import rules that lint-imports cannot say, and what really gets loaded.

The contracts in pyproject.toml see the graph; a child's `sys.modules` also shows imports that
happen late or by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = (
    "aiokafka", "boto3", "botocore", "confluent_kafka", "fakeredis", "google", "h11", "httpcore",
    "httpx", "nats", "pika", "redis", "requests",
)  # fmt: skip
QT = ("PySide6", "shiboken6", "qasync")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("routestudio", cache_dir=None)


def concrete_sinks() -> list[str]:
    """The modules of all sink types, each in its room."""
    folder = ROOT / "routestudio" / "sinks"
    rooms = {each.parent.name for each in folder.glob("[!_]*/__init__.py")}
    return [f"routestudio.sinks.{name}.sink" for name in sorted(rooms)]


def room_of(module: str) -> str | None:
    """The room in which a module is; `None` for what is in none."""
    parts = module.split(".")
    inside = parts[:2] == ["routestudio", "sinks"] and len(parts) > 3 and parts[2] != "_shared"
    return parts[2] if inside else None


def loaded_by(module: str) -> set[str]:
    """Return the names of all modules in a fresh process that imported `module`."""
    code = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout))


def within(modules: set[str], packages: tuple[str, ...]) -> set[str]:
    return {each for each in modules if each.split(".")[0] in packages}


def test_there_are_sinks() -> None:
    assert set(concrete_sinks()) >= {
        "routestudio.sinks.http_push.sink",
        "routestudio.sinks.kafka.sink",
        "routestudio.sinks.redis_string.sink",
    }


def test_only_its_own_room_imports_what_is_in_a_room(graph: grimp.ImportGraph) -> None:
    """The registry finds the sink types by name; the rest knows them by the contract."""
    strangers = {
        (module, other)
        for module in graph.modules
        if (room := room_of(module))
        for other in graph.find_modules_that_directly_import(module)
        if room_of(other) != room
    }
    assert strangers == set()


@pytest.mark.parametrize("sink", concrete_sinks())
def test_sinks_do_not_know_each_other(graph: grimp.ImportGraph, sink: str) -> None:
    known = {room_of(each) for each in graph.find_upstream_modules(sink)}
    assert known <= {room_of(sink), None}


@pytest.mark.parametrize("sink", concrete_sinks())
def test_a_sink_knows_only_the_model_and_shared_code(graph: grimp.ImportGraph, sink: str) -> None:
    allowed = ("routestudio.sinks", "routestudio.model", "routestudio.errors")
    others = {
        each
        for each in graph.find_upstream_modules(sink)
        if each != "routestudio" and not each.startswith(allowed)
    }
    assert others <= {"routestudio.tasks"}


def test_commands_do_not_reach_the_window(graph: grimp.ImportGraph) -> None:
    below = graph.find_upstream_modules("routestudio.cli", as_package=True)
    assert {each for each in below if each.startswith(("routestudio.ui", "routestudio.app"))} == (
        set()
    )


def test_finding_every_sink_loads_no_client_library() -> None:
    """One process imports all of them: what none loads here, none loads alone."""
    code = (
        "import sys, json\nfrom routestudio.sinks import registry\n"
        "keys = list(registry.default().keys())\n"
        "print(json.dumps([keys, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    keys, modules = json.loads(done.stdout)
    assert len(keys) == len(concrete_sinks())
    assert within(set(modules), (*CLIENTS, *QT)) == set()


def test_the_engines_api_is_light() -> None:
    modules = loaded_by("routestudio.api.engine") | loaded_by("routestudio.api.client")
    ours = {each for each in modules if each.startswith("routestudio.")}
    assert {
        each for each in ours if not each.startswith(("routestudio.api", "routestudio.errors"))
    } == set()
    assert within(modules, ("pydantic", "ruamel", *CLIENTS, *QT)) == set()


@pytest.mark.parametrize(
    "module", ["routestudio.app", "routestudio.cli.main", "routestudio.engine.service"]
)
def test_qt_is_loaded_by_the_window_only(module: str) -> None:
    assert within(loaded_by(module), (*CLIENTS, *QT)) == set()


def test_the_function_worker_is_bare() -> None:
    ours = {each for each in loaded_by("routestudio.functions.worker") if "routestudio." in each}
    allowed = ("routestudio.functions", "routestudio.model", "routestudio.errors",
               "routestudio.system")  # fmt: skip
    assert "asyncio" not in loaded_by("routestudio.functions.worker")
    assert {each for each in ours if not each.startswith(allowed)} == set()


def test_contracts_have_no_exceptions() -> None:
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text()


def test_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
