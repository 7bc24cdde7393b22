"""Requests of AWS for the program `aws`."""

from __future__ import annotations

from typing import Final

from routestudio.model.fields import RuleError
from routestudio.sinks._shared.aws.fields import EMULATOR_KEYS, AwsConfig
from routestudio.sinks._shared.aws.link import Entry
from routestudio.sinks._shared.shell import ShellCommand

_PLACES: Final = ("file://", "fileb://", "http://", "https://")


def aws(config: AwsConfig, region: str, *words: str, body: bytes | None = None) -> ShellCommand:
    """A request to an API in a region; without keys by the machine's own credentials."""
    given = ["aws", "--region", region]
    if config.use_emulator:
        given += ["--endpoint-url", str(config.endpoint(words[0], region)).rstrip("/")]
    keys = config.keys()
    environment = {}
    if keys is EMULATOR_KEYS:
        environment = {"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator"}
    elif keys is not None:
        environment = {"AWS_ACCESS_KEY_ID": keys.id.get_secret_value(),
                       "AWS_SECRET_ACCESS_KEY": keys.secret.get_secret_value()}  # fmt: skip
    return ShellCommand((*given, *words), body, environment=environment)


def option(name: str, value: str) -> str:
    """An option with its value in one word, so that a value may begin with a dash.

    Raises `RuleError` for a value that `aws` would take for the place of the value.
    """
    if value.startswith(_PLACES):
        raise RuleError(f"has a value that begins with {value.partition('//')[0]}//",
                        hint="aws would send what it finds there")  # fmt: skip
    return f"--{name}={value}"


def fifo_words(record: Entry) -> tuple[str, ...]:
    """The ids of a message for a FIFO destination; none for any other."""
    if record.fifo is None:
        return ()
    return (option("message-group-id", record.fifo.group),
            option("message-deduplication-id", record.fifo.deduplication))  # fmt: skip
