"""A look at a source on a server ends after 1,000 rows unless a number is named, and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.real

STREAM = "many"
COUNT = 1_005
SAID = "only the first 1,000 rows"
YAML = """\
sinks:
  - name: numbers
    database: shop
    destination:
      type: redis_stream
      host: 127.0.0.1
      port: {port}
      stream_key: {key}
"""


@pytest.fixture
def project(redis_server: RedisServer, tmp_path: Path) -> Iterator[Path]:
    """A project, another one that differs, and a stream of `COUNT` messages."""
    for name, key in (("one", "here"), ("two", "there")):
        (tmp_path / name).mkdir()
        text = YAML.format(port=redis_server.port, key=key)
        (tmp_path / name / "sequin.yaml").write_text(text)
    redis_server.command("DEL", STREAM)
    for number in range(COUNT):
        message = {"action": "insert", "record": {"id": number}}
        redis_server.command("XADD", STREAM, "*", "message", json.dumps(message))
    yield tmp_path
    redis_server.command("DEL", STREAM)


def address(server: RedisServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0?stream={STREAM}"


def ran(*words: str) -> tuple[str, str]:
    command = [sys.executable, "-m", "routestudio", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout, done.stderr


def words_of(what: str, folder: Path, place: str) -> list[str]:
    one, two = str(folder / "one"), str(folder / "two")
    return {
        "sample": ["sample", place],
        "preview": ["preview", one, "numbers", "--input", place],
        "dry run": ["run", one, "numbers", "--dry-run", "--input", place],
        "check": ["check", one, "numbers", "--input", place],
        "lint": ["lint", one, "--input", place],
        "diff": ["diff", one, two, "numbers", "--input", place],
        "plan": ["plan", one, "--against", f"{two}/sequin.yaml", "--input", place],
    }[what]


@pytest.mark.parametrize(
    "what", ["sample", "preview", "dry run", "check", "lint", "diff", "plan"]
)  # fmt: skip
def test_what_was_cut_off_is_said_unless_a_number_is_named(
    what: str, project: Path, redis_server: RedisServer
) -> None:
    words = words_of(what, project, address(redis_server))
    out, err = ran(*words)
    assert SAID in out + err
    assert "--limit" in out + err
    out, err = ran(*words, "--limit", str(COUNT))
    assert SAID not in out + err


def test_a_number_reads_more_and_no_more(project: Path, redis_server: RedisServer) -> None:
    place = address(redis_server)

    def summary(*more: str) -> dict[str, Any]:
        out, _ = ran(*words_of("dry run", project, place), "--format", "json", *more)
        found: dict[str, Any] = json.loads(out)
        return found

    assert [summary()[name] for name in ("read", "cut")] == [1_000, 1_000]
    assert [summary("--limit", "1003")[name] for name in ("read", "cut")] == [1_003, None]
    assert [summary("--limit", "2000")[name] for name in ("read", "cut")] == [COUNT, None]


def test_a_delivery_is_not_cut(project: Path, redis_server: RedisServer) -> None:
    words = ["run", str(project / "one"), "numbers", "--input", address(redis_server)]
    done = subprocess.run([sys.executable, "-m", "routestudio", *words, "--limit", "5"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "--limit is for --dry-run" in done.stderr
