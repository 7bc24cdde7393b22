"""What the tests of all AWS sinks do: encode, write a project, run it, fill the check table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from routestudio.engine.service import EngineService
from routestudio.model.message import ACTIONS, Message, message_from
from routestudio.routing import Router
from routestudio.sinks._shared.aws import link as aws_link
from routestudio.sinks.base import Payload, Sink
from routestudio.sinks.binding import bind
from tests.support.aws_server import AwsServer, Key, emulator
from tests.support.check_table import CheckTable
from tests.support.http_server import HttpReceiver

TRANSFORM = """\
def transform(action, record, changes, metadata):
    return {"what": action, "id": record["id"], "note": record["note"], "at": metadata.commit_idx}
"""


def message(number: int, action: str = "insert", **metadata: Any) -> Message:
    """Return a message with an idempotency key and a group of its own."""
    return message_from(raw(number, action, **metadata))


def raw(number: int, action: str = "insert", **metadata: Any) -> dict[str, Any]:
    """Return the same as JSON has it."""
    return {
        "action": action,
        "record": {"id": number, "note": f"é {number} <&> \n"},
        "changes": {"note": "old"} if action == "update" else None,
        "metadata": {"table_name": "orders", "commit_lsn": 77, "commit_idx": number, **metadata},
    }


@dataclass
class Route:
    """A sink with its configuration, routing messages to one destination."""

    sink: type[Sink]
    values: dict[str, Any]
    grouping: bool = True

    def __post_init__(self) -> None:
        self.bound = bind(self.sink, self.values, dynamic=False)
        self.router = Router(self.bound, grouping=self.grouping)

    @property
    def target(self) -> Any:
        """The destination, for a check."""
        return self.router.instance(self.router.route(message(0)))

    def encode(self, given: Message) -> Any:
        """Return the record of a message."""
        effective = self.router.route(given)
        assert effective.ok, effective.problems
        routing = self.router.instance(effective)
        return self.sink.encode(self.bound.config, given, routing, Payload(given.as_json()))

    def records(self, count: int, start: int = 0) -> list[Any]:
        """Return records of different messages and groups."""
        return [self.encode(message(number)) for number in range(start, start + count)]

    def connect(self) -> Any:
        """Return an idle link."""
        return self.sink.connect(self.bound.config)


def write_project(
    folder: Path,
    sink: type[Sink],
    values: Mapping[str, Any],
    *,
    messages: Sequence[dict[str, Any]],
    route: str | None = None,
) -> Path:
    """Write a project with one sink called `out`, a transform, and perhaps a routing function."""
    functions: list[dict[str, Any]] = [
        {"name": "short", "type": "transform", "language": "python", "file": "functions/short.py"}
    ]
    entry: dict[str, Any] = {"name": "out", "transform": "short", "destination": {
        "type": sink.yaml_type or sink.key, **values}}  # fmt: skip
    (folder / "functions").mkdir()
    (folder / "samples").mkdir()
    (folder / "functions" / "short.py").write_text(TRANSFORM)
    if route is not None:
        functions.append({"name": "where", "type": "routing", "sink_type": sink.key,
                          "language": "python", "file": "functions/where.py"})  # fmt: skip
        entry["routing"] = "where"
        (folder / "functions" / "where.py").write_text(route)
    with (folder / "sequin.yaml").open("w") as file:
        YAML(typ="safe").dump({"functions": functions, "sinks": [entry]}, file)
    lines = "".join(json.dumps(item) + "\n" for item in messages)
    (folder / "samples" / "rows.jsonl").write_text(lines)
    return folder


def every_action(count: int) -> list[dict[str, Any]]:
    """Return messages of all four actions in turn."""
    return [raw(number, ACTIONS[number % len(ACTIONS)]) for number in range(count)]


def keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Put an access key into the environment, and return the references to it."""
    monkeypatch.setenv("SHOP_KEY", "AKIATESTTESTTESTTEST")
    monkeypatch.setenv("SHOP_SECRET", "a-secret-access-key")
    return {"access_key_id": "${SHOP_KEY}", "secret_access_key": "${SHOP_SECRET}"}


async def previewed_and_run(
    folder: Path, *, checked: bool = True
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Preview, check and run the sink `out`; return the rows of the preview and the summary."""
    rows: list[dict[str, Any]] = []
    async with EngineService() as service:
        await service.open(str(folder))
        await service.preview_all("out", rows.append, sample="rows")
        if checked:
            steps = await service.checks.sink("out", sample="rows")
            assert {step.status for step in steps} <= {"passed", "skipped"}, steps
        summary = await service.run("out", sample="rows")
    assert all(row["ok"] for row in rows), [row["error"] for row in rows if not row["ok"]]
    return rows, summary


async def fill_table(
    sink: type[Sink],
    field: str,
    target: str,
    missing: str,
    *,
    server: AwsServer,
    tls_server: AwsServer,
    rights: tuple[Sequence[str], Sequence[str]],
    ports: tuple[int, int, int],
    not_aws: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Run a sink's check in every situation and compare with its page.

    `rights` are those that reading attributes and sending need; `ports` are a closed, a silent
    and a garbage one. `target` and `missing` are values of the routed field called `field`.
    """
    monkeypatch.setattr(aws_link, "CHECK_SECONDS", 8.0)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    def at(place: AwsServer | str, key: Key | None = None, **values: Any) -> Any:
        given = emulator(place, **values)
        if key:
            given |= {"access_key_id": key.id, "secret_access_key": key.secret}
        return sink.Config.model_validate(given)

    def to(destination: str) -> Any:
        return sink.Routing.model_validate({field: destination})

    reading, sending = rights
    both, reader, sender = (
        server.user(*reading, *sending), server.user(*reading), server.user(*sending),
    )  # fmt: skip
    users = {both.user: "writer", reader.user: "reader", sender.user: "sender"}
    name = target.replace(":", "/").rpartition("/")[2]
    table = CheckTable(sink, "moto's server", {**users, name: "orders"})
    there, gone = to(target), to(missing)
    denied, found = "authenticate failed", "target passed"
    with server.enforcing():
        await table.run_both("right credentials", at(server, both), there, found)
        none = "no samples, and no right to list"
        await table.run("right credentials", "dynamic", at(server, both), [],
                        "authenticate passed", variant=none)  # fmt: skip
        unknown = Key("AKIANOBODYNOBODYNOBO", both.secret)
        await table.run_both("wrong credentials", at(server, unknown), there, denied,
                             variant="access key id")  # fmt: skip
        forged = Key(both.id, "wrong-secret-access-key")
        await table.run_both("wrong credentials", at(server, forged), there, denied,
                             variant="secret access key")  # fmt: skip
        nobody = at(server, use_task_role=True)
        await table.run_both("wrong credentials", nobody, there, denied,
                             variant="none on this machine")  # fmt: skip
        await table.run_both("missing right", at(server, reader), there, "target failed",
                             variant="to send")  # fmt: skip
        await table.run_both("missing right", at(server, sender), there, "target inconclusive",
                             variant="to read attributes")  # fmt: skip
        await table.run_both("missing target", at(server, both), gone, "target failed")
        await table.run("missing target", "dynamic", at(server, both), [there, gone],
                        "target failed", variant="one of two")  # fmt: skip
    secure = at(tls_server.url.replace("127.0.0.1", "localhost"))
    await table.run("right credentials", "dynamic", secure, [], "authenticate passed",
                    variant="no samples, TLS")  # fmt: skip
    closed, silent, garbage = (f"http://127.0.0.1:{port}" for port in ports)
    await table.run_both("unreachable", at(closed), there, "connect failed", variant="port")
    nowhere = at("http://no-such-host.invalid:4566")
    await table.run_both("unreachable", nowhere, there, "resolve failed", variant="host")
    await table.run_both("wrong protocol", at(garbage), there, denied, variant="not HTTP")
    await table.run_both("wrong protocol", at(not_aws.url), there, denied,
                         variant="HTTP, but not AWS")  # fmt: skip
    await table.run_both("wrong protocol", at(server.url.replace("http:", "https:")), there,
                         "TLS failed", variant="TLS against a plain port")  # fmt: skip
    await table.run_both("wrong protocol", at(tls_server.url.replace("https:", "http:")), there,
                         denied, variant="plain against a TLS port")  # fmt: skip
    monkeypatch.setattr(aws_link, "CHECK_SECONDS", 1.0)
    await table.run_both("timeout", at(silent), there, denied)
    table.finish()
