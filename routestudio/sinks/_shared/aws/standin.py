"""The AWS stand-in: moto's server in a child process, behind a receiver that keeps what arrives.

The receiver also makes the queues, topics and streams that are used first: a stand-in has no
operator. moto is not asked what it holds, because reading a queue leaves traces in it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib.util
import json
import re
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from routestudio.errors import LinkError
from routestudio.http_server import Request
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.standins.http_server import HttpServerStandin, Response
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.standin import Arrived, as_text
from routestudio.system import current as system

ACCOUNT: Final = "123456789012"
"""The account that moto uses; destinations of other accounts are taken for its own."""

START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_DROPPED: Final = frozenset(
    {"connection", "content-encoding", "content-length", "date", "host", "keep-alive", "server",
     "transfer-encoding"}
)  # fmt: skip
_CHILD: Final = (
    "import os, sys, threading\n"
    "threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n"
    "from moto.server import main\n"
    "main(sys.argv[1:])\n"
)
"""moto's server, which ends when its standard input does: with this process, however that ends."""

_MEMBER: Final = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.(\w+)", re.ASCII)
_SENT: Final = re.compile(r"<Successful>(.*?)</Successful>", re.DOTALL)
_FIFO_SECONDS: Final = 300.0


class AwsStandin(HttpServerStandin):
    """SQS, SNS and Kinesis of one account, in every region, in memory."""

    kind: ClassVar[str] = "aws"
    title: ClassVar[str] = "AWS (moto)"

    def __init__(self) -> None:
        super().__init__()
        self._child: asyncio.subprocess.Process | None = None
        self._port = 0
        self._client = HttpClient(tls=False)
        self._made: set[tuple[str, str]] = set()
        self._making = asyncio.Lock()
        self._repeats: dict[tuple[str, str], float] = {}

    async def start(self) -> StandinAddress:
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
            raise LinkError(
                "the AWS stand-in needs the server of the package moto",
                hint="pip install 'moto[server]'",
            )
        try:
            await self._start_moto()
            return await super().start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await super().stop()
        await self._client.close()
        self._made.clear()
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def clear(self) -> None:
        await super().clear()
        self._repeats.clear()

    async def _start_moto(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        kept = system.workers.environment("PATH")
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _CHILD, "-H", "127.0.0.1", "-p", str(self._port),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**kept, "AWS_EC2_METADATA_DISABLED": "true"}, **system.workers.options,
            )  # fmt: skip
        except OSError as error:
            raise LinkError(f"the AWS stand-in cannot start: {error}") from None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._child.returncode is None:
            try:
                await self._ask("GET", "/moto-api/", {}, b"")
            except UnansweredError:
                await asyncio.sleep(0.05)
            else:
                return
        raise LinkError(
            "the AWS stand-in did not start: moto's server ended or does not answer",
            hint="run `python -m moto.server` to see why",
        )

    async def _ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
        url = f"http://127.0.0.1:{self._port}{target}"
        return await self._client.exchange(method, url, pairs, body, keep=1 << 26)

    async def _respond(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers if name not in _DROPPED}
        body = request.body
        try:
            call = _read(headers, body)
            if call is not None:
                await self._make(call, headers)
                body = call.local()
            answer = await self._ask(request.method, request.target, headers, body)
        except UnansweredError as failure:
            text = json.dumps({"__type": "ServiceUnavailable", "message": str(failure)})
            return 503, [], text.encode()
        if call is not None and answer.ok:
            self._note(call, answer)
        found = [(k, v) for k, v in answer.headers.items() if k.lower() not in _DROPPED]
        return answer.status, found, answer.body

    async def _make(self, call: _Call, headers: Mapping[str, str]) -> None:
        """Make the destination of a call, once."""
        place = (call.region, call.local_destination)
        async with self._making:
            if place in self._made:
                return
            for target, body in call.making():
                sent = {**headers, "content-type": call.content_type}
                if target:
                    sent["x-amz-target"] = target
                for _ in range(100):
                    answer = await self._ask("POST", "/", sent, body)
                    if b'"CREATING"' not in answer.body:
                        break
                    await asyncio.sleep(0.02)
            self._made.add(place)

    def _note(self, call: _Call, answer: Answer) -> None:
        """Keep the entries that moto took, but for those that a FIFO destination drops."""
        taken = call.taken(answer)
        now = time.monotonic()
        for index, entry in enumerate(call.entries):
            if index not in taken:
                continue
            repeat = entry.details.get("deduplication_id")
            if repeat is not None:
                seen = self._repeats.get((call.destination, repeat), -_FIFO_SECONDS)
                if now - seen < _FIFO_SECONDS:
                    continue
                self._repeats[call.destination, repeat] = now
            details = {"service": call.service, "region": call.region, **entry.details}
            self._kept.add(Arrived(call.destination, entry.body, entry.key, details))


class _Entry:
    """One message of a call: its text, its key, and what else was sent with it."""

    __slots__ = ("body", "details", "id", "key")

    def __init__(self, id: str, body: str, key: str | None, details: dict[str, Any]) -> None:
        self.id, self.body, self.key, self.details = id, body, key, details


class _Call:
    """A call that names a destination; with `entries` when it sends."""

    service: ClassVar[str]
    parameter: ClassVar[str]
    content_type: ClassVar[str] = "application/x-amz-json-1.0"

    def __init__(self, region: str, destination: str, entries: list[_Entry], raw: bytes) -> None:
        self.region, self.destination, self.entries, self.raw = region, destination, entries, raw
        self.local_destination = re.sub(r"(?<=[:/])\d{12}(?=[:/])", ACCOUNT, destination)
        self.name = re.split(r"[:/]", destination)[-1]
        self.fifo = self.name.endswith(".fifo")

    def local(self) -> bytes:
        """The request's body with the destination in moto's own account."""
        if self.local_destination == self.destination:
            return self.raw
        given = json.loads(self.raw)
        return json.dumps({**given, self.parameter: self.local_destination}).encode()

    def making(self) -> list[tuple[str, bytes]]:
        """The requests that make the destination: their `X-Amz-Target`, and their body."""
        raise NotImplementedError

    def taken(self, answer: Answer) -> set[int]:
        """Positions of the entries that a good answer confirms."""
        raise NotImplementedError


class _SqsCall(_Call):
    service = "sqs"
    parameter = "QueueUrl"

    def making(self) -> list[tuple[str, bytes]]:
        attributes = {"FifoQueue": "true"} if self.fifo else {}
        body = json.dumps({"QueueName": self.name, "Attributes": attributes})
        return [("AmazonSQS.CreateQueue", body.encode())]

    def taken(self, answer: Answer) -> set[int]:
        found = {item["Id"] for item in (answer.json() or {}).get("Successful", ())}
        return {index for index, entry in enumerate(self.entries) if entry.id in found}


class _SnsCall(_Call):
    service = "sns"
    parameter = "TopicArn"
    content_type = "application/x-www-form-urlencoded; charset=utf-8"

    def local(self) -> bytes:
        fields = dict(parse_qsl(self.raw.decode(), keep_blank_values=True))
        return urlencode({**fields, self.parameter: self.local_destination}).encode()

    def making(self) -> list[tuple[str, bytes]]:
        fields = {"Action": "CreateTopic", "Version": "2010-03-31", "Name": self.name}
        if self.fifo:
            fields |= {
                "Attributes.entry.1.key": "FifoTopic",
                "Attributes.entry.1.value": "true",
            }
        return [("", urlencode(fields).encode())]

    def taken(self, answer: Answer) -> set[int]:
        part = _SENT.search(answer.body.decode("utf-8", "replace"))
        found = set(re.findall(r"<Id>([^<]*)</Id>", part[1])) if part else set()
        return {index for index, entry in enumerate(self.entries) if entry.id in found}


class _KinesisCall(_Call):
    service = "kinesis"
    parameter = "StreamARN"
    content_type = "application/x-amz-json-1.1"

    def making(self) -> list[tuple[str, bytes]]:
        made = json.dumps({"StreamName": self.name, "ShardCount": 2}).encode()
        asked = json.dumps({"StreamName": self.name}).encode()
        start = "Kinesis_20131202."
        return [(start + "CreateStream", made), (start + "DescribeStreamSummary", asked)]

    def taken(self, answer: Answer) -> set[int]:
        found = (answer.json() or {}).get("Records", ())
        return {index for index, item in enumerate(found) if not item.get("ErrorCode")}


def _read(headers: Mapping[str, str], body: bytes) -> _Call | None:
    """The call of a request that names a queue, topic or stream; `None` for every other."""
    scope = re.search(r"Credential=[^/]*/\d+/([a-z0-9-]+)/", headers.get("authorization", ""))
    region = scope[1] if scope else "us-east-1"
    target = headers.get("x-amz-target", "")
    try:
        if target.startswith(("AmazonSQS.", "Kinesis_")):
            given = json.loads(body)
            if target.startswith("AmazonSQS.") and "QueueUrl" in given:
                return _SqsCall(region, given["QueueUrl"], _messages(given, "MessageBody"), body)
            if "StreamARN" in given:
                return _KinesisCall(region, given["StreamARN"], _records(given), body)
            return None
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if "TopicArn" not in fields:
        return None
    members: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        if match := _MEMBER.fullmatch(name):
            members.setdefault(int(match[1]), {})[match[2]] = value
    entries = [members[number] for number in sorted(members)]
    return _SnsCall(region, fields["TopicArn"], _messages({"Entries": entries}, "Message"), body)


def _messages(given: Mapping[str, Any], body: str) -> list[_Entry]:
    found = []
    for item in given.get("Entries") or ():
        group = item.get("MessageGroupId")
        details = {}
        if "MessageDeduplicationId" in item:
            details["deduplication_id"] = item["MessageDeduplicationId"]
        found.append(_Entry(item["Id"], item[body], group, details))
    return found


def _records(given: Mapping[str, Any]) -> list[_Entry]:
    found = []
    for item in given.get("Records") or ():
        try:
            data = base64.b64decode(item["Data"], validate=True)
        except binascii.Error:
            data = str(item["Data"]).encode()
        found.append(_Entry("", as_text(data), item["PartitionKey"], {}))
    return found
