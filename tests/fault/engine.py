"""The real program, killed and started again until it ends, and what became of its messages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.support.certificates import Authority
from tests.support.fault_gate import Gate
from tests.support.fault_proxy import FaultProxy, Plan, start_fault_proxy
from tests.support.http_server import Reply, start_http
from tests.support.kafka_client import read
from tests.support.kafka_server import start_kafka
from tests.support.oracle import NUMBER, Verdict, Wanted, judge, letters_of, numbers_in
from tests.support.ports import free_port
from tests.support.redis_server import start_redis

MESSAGES: Final = 1_200
GROUPS: Final = 60
PLACES: Final = 4
BATCH: Final = 10
IN_FLIGHT: Final = 32 * BATCH
"""Messages that may be in flight at once: 32 batches."""

SLOW_SECONDS: Final = 0.05
MOST_KILLS: Final = 4
LIMIT_SECONDS: Final = 120.0

PROJECT: Final = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
http_endpoints:
  - {{name: api, url: "http://127.0.0.1:{port}"}}
functions:
  - {{name: by-place, type: routing, sink_type: {kind}, language: python, file: functions/route.py}}
sinks:
  - name: sink
    database: shop
    routing: by-place
    batch_size: 10
    destination: {{type: {kind}, {destination}}}
"""
ROUTE: Final = """\
def route(action, record, changes, metadata):
    if record["bad"]:
        raise ValueError("nobody knows where this goes")
    return {{"{field}": "{prefix}" + str(record["place"])}}
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as the service has it: when (seconds since 1970), and in which sequence."""

    number: int
    at: float
    sequence: str


@dataclass
class Target:
    """A service to deliver to. `arrived` gives all that is there, in order within a sequence."""

    name: str
    kind: str
    proxy: FaultProxy
    destination: str
    field: str
    prefix: Callable[[], str]
    begin: Callable[[], None]
    arrived: Callable[[], Sequence[Arrived]]
    port: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class KillRow:
    """One line of the table. `in_flight` and `unsaved` are the reasons of `doubled`.

    `in_flight` had arrived when the last checkpoint was saved, but not been answered; `unsaved`
    came after it. `longest` is the greatest number that one restart delivered again.
    """

    run: int
    service: str
    kills: int
    sent: int
    arrived: int
    rejected: int
    missing: int
    disorder: int
    doubled: int
    in_flight: int
    unsaved: int
    unexplained: int
    longest: int
    letters_again: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def write_input(path: Path) -> list[Wanted]:
    """Write the source; some rows are no messages, some no function can route."""
    wanted, lines = [], []
    for number in range(MESSAGES):
        row_number = number // 3 * 13 % GROUPS
        group = f"row{row_number}"
        record = {"id": group, NUMBER: number, "place": row_number % PLACES,
                  "bad": number % 97 == 50, "noise": "x" * 150}  # fmt: skip
        row = {"action": "update", "record": record, "metadata": {"table_name": "orders"}}
        lines.append(f'{{"{NUMBER}": {number}, broken' if number % 131 == 99 else json.dumps(row))
        wanted.append(Wanted(number, group))
    path.write_text("".join(line + "\n" for line in lines))
    return wanted


def covered(checkpoint: Path) -> tuple[set[int], float]:
    """The numbers that a checkpoint says are finished, and when it was written."""
    if not checkpoint.exists():
        return set(), 0.0
    data = json.loads(checkpoint.read_text())
    found = set(range(data["position"]))
    for first, end in data.get("finished", []):
        found.update(range(first, end))
    return found, checkpoint.stat().st_mtime


class Engine:
    """One start of the program."""

    def __init__(self, command: Sequence[str], target: Target, log: Path) -> None:
        self._target = target
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **target.variables}, start_new_session=True,
            )  # fmt: skip

    def lasts(self, seconds: float | None, bodies: int | None) -> bool:
        """Wait for so many seconds or requests; false when it ended before."""
        begun = time.monotonic()
        before = self._target.proxy.bodies
        while self._process.poll() is None:
            passed = time.monotonic() - begun
            assert passed < LIMIT_SECONDS, "the run stands still"
            if seconds is not None and passed >= seconds:
                return True
            if bodies is not None and self._target.proxy.bodies - before >= bodies:
                return True
            time.sleep(0.003)
        return False

    def kill(self) -> None:
        """End it at once; all that it started has to end by itself."""
        self._process.kill()
        self._process.wait()
        deadline = time.monotonic() + 10
        while left := _session(self._process.pid):
            assert time.monotonic() < deadline, f"processes outlive the program: {left}"
            time.sleep(0.01)

    def stop(self) -> int:
        """Its exit code; it is killed when it has not ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session that are left."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def kill_until_it_ends(
    run: int, target: Target, folder: Path, random: Random, *, workers: int = 1
) -> tuple[KillRow, Verdict]:
    """Deliver the source with a program that is killed at random moments, and all its workers."""
    begun = time.monotonic()
    project, source = folder / "project", folder / "input.jsonl"
    checkpoint, dead = folder / "place.json", folder / "dead.jsonl"
    target.begin()
    write_project(project, target)
    wanted = write_input(source)
    command = [sys.executable, "-m", "routestudio", "run", str(project), "sink", "--input",
               str(source), "--checkpoint", str(checkpoint), "--dead-letters", str(dead),
               "--format", "json", "--workers", str(workers)]  # fmt: skip
    target.proxy.plan = Plan("slow", seconds=SLOW_SECONDS)
    known: list[Arrived] = []
    explained: set[int] = set()
    done: set[int] = set()
    reasons: dict[int, str] = {}
    counts = {"kills": 0, "in_flight": 0, "unsaved": 0, "longest": 0}
    while True:
        engine = Engine(command, target, folder / "engine.log")
        try:
            early = random.random() < 0.15
            going = counts["kills"] < MOST_KILLS and engine.lasts(
                random.uniform(0.05, 1.5) if early else None,
                None if early else random.randint(1, MESSAGES // BATCH // 2),
            )
            if going:
                engine.kill()
            else:
                engine.lasts(None, None)
        finally:
            code = engine.stop()
        target.proxy.calm()
        target.proxy.plan = Plan("slow", seconds=SLOW_SECONDS)
        now = list(target.arrived())
        fresh = _without(now, known)
        again = {item.number for item in fresh} & {item.number for item in known}
        # What the checkpoint at this start called finished must not come again.
        explained |= again - done
        for number in again:
            counts[reasons.get(number, "unsaved")] += 1
        counts["longest"] = max(counts["longest"], len(again))
        known = now
        if not going:
            break
        counts["kills"] += 1
        done, saved = covered(checkpoint)
        doubtful = {item.number: "unsaved" if item.at >= saved else "in_flight"
                    for item in fresh if item.number not in done}  # fmt: skip
        flying = sum(why == "in_flight" for why in doubtful.values())
        assert flying <= IN_FLIGHT * workers, "more than was in flight is not in the checkpoint"
        reasons |= doubtful
        assert done <= {item.number for item in known} | set(_letters(dead)), "ahead of delivery"
        _tear(dead, checkpoint, random)
    said = (folder / "engine.log").read_text().splitlines()
    assert code in (0, 1), said[-3:]  # 1: the last start rejected something
    assert json.loads(next(line for line in reversed(said) if line.startswith("{")))["read"] >= 0
    letters = letters_of(dead)
    verdict = judge(wanted, sequences_of(known), letters=letters, explained=explained)
    row = KillRow(
        run, target.name, counts["kills"], len(wanted), verdict.arrived, verdict.rejected,
        len(verdict.missing), len(verdict.disorder) + len(verdict.stale), verdict.doubled,
        counts["in_flight"], counts["unsaved"], len(verdict.unexplained), counts["longest"],
        len(letters) - len(set(letters)), round(time.monotonic() - begun, 1),
    )  # fmt: skip
    return row, verdict


def sequences_of(arrived: Sequence[Arrived]) -> dict[str, list[int]]:
    """The numbers of each sequence, in order."""
    sequences: dict[str, list[int]] = {}
    for item in arrived:
        sequences.setdefault(item.sequence, []).append(item.number)
    return sequences


def _without(now: Sequence[Arrived], before: Sequence[Arrived]) -> list[Arrived]:
    """What came since `before`."""
    left = Counter(before)
    fresh = []
    for item in now:
        if left[item]:
            left[item] -= 1
        else:
            fresh.append(item)
    return fresh


def _letters(dead: Path) -> list[int]:
    """The numbers in the dead-letter file, whose last line may not be whole."""
    whole = dead.with_name("whole.jsonl")
    data = dead.read_bytes() if dead.exists() else b""
    whole.write_bytes(data[: data.rfind(b"\n") + 1])
    return letters_of(whole)


def _tear(dead: Path, checkpoint: Path, random: Random) -> None:
    """What a crash of the machine may leave: half a letter, and half a checkpoint not in place."""
    lines = dead.read_bytes().splitlines() if dead.exists() else []
    if lines and random.random() < 0.5:
        with dead.open("ab") as file:
            file.write(lines[-1][: random.randint(1, len(lines[-1]) - 1)])
    if random.random() < 0.5:
        checkpoint.with_name(f".{checkpoint.name}.part").write_text('{"posi')


def write_project(project: Path, target: Target) -> None:
    """A project whose sink delivers to the target, by a function."""
    (project / "functions").mkdir(parents=True)
    text = PROJECT.format(port=target.port, kind=target.kind, destination=target.destination)
    (project / "sequin.yaml").write_text(text)
    route = ROUTE.format(field=target.field, prefix=target.prefix())
    (project / "functions" / "route.py").write_text(route)


# --- targets ----------------------------------------------------------------------------------


def _redis(stack: ExitStack, folder: Path, authority: Callable[[], Authority]) -> Target:
    server = stack.enter_context(start_redis(folder))
    proxy = stack.enter_context(start_fault_proxy(server.port))

    def arrived() -> list[Arrived]:
        found = []
        for place in range(PLACES):
            items = server.command("XRANGE", f"place{place}", "-", "+")
            assert isinstance(items, list)
            for item in items:
                assert isinstance(item, list)
                assert isinstance(item[0], bytes)
                text = " ".join(part.decode() for part in item[1])
                at = int(item[0].partition(b"-")[0]) / 1000
                found += [Arrived(n, at, f"place{place}") for n in numbers_in(text)]
        return found

    return Target(
        "redis", "redis_stream", proxy, f"host: 127.0.0.1, port: {proxy.port}", "stream_key",
        lambda: "place", server.flush, arrived,
    )  # fmt: skip


def _kafka(stack: ExitStack, folder: Path, authority: Callable[[], Authority]) -> Target:
    proxy = stack.enter_context(start_fault_proxy(free_port()))
    advertised = {"SASL_PLAINTEXT": proxy.port}
    server = stack.enter_context(start_kafka(folder, authority(), advertised=advertised))
    proxy.target = int(server.sasl_plaintext.partition(":")[2])
    run = 0

    def names() -> list[str]:
        return [f"run{run}-{place}" for place in range(PLACES)]

    def begin() -> None:
        nonlocal run
        run += 1
        for name in names():
            server.create_topic(name, 2)

    def arrived() -> list[Arrived]:
        return [
            Arrived(number, item.timestamp, f"{item.topic}/{item.partition}")
            for item in read(server.plaintext, names())
            for number in numbers_in((item.value or b"").decode())
        ]

    destination = (
        f'hosts: "127.0.0.1:{proxy.port}", tls: false, sasl_mechanism: plain, username: writer, '
        'password: "${KAFKA_WORD}"'
    )
    return Target(
        "kafka", "kafka", proxy, destination, "topic", lambda: f"run{run}-", begin, arrived,
        variables={"KAFKA_WORD": server.passwords["writer"]},
    )  # fmt: skip


def _http(stack: ExitStack, folder: Path, authority: Callable[[], Authority]) -> Target:
    receiver = stack.enter_context(start_http())
    gate = Gate(lambda request: Reply())
    receiver.answer = gate.answer
    proxy = stack.enter_context(start_fault_proxy(receiver.port))

    def arrived() -> list[Arrived]:
        return [Arrived(number, at, "requests")
                for (_, body), at in zip(gate.taken, gate.times, strict=True)
                for number in numbers_in(body)]  # fmt: skip

    return Target(
        "http", "http_push", proxy, "http_endpoint: api, batch: true", "endpoint_path",
        lambda: "/place", gate.reset, arrived, port=proxy.port,
    )  # fmt: skip


TARGETS: Final = {"redis": _redis, "kafka": _kafka, "http": _http}
Start = Callable[[ExitStack, Path, Callable[[], Authority]], Target]


@contextmanager
def started(name: str, folder: Path, authority: Callable[[], Authority]) -> Iterator[Target]:
    """A target until the block ends."""
    with ExitStack() as stack:
        start: Start = TARGETS[name]
        yield start(stack, folder, authority)
