"""Hazards of Amazon Kinesis, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks._shared.aws.hazards import (
    placeholder,
    region_of,
    static,
)
from routestudio.sinks.hazard_view import Known, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("KIN-01", "H", "sink", "Records without a partition key",
           "Without a group there is no partition key, and Kinesis refuses every record.",
           "Keep grouping on, and name columns for tables without a primary key.",
           "detected", "The setting, and sample rows without a group. RouteStudio takes the "
           "idempotency key."),
    Hazard("KIN-02", "M", "sink", "All for one",
           "When one record of a batch fails, all are sent again.",
           "Make consumers drop duplicates.",
           "avoided", "Only failed records are sent again."),
    Hazard("KIN-03", "H", "sink", "A region that YAML loses",
           "`region` is neither read nor written, so a dynamic sink cannot be made from YAML "
           "without a stream of that region.", "Write any ARN of the region as `stream_arn`.",
           "detected", "Dynamic sinks that a server could run, and regions unlike the ARN's."),
)  # fmt: skip


KNOWN: Final = Known(
    "Amazon Kinesis",
    _HAZARDS,
    also=(
        "AWS-01",
        "AWS-02",
        "AWS-03",
        "AWS-05",
        "GEN-05",
        "GEN-32",
    ),
    target="stream_arn",
    explain=placeholder,
    told=frozenset({"region"}),
)


@rule("KIN-01")
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


@rule("KIN-03", server=True)
def region_is_lost(view: SinkView) -> Iterator[Finding]:
    """A region that a server does not read."""
    target, region = static(view), view.destination.get("region")
    if view.dynamic and target is None:
        yield view.at_key("KIN-03", "a server does not read `region` from YAML, and a dynamic sink "
                          "has none without a `stream_arn`", "write the ARN of any stream of the "
                          "region as `stream_arn`", "destination")  # fmt: skip
    elif target and isinstance(region, str) and region != region_of(target) and "$" not in region:
        yield view.at_key("KIN-03", f"a server does not read `region` from YAML and asks "
                          f"{quote(region_of(target))}", "remove it, or correct the ARN",
                          "destination", "region")  # fmt: skip
