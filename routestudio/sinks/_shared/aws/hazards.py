"""Hazards of Amazon SNS, SQS and Kinesis, and the rules that find them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_ARN_REGION: Final = re.compile(r"arn:[a-z-]+:[a-z]+:([a-z0-9-]+):")
_URL_REGION: Final = re.compile(r"https?://sqs\.([a-z0-9-]+)\.")

_HAZARDS: Final = (
    Hazard("AWS-01", "M", "sample", "China and GovCloud",
           "ARNs of other partitions than `aws` are refused.",
           "Deliver there with RouteStudio.",
           "detected", "ARNs of sample rows and in the file."),
    Hazard("AWS-02", "H", "sample", "Targets in another region",
           "All requests go to the sink's region, so targets in other regions are not found.",
           "Use one sink per region.",
           "detected", "Routed ARNs and URLs of sample rows. RouteStudio asks the region of each."),
    Hazard("AWS-03", "L", "sample", "Starters with placeholders",
           "A server's starter functions hold placeholders that its own check refuses.",
           "Write region and account.",
           "detected", "Placeholders in targets of sample rows."),
    Hazard("AWS-04", "H", "sample", "FIFO without a group",
           "A message without a group id for a FIFO target makes a server fail for ever.",
           "Keep grouping on, and name columns for tables without a primary key.",
           "detected", "Sample rows without a group for FIFO targets; for SNS also the setting."),
    Hazard("AWS-05", "L", "sink", "Rights that only the test needs",
           "The test of a dynamic sink lists resources, which documented policies do not allow.",
           "Read a failure with this in mind.",
           "avoided", "The check proves the sampled targets, and names the right that it lacks."),
)  # fmt: skip


KNOWN: Final = Known(
    "Amazon SNS, SQS and Kinesis",
    _HAZARDS,
)


PLACEHOLDER: Final = re.compile(r"<[a-z][\w -]*>")


def placeholder(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    """The hazard of a target in which a starter's placeholder was left."""
    value = outcome.values.get(problem.field or "")
    routed = problem.stage == "route" and problem.field == view.known.target
    return "AWS-03" if routed and isinstance(value, str) and PLACEHOLDER.search(value) else None


def to_fifo(view: SinkView, item: Outcome) -> bool:
    """Whether a message goes to a FIFO topic or queue, for which its group matters."""
    return str(item.values.get(view.known.target)).endswith(".fifo")


def region_of(target: str) -> str | None:
    """The region that an ARN or a URL names."""
    match = _ARN_REGION.match(target) or _URL_REGION.match(target)
    return match[1] if match else None


def targets(view: SinkView) -> dict[str, Outcome]:
    """The routed ARNs or URLs, with the first message of each."""
    found: dict[str, Outcome] = {}
    for item in view.kept:
        target = item.values.get(view.known.target)
        if isinstance(target, str):
            found.setdefault(target, item)
    return found


def static(view: SinkView) -> str | None:
    """The target that the file gives, whether it is used or not; no reference."""
    value = view.static.get(view.known.target) or view.destination.get(view.known.target)
    return value if isinstance(value, str) and "$" not in value else None


def _ungrouped(view: SinkView) -> list[Outcome]:
    """Messages to FIFO targets that belong to no group although grouping is on."""
    return [i for i in view.kept if i.group_id is None and i.staged.effective is not None
            and to_fifo(view, i)]  # fmt: skip


def fifo(view: SinkView) -> bool:
    """Whether a target of the sink is FIFO."""
    return any(t.endswith(".fifo") for t in [*targets(view), static(view) or ""])


@rule("AWS-04")
def no_group(view: SinkView) -> Iterator[Finding]:
    """Messages without a group for FIFO targets."""
    if not view.spec.message_grouping:
        if "AWS-04" in view.known.finds:
            yield from view.known.finds["AWS-04"](view)
        return
    lost = _ungrouped(view)
    if lost:
        yield view.at_row("AWS-04", f"no group id in {counted(lost)} ({lost[0].table} has no "
                          "primary key, or no columns under `tables`), and the target is FIFO",
                          "name columns under `tables`", lost[0])  # fmt: skip


@rule("AWS-01")
def other_partition(view: SinkView) -> Iterator[Finding]:
    """ARNs of China and GovCloud."""
    known = [*targets(view), static(view) or ""]
    other = next((t for t in known if re.match(r"arn:aws-[a-z-]+:", t)), None)
    if other is not None:
        yield view.at_routing("AWS-01", f"a server refuses {quote(other)}: it takes ARNs that "
                              "start with `arn:aws:` only", "deliver to this partition with "
                              "RouteStudio", view.known.target)  # fmt: skip


@rule("AWS-02")
def other_region(view: SinkView) -> Iterator[Finding]:
    """Routed targets in another region than the sink's."""
    if not view.dynamic:
        return
    given = view.destination.get("region")
    region = given if isinstance(given, str) and "$" not in given else view.config.get("region")
    if not isinstance(region, str):
        region = region_of(static(view) or "")
    if region is None:
        regions = {r: t for t in targets(view) if (r := region_of(t))}
        if len(regions) > 1:
            names = ", ".join(sorted(regions))
            yield view.at_routing("AWS-02", f"targets are in {names}, and a server asks one "
                                  "region for all", "use one sink per region",
                                  view.known.target)  # fmt: skip
        return
    for target, item in targets(view).items():
        other = region_of(target)
        if other is not None and other != region:
            yield view.at_row("AWS-02", f"{quote(target)} is in {other}, and a server asks the "
                              f"sink's region {region} for it", "use one sink per region", item,
                              field=view.known.target)  # fmt: skip
            return


@rule("AWS-03")
def placeholders(view: SinkView) -> Iterator[Finding]:
    """Placeholders of a starter that were not filled in."""
    name = view.known.target
    failed = [item for item, _ in failing(view, "AWS-03")]
    if failed:
        yield view.at_routing("AWS-03", f"{name} of {counted(failed)} is "
                              f"{quote(failed[0].values[name])}, with placeholders in it",
                              "write the region and the account's 12 digits", name)  # fmt: skip
