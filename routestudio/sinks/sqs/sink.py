"""The SQS sink: one queue message per change.

Facts: docs/reference/services.md#aws-sqs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from routestudio.model.defaults import Const
from routestudio.model.fields import Difference, Flag, Integer, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.sinks._shared.aws.fields import (
    CHARACTER_DIFFERENCE,
    DIFFERENCES,
    FIFO_DIFFERENCES,
    AwsConfig,
    Place,
    fifo_ids,
    standin_values,
)
from routestudio.sinks._shared.aws.link import Entry, EntryLink, RequestLimits, json_body
from routestudio.sinks._shared.http.service import Verdict
from routestudio.sinks._shared.repeats import ONE_PROCESS
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_PATTERN: Final = (
    r"https?://sqs\.([a-z0-9-]+)\.[a-zA-Z0-9.-]+(?::\d+)?"
    r"/\d{12}/([a-zA-Z0-9_-]+(?:\.fifo)?)"
)
_URL: Final = re.compile(_PATTERN, re.ASCII)
_KIB_256: Final = 262_144


def _stored(entry: Entry) -> Stored:
    headers = {}
    if entry.fifo is not None:
        headers = {"MessageGroupId": entry.fifo.group,
                   "MessageDeduplicationId": entry.fifo.deduplication}  # fmt: skip
    return Stored(entry.destination, None, entry.body.encode("utf-8", "surrogatepass"), headers)


def _reader(config: Sqs.Config) -> Reader:
    from routestudio.sinks.sqs.read import SqsReader

    limits = RequestLimits(10, config.max_message_bytes)
    return SqsReader(_SqsLink(config, limits), "sqs:ReceiveMessage and "
                     "sqs:ChangeMessageVisibility")  # fmt: skip


class Sqs(Sink):
    """Send each message to an SQS queue."""

    key, title = "sqs", "AWS SQS"
    icon = "sqs"
    batch = BatchLimits(messages=10, default=10, size=_KIB_256, fixed=True)
    keeps_order = False
    """Each entry of a request is taken or refused by itself, also where FIFO keeps the order of
    what was taken: a later one of a group may be taken alone."""
    batch_by = ("queue_url",)
    one_process = ONE_PROCESS
    standin = "aws"
    tool = "aws"
    max_record = _KIB_256
    differences = (
        *DIFFERENCES,
        *FIFO_DIFFERENCES,
        CHARACTER_DIFFERENCE,
        Difference(
            "SQS-03",
            "Whether a queue is FIFO is seen from its own URL. A Sequin server decides once for "
            "the whole sink, from the URL that it was saved with.",
            "is_fifo",
        ),
        Difference(
            "SQS-05",
            "Only the entries that SQS refuses are sent again. A Sequin server sends the whole "
            "batch again.",
        ),
        Difference(
            "SQS-SIZE",
            "Messages over the limit are refused before they are sent. A Sequin server ignores "
            "this setting.",
            "max_message_bytes",
        ),
    )

    read_back = ReadBack(
        "Messages of the queue, which gets them back at once. SQS hides them from consumers "
        "meanwhile, and counts that they were received, which may move them to a dead-letter "
        "queue, so this is asked first.",
        _reader,
        _stored,
        note="What a consumer took already counts as missing.",
    )

    class Config(AwsConfig):
        """The account, and the size of messages."""

        is_fifo: Annotated[
            bool | None,
            Flag(),
            Ui("FIFO", "Written by Sequin servers; RouteStudio looks at each queue.", "Advanced"),
        ] = None
        max_message_bytes: Annotated[
            int,
            Integer(minimum=1024, maximum=1_048_576, unit="bytes"),
            Ui("Largest message", "Queues may be set up to take 1048576 bytes.", "Advanced"),
        ] = _KIB_256

    class Routing(SinkRouting):
        """What may differ per message."""

        queue_url: Annotated[
            str,
            Text(
                max=2000,
                pattern=_PATTERN,
                pattern_text="must be a valid AWS SQS URL "
                "(https://sqs.<region>.amazonaws.com/<account-id>/<queue-name>)",
            ),
            Routed(
                "URL of the queue that gets the message.",
                Const(None),
                Static.REQUIRED,
                required=True,
                example="https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
                note="With an emulator, write its queues in this form, too.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Entry:
        """The queue message: its body is always JSON."""
        url = routing.queue_url
        place = _place(url)
        fifo = fifo_ids(message, routing, place.name) if place.fifo else None
        body = json_body(payload)
        return Entry("sqs message", url, body.decode(), len(body), fifo)

    @staticmethod
    def command(config: Any, record: Entry) -> ShellCommand:
        from routestudio.sinks._shared.aws.shell import aws, fifo_words, option

        words = ("--queue-url", record.destination, option("message-body", record.body))
        region = _place(record.destination).region
        return aws(config, region, "sqs", "send-message", *words, *fifo_words(record))

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over botocore."""
        return _SqsLink(config, RequestLimits(10, config.max_message_bytes))

    @classmethod
    def limits(cls, config: Config, batch_size: int | None) -> BatchLimits:
        """Ten messages, and together no more bytes than one may have."""
        return BatchLimits(messages=10, default=10, size=config.max_message_bytes, fixed=True)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in, as an emulator."""
        return cls.Config.model_validate(standin_values(config, address))


def _place(url: str) -> Place:
    found = _URL.fullmatch(url)
    assert found, "routing validates the URL"
    return Place(found[1], found[2])


class _SqsLink(EntryLink):
    service = "SQS"
    noun, api = "queue", "sqs"
    right = "sqs:SendMessage"
    sending = ("send_message_batch", "QueueUrl", "Entries")
    listing = ("list_queues", {"MaxResults": 1}, "sqs:ListQueues")
    body = "MessageBody"

    def destination(self, target: Any) -> str:
        return str(target.queue_url)

    def parse(self, destination: str) -> Place:
        return _place(destination)

    async def inspect(self, destination: str) -> str | Verdict:
        parameters = {"QueueUrl": destination, "AttributeNames": ["All"]}
        place = self.parse(destination)
        answer = await self.ask(place.region, "get_queue_attributes", parameters, check=True)
        found = answer.get("Attributes", {})
        kind = "FIFO" if found.get("FifoQueue") == "true" else "standard"
        sealed = ", encrypted with a KMS key" if found.get("KmsMasterKeyId") else ""
        return f"{kind} queue {place.name} in {place.region} exists{sealed}"
