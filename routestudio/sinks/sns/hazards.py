"""Hazards of Amazon SNS, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks._shared.aws.hazards import (
    fifo,
    placeholder,
    targets,
    to_fifo,
)
from routestudio.sinks.hazard_view import Known, SinkView, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("SNS-01", "L", "sink", "A missing page",
           "The routing documentation of a server does not know SNS.",
           "Look at the page of the sink here.",
           "avoided", "The page is generated like all others."),
    Hazard("SNS-02", "L", "sink", "What removes duplicates",
           "The deduplication id is a hash of the idempotency key, not a message id.",
           "Expect such ids.",
           "avoided", "The preview shows the id."),
    Hazard("SNS-03", "H", "sample", "FIFO topics in dynamic mode",
           "A dynamic sink sends no group ids, so a FIFO topic refuses every message.",
           "Deliver FIFO topics with static sinks.",
           "detected", "Routed ARNs of sample rows. RouteStudio decides by each ARN."),
    Hazard("SNS-04", "M", "sink", "All for one",
           "When one message of a batch fails, all are sent again.",
           "Make consumers drop duplicates.",
           "avoided", "Only failed entries are sent again."),
)  # fmt: skip


def _ungrouped_topic(view: SinkView) -> Iterator[Finding]:
    if fifo(view):
        yield view.at_key("AWS-04", "a FIFO topic needs group ids, and grouping is off: a server "
                          "fails at every message, for ever", "remove `message_grouping: false`",
                          "message_grouping")  # fmt: skip


KNOWN: Final = Known(
    "Amazon SNS",
    _HAZARDS,
    also=(
        "SQS-02",
        "AWS-01",
        "AWS-02",
        "AWS-03",
        "AWS-04",
        "AWS-05",
        "GEN-05",
        "GEN-32",
        "YML-09",
    ),
    target="topic_arn",
    explain=placeholder,
    grouped=to_fifo,
    dead_keys={"is_fifo": "the topic's name decides"},
    finds={"AWS-04": _ungrouped_topic},
)


@rule("SNS-03")
def topics_without_ids(view: SinkView) -> Iterator[Finding]:
    """FIFO topics of a dynamic sink."""
    fifo = [(t, i) for t, i in targets(view).items() if t.endswith(".fifo")]
    if view.dynamic and fifo:
        yield view.at_routing("SNS-03", f"{quote(fifo[0][0])} is a FIFO topic, and a server sends "
                              "no group ids in dynamic mode: every message is refused",
                              "deliver FIFO topics with static sinks on a server",
                              "topic_arn")  # fmt: skip
