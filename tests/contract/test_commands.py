"""A record as a command of the shell: quoted, without secrets, and exactly what the sink sends.

The shell runs each command with a program in place of the tool that reports what it was given.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routestudio.model.fields import RuleError
from routestudio.model.message import message_from
from routestudio.sinks._shared.aws.fields import Fifo
from routestudio.sinks._shared.shell import ShellCommand, named_secrets, written
from routestudio.sinks.base import Sink
from routestudio.sinks.gcp_pubsub.sink import GcpPubSub
from routestudio.sinks.kinesis.sink import Kinesis
from routestudio.sinks.nats.sink import Nats
from routestudio.sinks.sqs.sink import Sqs
from tests.contract.test_sinks import SECRET, SINKS, bound, payload, routing

TOOLS = {"curl", "redis-cli", "kcat", "nats", "rabbitmqadmin", "aws", "gcloud"}
WITH_TOOL = [sink for sink in SINKS if sink.tool]
WITHOUT = {"azure_event_hub"}
"""Sinks whose requests are signed by themselves, which no program of the shell does."""

HOSTILE = 'it\'s "quoted" `id` $(id) $HOME ${HOME} \\ \n* ; & | < > ! # ~ é\U0001f600 \t%s -x'
REPORT = """#!{python}
import json, os, sys
data = None if sys.stdin.isatty() else sys.stdin.buffer.read().decode()
shown = {{k: v for k, v in os.environ.items() if k in {names}}}
print(json.dumps({{"words": [{tool!r}, *sys.argv[1:]], "body": data, "environment": shown}}))
"""

REFUSED = {"nats": "reads from files only"}
"""Accounts, with everything filled in, that a tool cannot sign in to."""

every_sink = pytest.mark.parametrize("sink", WITH_TOOL, ids=[sink.key for sink in WITH_TOOL])


def record_of(sink: type[Sink], *, full: bool = False) -> tuple[Any, Any]:
    """A configuration with a secret in each secret field, and a record with hostile values."""
    found = bound(sink, full=full)
    given = message_from({
        "action": "insert", "record": {"id": "k-1", "note": HOSTILE, "n": 12345678901234567890},
        "metadata": {"table_name": "orders", "record_pks": ["k-1"]},
    }, index=0)  # fmt: skip
    content = payload(sink, given.as_json())
    return found.config, sink.encode(found.config, given, routing(sink, given), content)


def run(text: str, folder: Path, command: ShellCommand, variables: dict[str, str]) -> Any:
    """What the tool of a command is given by the shell."""
    tool = command.words[0]
    program = folder / tool
    program.write_text(REPORT.format(python=sys.executable, tool=tool,
                                     names=sorted(command.environment)))  # fmt: skip
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": "/nowhere"}
    done = subprocess.run(["sh", "-c", text], env={**environment, **variables}, check=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60)  # fmt: skip
    return json.loads(done.stdout)


def test_every_sink_has_a_command_or_a_reason() -> None:
    assert {sink.key for sink in SINKS if not sink.tool} == WITHOUT
    assert {sink.tool for sink in WITH_TOOL} == TOOLS


@every_sink
@pytest.mark.parametrize("full", [False, True], ids=["needed", "full"])
def test_the_shell_gives_the_tool_what_the_sink_sends(
    sink: type[Sink], full: bool, tmp_path: Path
) -> None:
    config, record = record_of(sink, full=full)
    if full and sink.key in REFUSED:
        with pytest.raises(RuleError, match=REFUSED[sink.key]):
            sink.command(config, record)
        return
    command = sink.command(config, record)
    assert command.words[0] == sink.tool
    secrets = named_secrets(config)
    text = written(command, secrets)
    for value in secrets:
        assert value not in text
    variables = {name: value for value, name in secrets.items()}
    given = run(text, tmp_path, command, variables)
    assert given["words"] == list(command.words)
    assert given["environment"] == dict(command.environment)
    if command.body is not None and not command.through:
        assert given["body"].encode() == command.body
    content = json.dumps(HOSTILE, ensure_ascii=False)[1:-1]
    sent = (command.body or b"").decode() + "\n".join(command.words)
    assert (
        content in sent or json.dumps(content, ensure_ascii=False)[1:-1] in sent or "base64" in sent
    )
    assert shlex.split(text)


@pytest.mark.parametrize("text", [HOSTILE, "", "'", "a'b", "$TOKEN", "\n", "-n", "'\"'\"'"])
def test_any_word_comes_through_the_shell(text: str, tmp_path: Path) -> None:
    command = ShellCommand(("curl", text, f"Bearer {SECRET} {text}"), text.encode(),
                           environment={"KEY": text + SECRET})  # fmt: skip
    found = written(command, {SECRET: "TOKEN"})
    assert SECRET not in found
    given = run(found, tmp_path, command, {"TOKEN": SECRET})
    assert given["words"] == list(command.words)
    assert given["body"] == text
    assert given["environment"] == {"KEY": text + SECRET}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (ShellCommand(("curl", "a\0b")), "null character"),
        (ShellCommand(("curl", "\ud800")), "not text"),
        (ShellCommand(("curl",), b"\xff"), "not text"),
        (ShellCommand(("curl", "x" * 200_000)), "too long"),
    ],
)
def test_what_no_command_can_hold_is_refused(command: ShellCommand, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        written(command, {})


def kept(sink: str, **changed: Any) -> tuple[Any, Any]:
    """A configuration of a sink, and a record that differs from the usual one."""
    found = next(item for item in SINKS if item.key == sink)
    config, record = record_of(found)
    return config, replace(record, **changed)


@pytest.mark.parametrize("subject", ["-s", "@/etc/passwd"])
def test_a_subject_of_nats_is_no_option_and_no_file(subject: str) -> None:
    words = Nats.command(*kept("nats", subject=subject)).words
    assert words[-2:] == ("--", subject)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "fileb://x", "https://example.test"])
def test_aws_reads_no_file_for_a_value(place: str) -> None:
    with pytest.raises(RuleError, match="begins with"):
        Kinesis.command(*kept("kinesis", partition_key=place))
    with pytest.raises(RuleError, match="begins with"):
        Sqs.command(*kept("sqs", fifo=Fifo(place, "1")))


def test_a_value_for_aws_may_begin_with_a_dash() -> None:
    assert "--partition-key=-x" in Kinesis.command(*kept("kinesis", partition_key="-x")).words
    assert "--message-body=-5" in Sqs.command(*kept("sqs", body="-5")).words


def test_attributes_of_gcloud_keep_their_values() -> None:
    attributes = {"a": "1,2", "b": "x|y||z"}
    words = GcpPubSub.command(*kept("gcp_pubsub", attributes=attributes)).words
    assert "--attribute=^|||^a=1,2|||b=x|y||z" in words


@pytest.mark.parametrize("text", ["\x03", "\x1b[2J", "a\rb", "\x9b"])
def test_nothing_that_a_terminal_acts_on_is_copied(text: str) -> None:
    with pytest.raises(RuleError, match="control character"):
        written(ShellCommand(("redis-cli", "DEL", text)), {})
