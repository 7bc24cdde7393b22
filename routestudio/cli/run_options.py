"""The options of `routestudio run`: from arguments, or from the environment for containers."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routestudio.errors import ConfigError
from routestudio.model.limits import MOST_WORKERS

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
LOOPBACK: Final = "127.0.0.1"
DRAIN_SECONDS: Final = 30.0
PROGRESS_SECONDS: Final = 10.0
"""More would leave each with two requests under way."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The options of `routestudio run`. Times in seconds.

    `log_level` is `None` when nobody chose one.
    """

    input: str
    dead_letters: str | None
    checkpoint: str | None
    metrics: Address | None
    log_format: str | None
    log_level: str | None
    drain: float
    progress: float
    envelope: str | None = None
    key: str | None = None
    confirm: str | None = None
    workers: int = 1


def address(text: str) -> Address:
    """`HOST:PORT`, `:PORT` or `PORT`; without a host only this machine may ask."""
    host, separator, port = text.strip().rpartition(":")
    if not separator:
        host = ""
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise argparse.ArgumentTypeError(f"`{text}`: an IPv6 address needs brackets: [::1]:9464")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise argparse.ArgumentTypeError(f"`{text}` is not HOST:PORT, such as 127.0.0.1:9464")
    return Address(host or LOOPBACK, int(port))


def seconds(text: str) -> float:
    """A number of seconds that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds from 0 to 86400")
    return value


def interval(text: str) -> float:
    """A number of seconds that is positive."""
    value = seconds(text)
    if value < 0.1:
        raise argparse.ArgumentTypeError(f"`{text}` is below 0.1 seconds")
    return value


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    """A type of arguments that accepts these words only."""

    def choose(text: str) -> str:
        if text.lower() not in choices:
            raise argparse.ArgumentTypeError(f"`{text}` is not one of {', '.join(choices)}")
        return text.lower()

    return choose


def count(text: str) -> int:
    """A number of messages."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of messages")
    return number


def processes(text: str) -> int:
    """A number of worker processes."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 to {MOST_WORKERS}")
    return number


def _text(text: str) -> str:
    return text


_OPTIONS: Final[tuple[tuple[str, str, Callable[[str], Any], str], ...]] = (
    ("input", "FILE|-|URI", _text, "messages to deliver"),
    ("envelope", "NAME", _text, "row format (see `routestudio formats`); recognised without it"),
    ("key", "COLUMNS", _text, "columns of the primary key, with commas, in the key's order"),
    ("dead_letters", "FILE", _text, "append rejected messages to this file"),
    ("checkpoint", "FILE", _text, "resume from, and record, progress"),
    ("confirm", "NAME", _text, "the environment in use, to deliver to one that is read-only"),
    ("workers", "N", processes, "deliver with N processes; each message group stays with one "
                                "(default 1)"),
    ("metrics", "[HOST:]PORT", address, "serve /metrics and /healthz there"),
    ("log_format", "text|json", one_of(FORMATS), "how events are logged to standard error"),
    ("log_level", "LEVEL", one_of(LEVELS), "lowest level that is logged: " + ", ".join(LEVELS)),
    ("drain_timeout", "SECONDS", seconds, "how long a stop waits for what is in flight "
                                          f"(default {DRAIN_SECONDS:g})"),
    ("progress", "SECONDS", interval, f"time between progress logs (default {PROGRESS_SECONDS:g})"),
)  # fmt: skip


def variable(name: str) -> str:
    """The environment variable of an option."""
    return f"ROUTESTUDIO_{name.upper()}"


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add every option of `run`. Each may come from its variable instead."""
    for name, shown, kind, text in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=shown, type=kind, help=text)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="do everything but send: count what would be sent, by destination",
    )
    parser.add_argument("--limit", metavar="N", type=count, help="with --dry-run: read N messages "
                        "at most (1,000 rows of an address unless given)")  # fmt: skip
    parser.epilog = (
        "Options that are not given are taken from the environment: --drain-timeout from "
        f"{variable('drain_timeout')}, and so on."
    )


def settings_of(options: argparse.Namespace, environ: Mapping[str, str]) -> RunSettings:
    """The settings of one run; an option goes before its variable.

    Raises `ConfigError` that names the option or variable.
    """
    found: dict[str, Any] = {}
    for name, _, kind, _ in _OPTIONS:
        value = getattr(options, name)
        given = environ.get(variable(name), "")
        if value is None and given:
            try:
                value = kind(given)
            except argparse.ArgumentTypeError as error:
                raise ConfigError(f"{variable(name)}: {error}") from None
        found[name] = value
    if not found["input"]:
        raise ConfigError(
            f"the messages to deliver are not named; use --input or {variable('input')} "
            "(see `routestudio run --help`)"
        )
    return RunSettings(
        input=found["input"],
        dead_letters=found["dead_letters"],
        checkpoint=found["checkpoint"],
        metrics=found["metrics"],
        log_format=found["log_format"],
        log_level=found["log_level"],
        drain=DRAIN_SECONDS if found["drain_timeout"] is None else found["drain_timeout"],
        progress=found["progress"] or PROGRESS_SECONDS,
        envelope=found["envelope"],
        key=found["key"],
        confirm=found["confirm"],
        workers=found["workers"] or 1,
    )
