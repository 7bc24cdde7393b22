"""The Kinesis sink: one record of a data stream per change.

Facts: docs/reference/services.md#aws-kinesis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from routestudio.model.defaults import Const
from routestudio.model.fields import Difference, Integer, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.model.outcome import DELIVERED, Outcome, retry
from routestudio.sinks._shared.aws.client import entry_outcome
from routestudio.sinks._shared.aws.fields import (
    DIFFERENCES,
    ORDER_DIFFERENCE,
    PARTITIONS,
    AwsConfig,
    Place,
    md5,
    standin_values,
)
from routestudio.sinks._shared.aws.link import AwsLink, RequestLimits
from routestudio.sinks._shared.http.service import Verdict, failed
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Partitioner,
    Payload,
    Sink,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.kinesis.shard import equal_shards
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_PATTERN: Final = rf"{PARTITIONS.start}:kinesis:([a-z0-9-]+):\d+:stream/(.+)"
_ARN: Final = re.compile(_PATTERN, re.ASCII)
_MAX_KEY: Final = 256
_RECORDS: Final = 500
_MIB: Final = 1_048_576
_LOST: Final = retry(
    "unanswered", "Kinesis did not report an outcome for this record", unknown=True
)


@dataclass(frozen=True, slots=True)
class KinesisRecord:
    """One record."""

    stream_arn: str
    partition_key: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes of data and partition key, which is what Kinesis counts."""
        return len(self.data) + len(self.partition_key.encode())

    def describe(self) -> dict[str, Any]:
        """The record as plain data."""
        return {
            "kind": "kinesis record",
            "stream_arn": self.stream_arn,
            "partition_key": self.partition_key,
            "data": self.data.decode(),
        }


def _stored(record: KinesisRecord) -> Stored:
    return Stored(record.stream_arn, record.partition_key, record.data)


def _reader(config: Kinesis.Config) -> Reader:
    from routestudio.sinks.kinesis.read import KinesisReader

    limits = RequestLimits(_RECORDS, _request(config), _entry(config))
    return KinesisReader(_KinesisLink(config, limits), "kinesis:ListShards and kinesis:GetRecords")


class Kinesis(Sink):
    """Put each message as a record into a Kinesis data stream."""

    key, title = "kinesis", "AWS Kinesis"
    icon = "kinesis"
    batch = BatchLimits(messages=_RECORDS, default=_RECORDS, size=5 * _MIB, fixed=True)
    keeps_order = False
    """PutRecords takes some records of a request and refuses others (a shard is over its rate for a
    moment), so a later change of a row may be taken alone; and it promises no order."""
    batch_by = ("stream_arn",)
    partitioners: ClassVar[Mapping[str, Partitioner]] = {"equal shards": equal_shards}
    standin = "aws"
    tool = "aws"
    max_record = _MIB
    differences = (
        *DIFFERENCES,
        ORDER_DIFFERENCE,
        PARTITIONS.difference("stream_arn"),
        Difference(
            "KIN-01",
            "A message without group id gets its idempotency key as partition key. A Sequin "
            "server sends none, so Kinesis refuses the message.",
        ),
        Difference(
            "KIN-02",
            "Only the records that Kinesis refuses are sent again. A Sequin server sends the whole "
            "batch again.",
        ),
        Difference(
            "KIN-03",
            "The region may be given. A Sequin server ignores it in YAML.",
            "region",
        ),
        Difference(
            "GEN-32",
            "A request holds up to 500 records. A Sequin server sends 10.",
        ),
        Difference(
            "KIN-EMULATOR",
            "An emulator may be used. A Sequin server has none for Kinesis and ignores this.",
            "use_emulator",
        ),
        Difference(
            "KIN-SIZE",
            "Records over the limit are refused before they are sent. A Sequin server ignores "
            "this setting.",
            "max_record_bytes",
        ),
    )

    read_back = ReadBack(
        "The last records of the stream, of all shards, by shard iterators: of the last hour, the "
        "last day, or of all that it keeps, until there are enough. No consumer is registered. The "
        "rights kinesis:ListShards, kinesis:GetShardIterator and kinesis:GetRecords are needed, "
        "and the requests count against those of other consumers: five a second for each shard.",
        _reader,
        _stored,
    )

    class Config(AwsConfig):
        """The account, and the size of records."""

        max_record_bytes: Annotated[
            int,
            Integer(minimum=1024, maximum=10 * _MIB, unit="bytes"),
            Ui("Largest record", "Streams may be set up to take 10485760 bytes.", "Advanced"),
        ] = _MIB

    class Routing(SinkRouting):
        """What may differ per message."""

        stream_arn: Annotated[
            str,
            Text(
                max=2000,
                pattern=_PATTERN,
                pattern_text="must be a valid AWS Kinesis Stream ARN "
                "(arn:aws:kinesis:<region>:<account-id>:stream/<stream-name>)",
                advice_pattern=PARTITIONS.advice_pattern,
                advice_text=PARTITIONS.advice_text,
            ),
            Routed(
                "ARN of the stream that gets the record.",
                Const(None),
                Static.REQUIRED,
                required=True,
                example="arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
                note="The partition key is the group id; over 256 bytes, its MD5.",
            ),
        ]

    @staticmethod
    def encode(
        config: Config, message: Message, routing: Routing, payload: Payload
    ) -> KinesisRecord:
        """The record: its data is always JSON."""
        group = routing.group_id
        key = group if group is not None else str(message.metadata["idempotency_key"])
        if len(key.encode("utf-8", "surrogatepass")) > _MAX_KEY:
            key = md5(key)
        return KinesisRecord(routing.stream_arn, key, payload.json)

    @staticmethod
    def command(config: Any, record: KinesisRecord) -> ShellCommand:
        from routestudio.sinks._shared.aws.shell import aws, option

        region = _place(record.stream_arn).region
        # As standard input, which old and new versions of the program take as it is.
        return aws(config, region, "kinesis", "put-record", "--stream-arn", record.stream_arn,
                   option("partition-key", record.partition_key), "--data",
                   "fileb:///dev/stdin", body=record.data)  # fmt: skip

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over botocore."""
        return _KinesisLink(config, RequestLimits(_RECORDS, _request(config), _entry(config)))

    @classmethod
    def limits(cls, config: Config, batch_size: int | None) -> BatchLimits:
        """500 records and 5 MiB, or one record where records may be larger."""
        return BatchLimits(_RECORDS, _RECORDS, _request(config), fixed=True)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in, as an emulator."""
        return cls.Config.model_validate(standin_values(config, address))


def _entry(config: Kinesis.Config) -> int:
    return config.max_record_bytes


def _request(config: Kinesis.Config) -> int:
    return max(5 * _MIB, config.max_record_bytes)


def _place(arn: str) -> Place:
    found = _ARN.fullmatch(arn)
    assert found, "routing validates the ARN"
    return Place(found[1], found[2])


class _KinesisLink(AwsLink):
    service = "Kinesis"
    noun, api = "stream", "kinesis"
    right = "kinesis:PutRecords"
    sending = ("put_records", "StreamARN", "Records")
    listing = ("list_streams", {"Limit": 1}, "kinesis:ListStreams")

    def destination(self, target: Any) -> str:
        return str(target.stream_arn)

    def parse(self, destination: str) -> Place:
        return _place(destination)

    async def put(self, records: Sequence[KinesisRecord]) -> list[Outcome]:
        place = self.parse(records[0].stream_arn)
        parameters = {
            "StreamARN": records[0].stream_arn,
            "Records": [{"Data": r.data, "PartitionKey": r.partition_key} for r in records],
        }
        answer = await self.ask(place.region, "put_records", self._named(place, parameters))
        found = answer.get("Records") or []
        if len(found) != len(records):
            return [_LOST] * len(records)
        return [_outcome(item) for item in found]

    def _named(self, place: Place, parameters: dict[str, Any]) -> dict[str, Any]:
        """For an emulator also the stream's name: some know no ARNs. Kinesis takes both."""
        named = {"StreamName": place.name} if self.config.use_emulator else {}
        return named | parameters

    async def inspect(self, destination: str) -> str | Verdict:
        place = self.parse(destination)
        parameters = self._named(place, {"StreamARN": destination})
        answer = await self.ask(place.region, "describe_stream_summary", parameters, check=True)
        found = answer.get("StreamDescriptionSummary", {})
        status, shards = found.get("StreamStatus"), found.get("OpenShardCount", 0)
        if status in ("CREATING", "DELETING"):
            return failed(f"stream {place.name} is {status}", "wait until the stream is ACTIVE")
        sealed = ", encrypted with a KMS key" if found.get("EncryptionType") == "KMS" else ""
        count = f"{shards} shard{'s' if shards != 1 else ''}"
        return f"stream {place.name} in {place.region} exists with {count}{sealed}"


def _outcome(item: dict[str, Any]) -> Outcome:
    code = item.get("ErrorCode")
    if code:
        return entry_outcome(str(code), str(item.get("ErrorMessage") or ""), sender_fault=False)
    return DELIVERED if item.get("SequenceNumber") else _LOST
