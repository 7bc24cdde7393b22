"""Hazards of Amazon SQS, and the rules that find them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks._shared.aws.hazards import (
    fifo,
    placeholder,
    region_of,
    static,
    targets,
    to_fifo,
)
from routestudio.sinks.hazard_view import Known, SinkView, quote
from routestudio.sinks.hazards import rule

_SERVER_URL: Final = re.compile(
    r"https?://sqs\.[a-z0-9-]+\.[a-zA-Z0-9.-]+(:\d+)?/\d{12}/[a-zA-Z0-9_-]+(\.fifo)?"
)

_HAZARDS: Final = (
    Hazard("SQS-01", "L", "sink", "Queue URLs that are refused",
           "The URL of the documentation's example and those of local emulators are refused.",
           "Write a URL with a region and 12 digits.",
           "detected", "Static URLs."),
    Hazard("SQS-02", "M", "sink", "A stale region",
           "A region stays when the URL changes, and requests then go to the wrong one.",
           "Remove the region.",
           "detected", "The region against that of the target. RouteStudio takes the target's."),
    Hazard("SQS-03", "H", "sample", "One FIFO flag for all queues",
           "Whether FIFO ids are sent depends on the URL that the sink was saved with, so queues "
           "of the other kind refuse every message.",
           "Use one sink per kind of queue.",
           "detected", "Routed URLs of sample rows. RouteStudio decides by each URL."),
    Hazard("SQS-04", "H", "sink", "FIFO queues without grouping",
           "Without grouping a FIFO queue gets no group id, and a server fails at each message.",
           "Keep grouping on.",
           "detected", "The setting together with FIFO queues."),
    Hazard("SQS-05", "M", "sink", "All for one",
           "When one message of a batch fails, all are sent again.",
           "Make consumers drop duplicates.",
           "avoided", "Only failed entries are sent again."),
    Hazard("SQS-06", "L", "project", "Emulator settings that are not exported",
           "A server's export leaves out that a sink uses an emulator.",
           "Keep your own file.",
           "avoided", "The file keeps every key."),
)  # fmt: skip


KNOWN: Final = Known(
    "Amazon SQS",
    _HAZARDS,
    also=(
        "AWS-01",
        "AWS-02",
        "AWS-03",
        "AWS-04",
        "AWS-05",
        "GEN-05",
        "GEN-32",
    ),
    target="queue_url",
    explain=placeholder,
    grouped=to_fifo,
)


@rule("SQS-01")
def refused_url(view: SinkView) -> Iterator[Finding]:
    """Static queue URLs that a server refuses."""
    url = static(view)
    if url and not view.dynamic and not _SERVER_URL.fullmatch(url):
        yield view.at_key("SQS-01", f"a server refuses the queue URL {quote(url)}",
                          "a URL is https://sqs.<region>.amazonaws.com/<12 digits>/<queue>",
                          "destination", "queue_url")  # fmt: skip


@rule("SQS-02")
def stale_region(view: SinkView) -> Iterator[Finding]:
    """A region that is not the one of the static target."""
    target, region = static(view), view.destination.get("region")
    other = region_of(target) if target and not view.dynamic else None
    if other and isinstance(region, str) and "$" not in region and region != other:
        yield view.at_key("SQS-02", f"`region` is {quote(region)}, and the target is in "
                          f"{quote(other)}; a server asks the former", "remove `region`, or "
                          "correct it", "destination", "region")  # fmt: skip


@rule("SQS-03")
def one_flag_for_all(view: SinkView) -> Iterator[Finding]:
    """Routed queues of another kind than the one that the sink was saved with."""
    if not view.dynamic:
        return
    saved = (static(view) or "").endswith(".fifo")
    wrong = [t for t in targets(view) if t.endswith(".fifo") is not saved]
    if wrong:
        sends = "sends FIFO ids to every queue" if saved else "sends no FIFO ids"
        yield view.at_routing("SQS-03", f"{quote(wrong[0])} is refused by AWS, because a server "
                              f"{sends} of this sink", "use one sink for FIFO queues and one for "
                              "others, each with such a `queue_url`", "queue_url")  # fmt: skip


@rule("SQS-04")
def ungrouped_queue(view: SinkView) -> Iterator[Finding]:
    """FIFO queues of a sink without grouping."""
    if not view.spec.message_grouping and fifo(view):
        yield view.at_key("SQS-04", "a FIFO queue needs group ids, and grouping is off: a server "
                          "fails at every message, for ever", "remove `message_grouping: false`",
                          "message_grouping")  # fmt: skip
