"""Rules of Google Pub/Sub and Azure Event Hubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_explanation import failing
from routestudio.sinks.hazard_view import SinkView, counted
from routestudio.sinks.hazards import rule


@rule("GCP-01", "gcp_pubsub")
def unusable_credentials(view: SinkView) -> Iterator[Finding]:
    """Credentials of a kind that a server takes and cannot use."""
    given = view.destination.get("credentials")
    kind = given.get("type") if isinstance(given, Mapping) else None
    if kind in ("oauth_client", "api_key"):
        yield view.at_key("GCP-01", f"credentials of type `{kind}` are taken and never work",
                          "use the key of a service account", "destination",
                          "credentials")  # fmt: skip


@rule("GCP-02", "gcp_pubsub", server=True)
def unsaid_grouping(view: SinkView) -> Iterator[Finding]:
    """Grouping that is not set, or that makes a batch size void."""
    if not view.spec.message_grouping:
        return
    size = view.spec.batch_size
    said = "message_grouping" in view.raw
    if size > 1:
        yield view.at_key("GCP-02", f"messages are grouped, so a server sends one per request and "
                          f"`batch_size: {size}` is void", "write `message_grouping: false` where "
                          "order does not matter", "batch_size")  # fmt: skip
    elif not said:
        yield view.at_key("GCP-02", "`message_grouping` is not set: YAML means true, a server's "
                          "console false", "write `message_grouping`",
                          severity="note")  # fmt: skip


@rule("AZR-01", "azure_event_hub")
def no_hub(view: SinkView) -> Iterator[Finding]:
    """Messages without an event hub."""
    failed = [item for item, _ in failing(view, "AZR-01")]
    if failed:
        yield view.at_routing("AZR-01", f"no `event_hub_name` in {counted(failed)}, and there is "
                              "no default", "return it on every way through the function",
                              "event_hub_name")  # fmt: skip
