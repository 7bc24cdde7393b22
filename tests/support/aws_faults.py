"""A proxy before moto's server that fails chosen entries of batches, as AWS does under load."""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.support.aws_server import AwsServer
from tests.support.http_server import HttpReceiver, Received, Reply, start_http

_DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_MEMBER = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.(\w+)")


class Faults:
    """What the proxy does. `fails` names the code for the text of an entry, `None` lets it pass.

    `sent` holds the texts of every request's entries in order, also of those that were failed.
    `loses` answers nothing to that many of the next batches, after the server took them.
    """

    def __init__(self, server: AwsServer, receiver: HttpReceiver) -> None:
        self.url = receiver.url
        self.fails: Callable[[str], str | None] = lambda text: None
        self.sender_fault = False
        self.sent: list[list[str]] = []
        self.loses = 0
        self.delay = 0.0
        self._server = server
        self._lock = threading.Lock()

    def answer(self, request: Received) -> Reply:
        """Forward a request, without the entries that fail, and put these into the answer."""
        target = request.header("x-amz-target") or ""
        if target == "AmazonSQS.SendMessageBatch":
            return self._batch(request, self._sqs)
        if target == "Kinesis_20131202.PutRecords":
            return self._batch(request, self._kinesis)
        if b"Action=PublishBatch&" in request.body + b"&":
            return self._batch(request, self._sns)
        return self._forward(request, request.body)

    def _batch(self, request: Received, handle: Callable[[Received], Reply]) -> Reply:
        with self._lock:
            reply = handle(request)
            if self.loses:
                self.loses -= 1
                return Reply(cut="before")
            return Reply(reply.status, reply.body, reply.headers, self.delay)

    def _choose(self, texts: list[str]) -> dict[int, str]:
        self.sent.append(texts)
        found = {index: self.fails(text) for index, text in enumerate(texts)}
        return {index: code for index, code in found.items() if code}

    def _sqs(self, request: Received) -> Reply:
        asked = request.json()
        entries = asked["Entries"]
        bad = self._choose([entry["MessageBody"] for entry in entries])
        kept = [entry for index, entry in enumerate(entries) if index not in bad]
        reply = Reply(200, b"{}", (("x-amzn-requestid", "faults"),))
        if kept or not bad:
            reply = self._forward(request, json.dumps({**asked, "Entries": kept}).encode())
        if not bad or reply.status != 200:
            return reply
        answer = {"Successful": [], "Failed": [], **json.loads(reply.body)}
        answer["Failed"] += [
            {"Id": entries[index]["Id"], "Code": code, "Message": "injected",
             "SenderFault": self.sender_fault}
            for index, code in bad.items()
        ]  # fmt: skip
        return Reply(200, json.dumps(answer).encode(), reply.headers)

    def _kinesis(self, request: Received) -> Reply:
        asked = request.json()
        records = asked["Records"]
        bad = self._choose([base64.b64decode(record["Data"]).decode() for record in records])
        kept = [record for index, record in enumerate(records) if index not in bad]
        reply = Reply(200, b'{"Records": []}', (("x-amzn-requestid", "faults"),))
        if kept or not bad:
            reply = self._forward(request, json.dumps({**asked, "Records": kept}).encode())
        if not bad or reply.status != 200:
            return reply
        good: Iterator[Any] = iter(json.loads(reply.body)["Records"])
        found = [
            {"ErrorCode": bad[index], "ErrorMessage": "injected"} if index in bad else next(good)
            for index in range(len(records))
        ]
        answer = {"FailedRecordCount": len(bad), "Records": found}
        return Reply(200, json.dumps(answer).encode(), reply.headers)

    def _sns(self, request: Received) -> Reply:
        rest: list[tuple[str, str]] = []
        entries: dict[int, dict[str, str]] = {}
        for name, value in parse_qsl(request.body.decode(), keep_blank_values=True):
            match = _MEMBER.fullmatch(name)
            if match:
                entries.setdefault(int(match[1]), {})[match[2]] = value
            else:
                rest.append((name, value))
        ordered = [entries[number] for number in sorted(entries)]
        bad = self._choose([entry["Message"] for entry in ordered])
        kept = [entry for index, entry in enumerate(ordered) if index not in bad]
        for number, entry in enumerate(kept, 1):
            start = f"PublishBatchRequestEntries.member.{number}."
            rest += [(start + name, value) for name, value in entry.items()]
        empty = (
            b"<PublishBatchResponse><PublishBatchResult><Successful/><Failed/>"
            b"</PublishBatchResult><ResponseMetadata><RequestId>faults</RequestId>"
            b"</ResponseMetadata></PublishBatchResponse>"
        )
        reply = Reply(200, empty, (("content-type", "text/xml"),))
        if kept or not bad:
            reply = self._forward(request, urlencode(rest).encode())
        if not bad or reply.status != 200:
            return reply
        fault = "true" if self.sender_fault else "false"
        failed = "".join(
            f"<member><Id>{ordered[index]['Id']}</Id><Code>{code}</Code>"
            f"<Message>injected</Message><SenderFault>{fault}</SenderFault></member>"
            for index, code in bad.items()
        )
        body, count = re.subn(
            r"<Failed\s*/>|<Failed>\s*</Failed>", f"<Failed>{failed}</Failed>", reply.body.decode()
        )
        assert count == 1, reply.body
        return Reply(200, body.encode(), reply.headers)

    def _forward(self, request: Received, body: bytes) -> Reply:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=60)
        try:
            headers = {k: v for k, v in request.headers if k.lower() not in _DROPPED}
            connection.request(request.method, request.target, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            kept = tuple((k, v) for k, v in answer.getheaders() if k.lower() not in _DROPPED)
            return Reply(answer.status, data, kept)
        finally:
            connection.close()


@contextmanager
def start_faults(server: AwsServer) -> Iterator[Faults]:
    """Run a proxy before `server` until the block ends."""
    with start_http() as receiver:
        faults = Faults(server, receiver)
        receiver.answer = faults.answer
        try:
            yield faults
        finally:
            receiver.reset()
