"""A disk that is full while dead letters or the checkpoint are written, in the real program.

The limit on the size of files (`RLIMIT_FSIZE`) makes writes fail in the middle of a line, as a full
disk does.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.fault.engine import covered
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.oracle import NUMBER, Wanted, judge, letters_of, numbers_in

pytestmark = [pytest.mark.real, pytest.mark.e2e]

COUNT = 600
PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
http_endpoints:
  - {{name: api, url: "{url}"}}
sinks:
  - name: sink
    database: shop
    batch_size: 10
    destination: {{type: http_push, http_endpoint: api, batch: true}}
"""


def refuse_some(request: Received) -> Reply:
    """Refuse batches that hold a message whose number ends with 55."""
    bad = any(number % 100 == 55 for number in numbers_in(request.body.decode()))
    return Reply(422, b"no") if bad else Reply()


def run(command: Sequence[str], limit: int | None = None) -> tuple[int, str]:
    """Run the program, where files over `limit` bytes cannot be written: exit code and output."""

    def confine() -> None:
        assert limit is not None
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=300, preexec_fn=confine if limit is not None else None, check=False, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("device", [False, True], ids=["limit", "dev-full"])
def test_the_run_stops_and_goes_on_without_a_loss(
    http_receiver: HttpReceiver, tmp_path: Path, device: bool, workers: int,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    if device and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    begun = time.monotonic()
    http_receiver.answer = refuse_some
    (tmp_path / "sequin.yaml").write_text(PROJECT.format(url=http_receiver.url))
    rows = [{"action": "insert", "record": {"id": f"row{n % 40}", NUMBER: n, "pad": "x" * 100}}
            for n in range(COUNT)]  # fmt: skip
    source, dead = tmp_path / "rows.jsonl", tmp_path / "dead.jsonl"
    checkpoint = tmp_path / "place.json"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "routestudio", "run", str(tmp_path), "sink",
               "--input", str(source), "--checkpoint", str(checkpoint),
               "--workers", str(workers)]  # fmt: skip
    full = "/dev/full" if device else str(dead)
    code, said = run([*command, "--dead-letters", full], None if device else 8_000)
    assert code == 1, said
    line = next(line for line in said.splitlines() if "cannot be written" in line)
    assert full in line
    assert "No space left" in line or "File too large" in line
    assert "Traceback" not in said
    kept = [] if device else letters_of(dead)
    before = _arrived(http_receiver)
    finished, _ = covered(checkpoint)
    assert finished <= set(before) | set(kept), "the checkpoint is ahead of what is kept"
    assert len(finished) < COUNT
    code, said = run([*command, "--dead-letters", str(dead)])
    assert code == 1, said  # some were rejected
    arrived, letters = _arrived(http_receiver), letters_of(dead)
    wanted = [Wanted(n, f"row{n % 40}") for n in range(COUNT)]
    verdict = judge(wanted, {"requests": arrived}, letters=letters,
                    explained=set(range(COUNT)) - finished)  # fmt: skip
    record_property("table:disks", {
        "case": f"{'/dev/full' if device else '8,000 bytes'}, {workers} at work", "sent": COUNT,
        "arrived": verdict.arrived, "rejected": verdict.rejected,
        "missing": len(verdict.missing), "disorder": len(verdict.disorder),
        "doubled": verdict.doubled, "unexplained": len(verdict.unexplained),
        "letters_again": len(letters) - len(set(letters)),
        "seconds": round(time.monotonic() - begun, 1),
    })  # fmt: skip
    assert verdict.good, str(verdict)


def test_a_checkpoint_that_cannot_be_written_stops_the_run(
    http_receiver: HttpReceiver, tmp_path: Path
) -> None:
    (tmp_path / "sequin.yaml").write_text(PROJECT.format(url=http_receiver.url))
    source, checkpoint = tmp_path / "rows.jsonl", tmp_path / "place.json"
    source.write_text('{"action": "insert", "record": {"id": 1, "number": 0}}\n')
    command = [sys.executable, "-m", "routestudio", "run", str(tmp_path), "sink",
               "--input", str(source), "--checkpoint", str(checkpoint)]  # fmt: skip
    code, said = run(command, 5)
    assert not checkpoint.exists()
    assert [path.name for path in tmp_path.iterdir() if "place" in path.name] == []
    assert code == 1, said
    assert "the checkpoint cannot be written" in said
    assert str(checkpoint) in said
    assert "Traceback" not in said


def _arrived(receiver: HttpReceiver) -> list[int]:
    return [number for request in receiver.requests if refuse_some(request).status == 200
            for number in numbers_in(request.body.decode())]  # fmt: skip
