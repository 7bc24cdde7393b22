"""The log of a run: one event per line, nothing secret, nothing too often."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from routestudio.cli.run_log import LogBridge, RunLog
from routestudio.cli.run_watch import REPEAT_SECONDS, RunWatch
from routestudio.pipeline.report import OpenCircuit, Progress, ReasonCount

NOW = dt.datetime(2026, 1, 31, 10, 20, 30, 123456, dt.UTC)


class Lines(io.StringIO):
    """What was logged."""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def names(self) -> list[str]:
        return [event["event"] for event in self.events()]


def log_to(lines: Lines, form: str = "json", level: str = "info", **fields: Any) -> RunLog:
    return RunLog(
        form, level, stream=lines, now=lambda: NOW,
        redact=lambda text: text.replace("hunter2", "•••"), **fields,
    )  # fmt: skip


def test_json_events_have_time_level_event_and_fields() -> None:
    lines = Lines()
    log_to(lines, sink="orders").event("info", "started", pid=7, metrics=None, ok=True)
    assert lines.events() == [
        {"time": "2026-01-31T10:20:30.123Z", "level": "info", "event": "started",
         "sink": "orders", "pid": 7, "ok": True},
    ]  # fmt: skip


def test_text_events_are_one_line_whatever_the_values() -> None:
    lines = Lines()
    log_to(lines, "text", sink="orders").event(
        "warning", "odd", plain="a-b_c.d/e:f", spaced="a b", broken='x\n"y" \x1b[2J \x85',
        empty="", number=1.5, great=12_345_678, yes=True,
    )  # fmt: skip
    assert lines.getvalue() == (
        "2026-01-31T10:20:30.123Z WARNING odd sink=orders plain=a-b_c.d/e:f "
        'spaced="a b" broken="x\\n\\"y\\" \\u001b[2J \\u0085" empty="" number=1.5 '
        "great=12345678 yes=true\n"
    )


@pytest.mark.parametrize(
    ("level", "kept"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)],
)
def test_levels(level: str, kept: int) -> None:
    lines = Lines()
    log = log_to(lines, level=level)
    for each in ("debug", "info", "warning", "error"):
        log.event(each, "one")
    assert len(lines.events()) == kept


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_redacted_at_any_depth(form: str) -> None:
    lines = Lines()
    log_to(lines, form, source="redis://hunter2@h").event(
        "info", "one", reason="hunter2 refused", more={"why": "hunter2"}
    )
    assert "hunter2" not in lines.getvalue()
    assert lines.getvalue().count("•••") == 3


def test_a_closed_stream_ends_nothing() -> None:
    lines = Lines()
    log = log_to(lines)
    lines.close()
    log.event("info", "one")


# --- what the program and libraries log ----------------------------------------------------------


@pytest.fixture
def bridged() -> Iterator[Lines]:
    lines = Lines()
    with LogBridge(log_to(lines)):
        yield lines


@pytest.mark.allow_log
def test_own_records_become_events(bridged: Lines) -> None:
    logging.getLogger("routestudio.sources.kafka").info("assigned: %s", "orders[0]")
    logging.getLogger("routestudio.pipeline.run").error("a delivery %s", "failed")
    first, second = bridged.events()
    assert (first["event"], first["level"], first["message"]) == (
        "source", "info", "assigned: orders[0]",
    )  # fmt: skip
    assert (second["event"], second["level"], second["message"]) == (
        "log", "error", "a delivery failed",
    )  # fmt: skip


@pytest.mark.allow_log
def test_a_failure_is_told_by_kind_and_place_without_its_text(bridged: Lines) -> None:
    try:
        raise ValueError("record 4711 of Smith")
    except ValueError:
        logging.getLogger("routestudio.engine").exception("a fault")
    [event] = bridged.events()
    assert event["error"] == "ValueError"
    assert event["place"].startswith("test_run_log.py:")
    assert "Smith" not in bridged.getvalue()
    assert "Traceback" not in bridged.getvalue()


def test_of_libraries_only_warnings_without_arguments(bridged: Lines) -> None:
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("slow: %s", "secret row")
    [event] = bridged.events()
    assert event["message"] == "slow: %s"


def test_the_loggers_are_as_before_afterwards() -> None:
    program, root = logging.getLogger("routestudio"), logging.getLogger()
    before = (program.level, list(root.handlers))
    with LogBridge(log_to(Lines())):
        assert program.level == logging.INFO
    assert (program.level, list(root.handlers)) == before


# --- progress ------------------------------------------------------------------------------------


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(
    *reasons: ReasonCount, circuit: OpenCircuit | None = None, delivered: int = 0
) -> Progress:
    return Progress(
        delivered, 0, delivered, sum(r.rejected for r in reasons), sum(r.retried for r in reasons),
        0, 0, 1.0, 5.4, (), 0, 3, 0, reasons, circuit=circuit,
    )  # fmt: skip


def watch_to(lines: Lines, clock: Clock, **more: Any) -> RunWatch:
    return RunWatch(log_to(lines), every=10.0, letters=True, clock=clock, **more)


def test_progress_is_told_at_its_interval() -> None:
    lines, clock = Lines(), Clock()
    watch = watch_to(lines, clock)
    for _ in range(250):
        clock.now += 0.1
        watch.watch(progress(delivered=7))
    assert lines.names() == ["progress", "progress"]
    assert lines.events()[0]["delivered"] == 7
    assert lines.events()[0]["per_second"] == 5


def test_duplicates_are_told_with_their_kind() -> None:
    lines = Lines()
    watch = watch_to(lines, Clock())
    watch.watch(progress(ReasonCount("duplicate", "duplicate_gone", "Smith", 4)))
    (told,) = lines.events()
    assert (told["event"], told["code"], told["messages"]) == ("duplicate", "duplicate_gone", 4)


def test_retries_and_rejections_are_told_at_once_then_at_intervals() -> None:
    lines, clock = Lines(), Clock()
    watch = watch_to(lines, clock)

    def reasons(count: int) -> tuple[ReasonCount, ...]:
        return (
            ReasonCount("deliver", "http_503", "Smith", 5 + count, 5),
            ReasonCount("route", "raised", "Smith", count),
        )

    watch.watch(progress(*reasons(1)))
    assert lines.names() == ["retry", "rejected", "rejected"]
    for count in range(2, 50):
        clock.now += REPEAT_SECONDS / 60
        watch.watch(progress(*reasons(count)))
    assert len(lines.events()) == 3
    clock.now += REPEAT_SECONDS
    watch.watch(progress(*reasons(60)))
    told = lines.events()
    assert [(e["code"], e["messages"]) for e in told if e["event"] == "rejected"] == [
        ("http_503", 1), ("raised", 1), ("http_503", 59), ("raised", 59),
    ]  # fmt: skip
    assert [(e["messages"], e["waiting"]) for e in told if e["event"] == "retry"] == [(5, 3)]
    assert "Smith" not in lines.getvalue(), "what is said about a message may quote it"


def test_what_was_held_back_is_told_at_the_end() -> None:
    lines, clock = Lines(), Clock()
    watch = watch_to(lines, clock)
    watch.watch(progress(ReasonCount("route", "raised", "", 1)))
    last = progress(ReasonCount("route", "raised", "", 9))
    watch.watch(last)
    watch.finish(last)
    assert sum(event["messages"] for event in lines.events()) == 9


def test_a_circuit_opens_and_closes_once() -> None:
    lines, clock = Lines(), Clock()
    watch = watch_to(lines, clock)
    down = OpenCircuit(3, 10, 1.0, 2.0, "refused by hunter2")
    for _ in range(5):
        clock.now += 1
        watch.watch(progress(circuit=down))
    clock.now += 1
    watch.watch(progress())
    watch.watch(progress())
    first, second = lines.events()
    assert (first["event"], first["reason"], first["failures"]) == (
        "circuit_open", "refused by •••", 3,
    )  # fmt: skip
    assert (second["event"], second["after_seconds"]) == ("circuit_closed", 5.0)
