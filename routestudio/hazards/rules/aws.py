"""Rules of SNS, SQS and Kinesis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_explanation import AWS, failing
from routestudio.sinks.hazard_view import Outcome, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_ARN_REGION: Final = re.compile(r"arn:[a-z-]+:[a-z]+:([a-z0-9-]+):")
_URL_REGION: Final = re.compile(r"https?://sqs\.([a-z0-9-]+)\.")
_SERVER_URL: Final = re.compile(
    r"https?://sqs\.[a-z0-9-]+\.[a-zA-Z0-9.-]+(:\d+)?/\d{12}/[a-zA-Z0-9_-]+(\.fifo)?"
)
_ALL: Final = ("sns", "sqs", "kinesis")


def _region(target: str) -> str | None:
    match = _ARN_REGION.match(target) or _URL_REGION.match(target)
    return match[1] if match else None


def _targets(view: SinkView) -> dict[str, Outcome]:
    """Routed ARNs or URLs, with the first message of each."""
    found: dict[str, Outcome] = {}
    for item in view.kept:
        target = item.values.get(AWS[view.type])
        if isinstance(target, str):
            found.setdefault(target, item)
    return found


def _static(view: SinkView) -> str | None:
    """The target that the file gives, whether it is used or not; no reference."""
    value = view.static.get(AWS[view.type]) or view.destination.get(AWS[view.type])
    return value if isinstance(value, str) and "$" not in value else None


@rule("SNS-03", "sns")
def topics_without_ids(view: SinkView) -> Iterator[Finding]:
    """FIFO topics of a dynamic sink."""
    fifo = [(t, i) for t, i in _targets(view).items() if t.endswith(".fifo")]
    if view.dynamic and fifo:
        yield view.at_routing("SNS-03", f"{quote(fifo[0][0])} is a FIFO topic, and a server sends "
                              "no group ids in dynamic mode: every message is refused",
                              "deliver FIFO topics with static sinks on a server",
                              "topic_arn")  # fmt: skip


@rule("SQS-01", "sqs")
def refused_url(view: SinkView) -> Iterator[Finding]:
    """Static queue URLs that a server refuses."""
    url = _static(view)
    if url and not view.dynamic and not _SERVER_URL.fullmatch(url):
        yield view.at_key("SQS-01", f"a server refuses the queue URL {quote(url)}",
                          "a URL is https://sqs.<region>.amazonaws.com/<12 digits>/<queue>",
                          "destination", "queue_url")  # fmt: skip


@rule("SQS-02", "sqs", "sns")
def stale_region(view: SinkView) -> Iterator[Finding]:
    """A region that is not the one of the static target."""
    target, region = _static(view), view.destination.get("region")
    other = _region(target) if target and not view.dynamic else None
    if other and isinstance(region, str) and "$" not in region and region != other:
        yield view.at_key("SQS-02", f"`region` is {quote(region)}, and the target is in "
                          f"{quote(other)}; a server asks the former", "remove `region`, or "
                          "correct it", "destination", "region")  # fmt: skip


@rule("SQS-03", "sqs")
def one_flag_for_all(view: SinkView) -> Iterator[Finding]:
    """Routed queues of another kind than the one that the sink was saved with."""
    if not view.dynamic:
        return
    saved = (_static(view) or "").endswith(".fifo")
    wrong = [t for t in _targets(view) if t.endswith(".fifo") is not saved]
    if wrong:
        sends = "sends FIFO ids to every queue" if saved else "sends no FIFO ids"
        yield view.at_routing("SQS-03", f"{quote(wrong[0])} is refused by AWS, because a server "
                              f"{sends} of this sink", "use one sink for FIFO queues and one for "
                              "others, each with such a `queue_url`", "queue_url")  # fmt: skip


def _ungrouped(view: SinkView) -> list[Outcome]:
    """Messages to FIFO targets that belong to no group although grouping is on."""
    return [i for i in view.kept if i.group_id is None and i.staged.effective is not None
            and str(i.values.get(AWS[view.type])).endswith(".fifo")]  # fmt: skip


def _fifo(view: SinkView) -> bool:
    targets = [*_targets(view), _static(view) or ""]
    return any(t.endswith(".fifo") for t in targets)


@rule("SQS-04", "sqs")
def ungrouped_queue(view: SinkView) -> Iterator[Finding]:
    """FIFO queues of a sink without grouping."""
    if not view.spec.message_grouping and _fifo(view):
        yield view.at_key("SQS-04", "a FIFO queue needs group ids, and grouping is off: a server "
                          "fails at every message, for ever", "remove `message_grouping: false`",
                          "message_grouping")  # fmt: skip


@rule("AWS-04", "sns", "sqs")
def no_group(view: SinkView) -> Iterator[Finding]:
    """Messages without a group for FIFO targets."""
    if not view.spec.message_grouping:
        if view.type == "sns" and _fifo(view):
            yield view.at_key("AWS-04", "a FIFO topic needs group ids, and grouping is off: a "
                              "server fails at every message, for ever",
                              "remove `message_grouping: false`", "message_grouping")  # fmt: skip
        return
    lost = _ungrouped(view)
    if lost:
        yield view.at_row("AWS-04", f"no group id in {counted(lost)} ({lost[0].table} has no "
                          "primary key, or no columns under `tables`), and the target is FIFO",
                          "name columns under `tables`", lost[0])  # fmt: skip


@rule("KIN-01", "kinesis")
def no_partition_key(view: SinkView) -> Iterator[Finding]:
    """Messages without a group, which then have no partition key."""
    if not view.spec.message_grouping:
        yield view.at_key("KIN-01", "grouping is off, so a server sends no partition key and "
                          "Kinesis refuses every record", "remove `message_grouping: false`",
                          "message_grouping")  # fmt: skip
        return
    lost = [i for i in view.kept if i.group_id is None and i.staged.effective is not None]
    if lost:
        yield view.at_row("KIN-01", f"no group id in {counted(lost)}, so a server sends no "
                          "partition key and Kinesis refuses that", "name columns under `tables`",
                          lost[0])  # fmt: skip


@rule("KIN-03", "kinesis", server=True)
def region_is_lost(view: SinkView) -> Iterator[Finding]:
    """A region that a server does not read."""
    target, region = _static(view), view.destination.get("region")
    if view.dynamic and target is None:
        yield view.at_key("KIN-03", "a server does not read `region` from YAML, and a dynamic sink "
                          "has none without a `stream_arn`", "write the ARN of any stream of the "
                          "region as `stream_arn`", "destination")  # fmt: skip
    elif target and isinstance(region, str) and region != _region(target) and "$" not in region:
        yield view.at_key("KIN-03", f"a server does not read `region` from YAML and asks "
                          f"{quote(_region(target))}", "remove it, or correct the ARN",
                          "destination", "region")  # fmt: skip


@rule("AWS-01", *_ALL)
def other_partition(view: SinkView) -> Iterator[Finding]:
    """ARNs of China and GovCloud."""
    known = [*_targets(view), _static(view) or ""]
    other = next((t for t in known if re.match(r"arn:aws-[a-z-]+:", t)), None)
    if other is not None:
        yield view.at_routing("AWS-01", f"a server refuses {quote(other)}: it takes ARNs that "
                              "start with `arn:aws:` only", "deliver to this partition with "
                              "RouteStudio", AWS[view.type])  # fmt: skip


@rule("AWS-02", *_ALL)
def other_region(view: SinkView) -> Iterator[Finding]:
    """Routed targets in another region than the sink's."""
    if not view.dynamic:
        return
    given = view.destination.get("region")
    region = given if isinstance(given, str) and "$" not in given else view.config.get("region")
    if not isinstance(region, str):
        region = _region(_static(view) or "")
    if region is None:
        regions = {r: t for t in _targets(view) if (r := _region(t))}
        if len(regions) > 1:
            names = ", ".join(sorted(regions))
            yield view.at_routing("AWS-02", f"targets are in {names}, and a server asks one "
                                  "region for all", "use one sink per region",
                                  AWS[view.type])  # fmt: skip
        return
    for target, item in _targets(view).items():
        other = _region(target)
        if other is not None and other != region:
            yield view.at_row("AWS-02", f"{quote(target)} is in {other}, and a server asks the "
                              f"sink's region {region} for it", "use one sink per region", item,
                              field=AWS[view.type])  # fmt: skip
            return


@rule("AWS-03", *_ALL)
def placeholders(view: SinkView) -> Iterator[Finding]:
    """Placeholders of a starter that were not filled in."""
    name = AWS[view.type]
    failed = [item for item, _ in failing(view, "AWS-03")]
    if failed:
        yield view.at_routing("AWS-03", f"{name} of {counted(failed)} is "
                              f"{quote(failed[0].values[name])}, with placeholders in it",
                              "write the region and the account's 12 digits", name)  # fmt: skip
