"""The options of `run`: from arguments and from the environment, refused with their name."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from routestudio.cli.run_options import Address, RunSettings, add_run_options, settings_of
from routestudio.cli.secret_files import take_secret_files
from routestudio.errors import ConfigError, UsageError


def settings(*arguments: str, **environ: str) -> RunSettings:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    return settings_of(parser.parse_args(arguments), environ)


def test_defaults() -> None:
    found = settings("--input", "-")
    assert (found.input, found.drain, found.progress) == ("-", 30.0, 10.0)
    assert (found.metrics, found.log_format, found.log_level) == (None, None, None)


def test_variables_stand_in_for_options_and_options_go_first() -> None:
    environ = {
        "ROUTESTUDIO_INPUT": "kafka://k:9092/orders?group=g",
        "ROUTESTUDIO_DEAD_LETTERS": "dead.jsonl",
        "ROUTESTUDIO_CHECKPOINT": "at.json",
        "ROUTESTUDIO_METRICS": "0.0.0.0:9464",
        "ROUTESTUDIO_LOG_FORMAT": "JSON",
        "ROUTESTUDIO_LOG_LEVEL": "debug",
        "ROUTESTUDIO_DRAIN_TIMEOUT": "0",
        "ROUTESTUDIO_PROGRESS": "2.5",
    }
    assert settings(**environ) == RunSettings(
        "kafka://k:9092/orders?group=g", "dead.jsonl", "at.json", Address("0.0.0.0", 9464),
        "json", "debug", 0.0, 2.5,
    )  # fmt: skip
    found = settings("--input", "x.jsonl", "--log-format", "text", "--metrics", "1", **environ)
    assert (found.input, found.log_format, found.metrics) == (
        "x.jsonl", "text", Address("127.0.0.1", 1),
    )  # fmt: skip


def test_an_empty_variable_is_none() -> None:
    assert settings("--input", "-", ROUTESTUDIO_METRICS="").metrics is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9464", "127.0.0.1", 9464),
        (":9464", "127.0.0.1", 9464),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("metrics.internal:80", "metrics.internal", 80),
        ("[::1]:9464", "::1", 9464),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert settings("--input", "-", ROUTESTUDIO_METRICS=text).metrics == Address(host, port)


@pytest.mark.parametrize("text", ["", "host", "host:", "host:http", "host:70000", "::1:9464", "-1"])
def test_what_is_no_address_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings("--input", "-", f"--metrics={text}")
    assert "--metrics" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS", "nowhere"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("DRAIN_TIMEOUT", "-1"),
        ("DRAIN_TIMEOUT", "nan"),
        ("PROGRESS", "0"),
    ],
)
def test_a_bad_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"ROUTESTUDIO_{name}"):
        settings("--input", "-", **{f"ROUTESTUDIO_{name}": value})


def test_without_an_input_both_ways_are_named() -> None:
    with pytest.raises(ConfigError, match=r"--input or ROUTESTUDIO_INPUT"):
        settings()


def test_an_address_is_shown_as_it_is_written() -> None:
    assert str(Address("127.0.0.1", 1)) == "127.0.0.1:1"
    assert str(Address("::1", 1)) == "[::1]:1"


# --- secrets in files ----------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["ROUTESTUDIO_SECRETS", "CREDENTIALS_DIRECTORY"])
def test_files_are_variables(tmp_path: Path, variable: str) -> None:
    (tmp_path / "KAFKA_PASSWORD").write_text("pass word\r\n")
    (tmp_path / "TOKEN").write_text("from file")
    (tmp_path / "not-a-variable").write_text("x")
    (tmp_path / "FOLDER").mkdir()
    environ = {variable: str(tmp_path), "TOKEN": "set before"}
    take_secret_files(environ)
    assert environ == {
        variable: str(tmp_path), "TOKEN": "set before", "KAFKA_PASSWORD": "pass word",
    }  # fmt: skip


def test_without_a_folder_nothing_happens() -> None:
    environ: dict[str, str] = {"ROUTESTUDIO_SECRETS": ""}
    take_secret_files(environ)
    assert environ == {"ROUTESTUDIO_SECRETS": ""}


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ROUTESTUDIO_SECRETS.*No such file") as caught:
        take_secret_files({"ROUTESTUDIO_SECRETS": str(tmp_path / "none")})
    assert "none" in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * (1 << 20) + b"y"])
def test_a_secret_that_is_no_text_is_refused_without_showing_it(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "KEY").write_bytes(content)
    with pytest.raises(UsageError, match="not text") as caught:
        take_secret_files({"ROUTESTUDIO_SECRETS": str(tmp_path)})
    assert "KEY" in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_secret_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text("x")
    (tmp_path / "KEY").chmod(0)
    with pytest.raises(UsageError, match="KEY"):
        take_secret_files({"ROUTESTUDIO_SECRETS": str(tmp_path)})


def test_the_command_line_offers_every_fault_that_can_be_rehearsed() -> None:
    """The parser knows them by name: importing the engine would cost every command's start."""
    from routestudio.cli.main import build_parser
    from routestudio.engine.rehearsal_faults import FAULTS

    for fault in (*FAULTS, "all"):
        build_parser().parse_args(["rehearse", "p", "s", "--fault", fault])
    with pytest.raises(SystemExit):
        build_parser().parse_args(["rehearse", "p", "s", "--fault", "other"])
