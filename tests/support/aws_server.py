"""moto's server as AWS, and a reader of queues and streams."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import missing

REGION = "eu-west-1"
ACCOUNT = "123456789012"
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Key:
    """An access key of `user`."""

    id: str
    secret: str = field(repr=False)
    user: str = ""


@dataclass(frozen=True)
class AwsServer:
    """A running server. It believes every key, but inside of `enforcing`."""

    port: int
    child: Child
    tls: bool = False
    host: str = LOOPBACK
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """The address, for an emulator's base URL."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def call(
        self, service: str, operation: str, region: str = REGION, **parameters: Any
    ) -> dict[str, Any]:
        """Call one operation over a connection of its own, or over that of `talking`."""
        with self.talking(service, region) as client:
            found: dict[str, Any] = getattr(client, operation)(**parameters)
            return found

    @contextmanager
    def talking(self, service: str, region: str = REGION) -> Iterator[Any]:
        """Keep one client for all calls to a service and region within the block."""
        if (service, region) in self._clients:
            yield self._clients[service, region]
            return
        import botocore.session

        client = botocore.session.Session().create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        with closing(client):
            self._clients[service, region] = client
            try:
                yield client
            finally:
                del self._clients[service, region]

    def queue(
        self, name: str = "", *, fifo: bool = False, region: str = REGION, **attributes: str
    ) -> str:
        """Make a queue with a name of its own and return its URL as AWS writes it."""
        name = unique(name) + (".fifo" if fifo else "")
        if fifo:
            attributes["FifoQueue"] = "true"
        self.call("sqs", "create_queue", region, QueueName=name, Attributes=attributes)
        return f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{name}"

    def messages(self, url: str) -> list[dict[str, Any]]:
        """Take every message out of a queue, in the order in which it gives them."""
        region = url.split(".")[1]
        found: list[dict[str, Any]] = []
        while True:
            answer = self.call(
                "sqs", "receive_message", region, QueueUrl=url, MaxNumberOfMessages=10,
                AttributeNames=["All"], WaitTimeSeconds=0,
            )  # fmt: skip
            batch = answer.get("Messages", [])
            if not batch:
                return found
            found += batch
            self.call(
                "sqs", "delete_message_batch", region, QueueUrl=url,
                Entries=[{"Id": str(n), "ReceiptHandle": item["ReceiptHandle"]}
                         for n, item in enumerate(batch)],
            )  # fmt: skip

    def topic(self, name: str = "", *, fifo: bool = False, region: str = REGION) -> str:
        """Make a topic with a name of its own and return its ARN."""
        name = unique(name) + (".fifo" if fifo else "")
        attributes = {"FifoTopic": "true"} if fifo else {}
        answer = self.call("sns", "create_topic", region, Name=name, Attributes=attributes)
        return str(answer["TopicArn"])

    def subscribed(self, topic: str) -> str:
        """Make a queue that gets what is published to `topic`, as it is, and return its URL."""
        region = topic.split(":")[3]
        url = self.queue("subscriber", fifo=topic.endswith(".fifo"), region=region)
        arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{url.rpartition('/')[2]}"
        self.call(
            "sns", "subscribe", region, TopicArn=topic, Protocol="sqs", Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )  # fmt: skip
        return url

    def stream(self, name: str = "", *, shards: int = 2, region: str = REGION) -> str:
        """Make a data stream with a name of its own and return its ARN once it is active."""
        name = unique(name)
        self.call("kinesis", "create_stream", region, StreamName=name, ShardCount=shards)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            answer = self.call("kinesis", "describe_stream_summary", region, StreamName=name)
            summary = answer["StreamDescriptionSummary"]
            if summary["StreamStatus"] == "ACTIVE":
                return str(summary["StreamARN"])
            assert time.monotonic() < deadline, f"stream {name} is not active"
            time.sleep(0.05)

    def records(self, arn: str) -> list[dict[str, Any]]:
        """Return every record of a data stream, shard by shard."""
        region = arn.split(":")[3]
        found: list[dict[str, Any]] = []
        shards = self.call("kinesis", "list_shards", region, StreamARN=arn)["Shards"]
        for shard in shards:
            place = {"StreamARN": arn, "ShardId": shard["ShardId"]}
            iterator = self.call(
                "kinesis", "get_shard_iterator", region, ShardIteratorType="TRIM_HORIZON", **place
            )["ShardIterator"]
            while batch := (
                answer := self.call(
                    "kinesis", "get_records", region, ShardIterator=iterator, StreamARN=arn
                )
            )["Records"]:
                found += batch
                iterator = answer["NextShardIterator"]
        return found

    def user(self, *actions: str) -> Key:
        """Make a user who may do `actions` on everything, and return a key of theirs."""
        name = unique("user")
        self.call("iam", "create_user", UserName=name)
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.call(
                "iam", "put_user_policy", UserName=name, PolicyName="some", PolicyDocument=document
            )
        key = self.call("iam", "create_access_key", UserName=name)["AccessKey"]
        return Key(key["AccessKeyId"], key["SecretAccessKey"], name)

    @contextmanager
    def enforcing(self) -> Iterator[None]:
        """Look at keys, signatures and rights until the block ends."""
        self._post("reset-auth", b"0")
        try:
            yield
        finally:
            self._post("reset-auth", b"inf")

    def _post(self, what: str, body: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"{self.url}/moto-api/{what}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200


def unique(name: str) -> str:
    """Return a name that nothing else has."""
    return f"{name or 'orders'}-{uuid.uuid4().hex[:10]}"


def emulator(server: AwsServer | str, **values: Any) -> dict[str, Any]:
    """Return the values of a destination that uses the server, with keys that it believes."""
    url = server if isinstance(server, str) else server.url
    return {
        "region": REGION,
        "access_key_id": "AKIATESTTESTTESTTEST",
        "secret_access_key": "a-secret-access-key",
        "use_emulator": True,
        "emulator_base_url": url,
        **values,
    }


@contextmanager
def start_aws(folder: Path, port: int = 0, *, tls: Sequence[Path] = ()) -> Iterator[AwsServer]:
    """Run a server until the block ends; with `tls` (certificate and key) over HTTPS."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        missing("moto server")
    port = port or free_port()
    arguments = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    if tls:
        arguments += ["-c", str(tls[0]), "-k", str(tls[1])]
    with Child(arguments, folder / "moto.log", env=_environment(folder)) as child:
        child.wait_ready(lambda: _answers(port, bool(tls)), READY_SECONDS)
        yield AwsServer(port, child, bool(tls))


def _environment(folder: Path) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}


def _answers(port: int, tls: bool) -> bool:
    with socket.create_connection((LOOPBACK, port), 1):
        if tls:
            return True
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/moto-api/", timeout=60) as answer:
        return bool(answer.status == 200)
