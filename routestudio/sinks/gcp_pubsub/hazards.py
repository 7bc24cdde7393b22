"""Hazards of Google Pub/Sub, and the rules that find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, SinkView
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("GCP-01", "H", "sink", "Credentials that never work",
           "Credentials of the types `oauth_client` and `api_key` are accepted, and no message is "
           "ever delivered with them.", "Use the key of a service account.",
           "detected", "The type in the file."),
    Hazard("GCP-02", "M", "sink", "Grouping means one message per request",
           "YAML groups messages by default, a server's console does not; grouped "
           "messages travel alone.", "Write `message_grouping`.",
           "detected", "Sinks that a server could run and that group without stating it, or in "
           "spite of a batch size."),
    Hazard("GCP-03", "L", "function", "A starter with the database",
           "The starter's topic has the database in its name, and the default has not.",
           "Compare destinations before you ship.",
           "avoided", "A starter gives exactly the defaults."),
    Hazard("GCP-04", "L", "sink", "A test that needs its own right",
           "The connection test deletes a subscription that does not exist, which documented roles "
           "do not allow.", "Read a failure with this in mind.",
           "avoided", "The check asks for the topic and for the right to publish."),
)  # fmt: skip


KNOWN: Final = Known(
    "Google Pub/Sub",
    _HAZARDS,
    also=("GEN-05",),
    transforms_alone=True,
    alone_in_group=True,
)


@rule("GCP-01")
def unusable_credentials(view: SinkView) -> Iterator[Finding]:
    """Credentials of a kind that a server takes and cannot use."""
    given = view.destination.get("credentials")
    kind = given.get("type") if isinstance(given, Mapping) else None
    if kind in ("oauth_client", "api_key"):
        yield view.at_key("GCP-01", f"credentials of type `{kind}` are taken and never work",
                          "use the key of a service account", "destination",
                          "credentials")  # fmt: skip


@rule("GCP-02", server=True)
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
