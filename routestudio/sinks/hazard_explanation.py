"""Which hazard explains why a message cannot be delivered, so that each is reported once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routestudio.pipeline.stages import StageProblem
from routestudio.sinks.hazard_view import Outcome, SinkView

AWS: Final = {"sns": "topic_arn", "sqs": "queue_url", "kinesis": "stream_arn"}
"""The routed field of the AWS sinks."""

PLACEHOLDER: Final = re.compile(r"<[a-z][\w -]*>")
AMQP_BYTES: Final = 255
"""Longest routing key and message id of AMQP 0-9-1, a short string."""


def explanation(view: SinkView, outcome: Outcome, problem: StageProblem) -> str:
    """Id of the hazard that a problem of a message is; `GEN-13` when no other is closer."""
    if problem.stage == "encode":
        return _of_encoding(view, outcome, problem)
    if problem.stage != "route" or problem.field is None:
        return "GEN-13"
    name = problem.field
    value = outcome.values.get(name)
    if name == "route":
        return "GEN-19"
    if problem.message.startswith("the default ") and not problem.message.endswith("blank"):
        return "GEN-22"
    if value is None:
        if name == "headers" and outcome.given(name):
            return "GEN-29"
        if (view.type, name) == ("azure_event_hub", "event_hub_name"):
            return "AZR-01"
        if (view.type, name) == ("meilisearch", "index_name"):
            return "MEI-01"
        return "GEN-13"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "GEN-20" if name in view.text_fields else "GEN-13"
    if isinstance(value, str):
        return _of_text(view, name, value)
    return "GEN-13"


def _of_text(view: SinkView, name: str, value: str) -> str:
    if AWS.get(view.type) == name and PLACEHOLDER.search(value):
        return "AWS-03"
    if (view.type, name) == ("http_push", "endpoint_path") and leaves_endpoint(value):
        return "WEB-02"
    if view.type == "rabbitmq" and name in ("routing_key", "message_id"):
        return "RAB-06" if len(value.encode()) > AMQP_BYTES else "GEN-13"
    return "GEN-21" if odd_space(value) else "GEN-13"


def _of_encoding(view: SinkView, outcome: Outcome, problem: StageProblem) -> str:
    payload = outcome.payload
    if view.type == "typesense" and not (isinstance(payload, dict) and payload.get("id")):
        return "TYP-05"
    if view.type == "elasticsearch" and not outcome.message.record_pks:
        return "ELS-04"
    if view.type == "meilisearch" and len(outcome.message.record_pks) > 1:
        return "MEI-05"
    if view.type == "meilisearch" and outcome.values.get("action") == "function":
        missing = any(outcome.values.get(name) is None for name in ("filter", "function"))
        return "MEI-02" if missing else "GEN-13"
    return "GEN-13"


def leaves_endpoint(path: str) -> bool:
    """Whether a path names another host: it has a scheme or starts with two slashes."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]{2}|\\", path.strip()))


def odd_space(value: str) -> bool:
    """Whether a text passes a server's check for white space although it has some (GEN-21)."""
    inner = value[:-1] if value.endswith("\n") else value
    if re.search(r"\s", inner, re.ASCII):
        return False
    return value.endswith("\n") or any(c.isspace() for c in value)


def failing(view: SinkView, code: str) -> Iterator[tuple[Outcome, StageProblem]]:
    """The messages whose first problem is explained by a hazard."""
    for outcome in view.kept:
        for problem in outcome.problems[:1]:
            if explanation(view, outcome, problem) == code:
                yield outcome, problem
