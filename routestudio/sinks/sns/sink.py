"""The SNS sink: one notification per change.

Facts: docs/reference/services.md#aws-sns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from routestudio.model.defaults import Const
from routestudio.model.fields import Difference, Flag, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.sinks._shared.aws.fields import (
    CHARACTER_DIFFERENCE,
    DIFFERENCES,
    FIFO_DIFFERENCES,
    PARTITIONS,
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
from routestudio.sinks.reading import NoReadBack

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_PATTERN: Final = rf"{PARTITIONS.start}:sns:([a-z0-9-]+):\d{{12}}:([a-zA-Z0-9_.-]+)"
_ARN: Final = re.compile(_PATTERN, re.ASCII)
_SIZE: Final = 262_144


class Sns(Sink):
    """Publish each message to an SNS topic."""

    key, title = "sns", "AWS SNS"
    icon = "sns"
    batch = BatchLimits(messages=10, default=10, size=_SIZE, fixed=True)
    keeps_order = False
    """Each entry of a request is taken or refused by itself, also where FIFO keeps the order of
    what was taken: a later one of a group may be taken alone."""
    batch_by = ("topic_arn",)
    one_process = ONE_PROCESS
    standin = "aws"
    tool = "aws"
    max_record = _SIZE
    read_back = NoReadBack(
        "SNS hands each notification to its subscriptions and keeps none.",
        "subscribe an SQS queue to the topic, and read it back by a sink for that queue",
    )
    differences = (
        *DIFFERENCES,
        *FIFO_DIFFERENCES,
        CHARACTER_DIFFERENCE,
        PARTITIONS.difference("topic_arn"),
        Difference(
            "SNS-03",
            "Messages to FIFO topics get their ids in dynamic mode, too. A Sequin server sends "
            "none there, so SNS refuses them.",
            "is_fifo",
        ),
        Difference(
            "SNS-04",
            "Only the entries that SNS refuses are sent again. A Sequin server sends the whole "
            "batch again.",
        ),
    )

    class Config(AwsConfig):
        """The account."""

        is_fifo: Annotated[
            bool | None,
            Flag(),
            Ui("FIFO", "Written by Sequin servers; RouteStudio looks at each topic.", "Advanced"),
        ] = None

    class Routing(SinkRouting):
        """What may differ per message."""

        topic_arn: Annotated[
            str,
            Text(
                max=2000,
                pattern=_PATTERN,
                pattern_text="must be a valid AWS SNS Topic ARN "
                "(arn:aws:sns:<region>:<account-id>:<topic-name>)",
                advice_pattern=PARTITIONS.advice_pattern,
                advice_text=PARTITIONS.advice_text,
            ),
            Routed(
                "ARN of the topic to publish to.",
                Const(None),
                Static.REQUIRED,
                required=True,
                example="arn:aws:sns:eu-west-1:123456789012:orders",
                note="Messages have neither a subject nor attributes.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Entry:
        """The notification: its message is always JSON."""
        arn = routing.topic_arn
        place = _place(arn)
        fifo = fifo_ids(message, routing, place.name) if place.fifo else None
        body = json_body(payload)
        return Entry("sns message", arn, body.decode(), len(body), fifo)

    @staticmethod
    def command(config: Any, record: Entry) -> ShellCommand:
        from routestudio.sinks._shared.aws.shell import aws, fifo_words, option

        words = ("--topic-arn", record.destination, option("message", record.body))
        region = _place(record.destination).region
        return aws(config, region, "sns", "publish", *words, *fifo_words(record))

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over botocore."""
        return _SnsLink(config, RequestLimits(10, _SIZE))

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in, as an emulator."""
        return cls.Config.model_validate(standin_values(config, address))


def _place(arn: str) -> Place:
    found = _ARN.fullmatch(arn)
    assert found, "routing validates the ARN"
    return Place(found[1], found[2])


class _SnsLink(EntryLink):
    service = "SNS"
    noun, api = "topic", "sns"
    right = "sns:Publish"
    sending = ("publish_batch", "TopicArn", "PublishBatchRequestEntries")
    listing = ("list_topics", {}, "sns:ListTopics")
    body = "Message"

    def destination(self, target: Any) -> str:
        return str(target.topic_arn)

    def parse(self, destination: str) -> Place:
        return _place(destination)

    async def inspect(self, destination: str) -> str | Verdict:
        place = self.parse(destination)
        parameters = {"TopicArn": destination}
        answer = await self.ask(place.region, "get_topic_attributes", parameters, check=True)
        found = answer.get("Attributes", {})
        kind = "FIFO" if found.get("FifoTopic") == "true" else "standard"
        sealed = ", encrypted with a KMS key" if found.get("KmsMasterKeyId") else ""
        return f"{kind} topic {place.name} in {place.region} exists{sealed}"
