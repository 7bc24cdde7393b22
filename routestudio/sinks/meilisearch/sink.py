"""The Meilisearch sink: documents of an index, added, deleted or edited by a function.

What requests, tasks and errors mean: the OpenAPI description of Meilisearch 1.15 and its
documentation of tasks, documents, primary keys and error codes (meilisearch.com/docs).
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.defaults import ByAction, Const
from routestudio.model.fields import (
    Choice,
    Difference,
    Integer,
    Routed,
    RuleError,
    Static,
    Text,
    Ui,
)
from routestudio.model.message import Message
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service_fields import (
    JsonMap,
    ServiceUrl,
    Token,
    segment_problem,
)
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.meilisearch.link import TASK_SECONDS, Change, MeilisearchLink
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_MAX_BATCH: Final = 10_000
_MAX_BYTES: Final = 32 * 1024 * 1024
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,511}", re.ASCII)
_PARTS: Final = frozenset({"action", "changes", "metadata", "record"})


def _stored(change: Change) -> Stored | None:
    if change.action == "function":
        return None  # what an edit makes of a document, only the server knows
    body = change.body if change.action == "index" else None
    return Stored(change.index, str(change.id), body)


def _link(config: Meilisearch.Config) -> MeilisearchLink:
    key = config.api_key.get_secret_value()
    timeout = float(config.timeout_seconds)
    return MeilisearchLink(config.endpoint_url, key, config.primary_key, timeout)


def _reader(config: Meilisearch.Config) -> Reader:
    from routestudio.sinks._shared.http.documents_read import DocumentReader

    return DocumentReader(_link(config), "indexes", "the action documents.get")


class Meilisearch(Sink):
    """Keep the documents of Meilisearch indexes up to date."""

    key, title = "meilisearch", "Meilisearch"
    icon = "meilisearch"
    batch = BatchLimits(messages=_MAX_BATCH, default=100, size=_MAX_BYTES, fixed=True)
    keeps_order = True
    """Documents, or ids to delete, are one task, which is carried out in its order or changes
    nothing. Each edit by a function is one task, and the next one of its group awaits it."""
    batch_by = ("action", "index_name")
    standin = "meilisearch"
    tool = "curl"
    write_always = ("primary_key", "batch_size", "timeout_seconds")
    payload_keys = ("id",)
    max_record = 100 * 1024 * 1024
    differences = (
        Difference(
            "ids",
            "Index and delete take the id from the same place: the payload's primary key, or the "
            "record's when there is no transform. Composite keys are refused. A Sequin server "
            "deletes by all primary key columns, as if each were an id.",
            "primary_key",
        ),
        Difference(
            "tasks",
            f"A task is followed for up to {TASK_SECONDS / 60:g} minutes. A Sequin server takes "
            "one that needs more than about 3 seconds for failed and sends it again.",
        ),
        Difference(
            "results",
            "When a task fails because of a document, the batch is halved until only that one "
            "goes to the dead letters. A Sequin server tries the whole batch again.",
        ),
        Difference(
            "edits",
            "An edit by function is never repeated unless it surely was not done; when its answer "
            "is lost it goes to the dead letters. A Sequin server may apply it twice.",
            "function",
        ),
        Difference(
            "one_line",
            "A function has no line breaks; `;` separates its statements. A Sequin server takes "
            "several lines.",
            "function",
        ),
        Difference(
            "primary_key",
            "The primary key is sent with documents, so a new index gets it. A Sequin server lets "
            "Meilisearch guess it.",
        ),
        Difference(
            "escaping",
            "The index is escaped in the request's path. A Sequin server sends it as it is.",
            "index_name",
        ),
    )

    read_back = ReadBack(
        "The documents with the ids of the preview. The key needs the action documents.get. Edits "
        "by a function are not compared: their outcome is the server's.",
        _reader,
        _stored,
        keyed=True,
    )

    class Config(SinkConfig):
        endpoint_url: Annotated[
            EndpointUrl,
            ServiceUrl(),
            Ui("Endpoint URL", "URL of the Meilisearch server.", example="http://localhost:7700",
               card=True, wide=True),
        ]  # fmt: skip
        primary_key: Annotated[
            str,
            Text(max=512),
            Ui("Primary key", "Field of a document that holds its id.", example="id", card=True),
        ] = "id"
        api_key: Annotated[
            SecretStr,
            Token(),
            Ui("API key", "Needs documents.add, documents.delete, tasks.get and indexes.create."),
        ]
        batch_size: Annotated[
            int,
            Integer(minimum=1, maximum=_MAX_BATCH),
            Ui("Batch size", "Documents per request; the sink's own batch size is not used.",
               group="Advanced"),
        ] = 100  # fmt: skip
        timeout_seconds: Annotated[
            int,
            Integer(minimum=1, maximum=300, unit="seconds"),
            Ui("Time-out", "Seconds for a request with its answer; tasks have longer.",
               group="Advanced"),
        ] = 5  # fmt: skip

    class Routing(SinkRouting):
        action: Annotated[
            str,
            Choice(values=("index", "delete", "function")),
            Routed(
                "`index` adds or replaces the document, `delete` removes it, `function` edits "
                "documents in place.",
                ByAction({"delete": "delete"}, "index"),
                required=True,
                example="index",
                note="`index` replaces the whole document: fields that are not sent are gone.",
            ),
        ]
        index_name: Annotated[
            str,
            Text(
                max=1024,
                check=segment_problem,
                advice_pattern=r"[A-Za-z0-9_-]{1,400}",
                advice_text="may be refused: takes only letters, digits, - and _, up to 400",
            ),
            Routed(
                "Index of the document; the first document creates it.",
                Const(None),
                static=Static.REQUIRED,
                required=True,
                example="orders",
                label="Index",
                note="Dots are refused by Meilisearch, so `schema.table` cannot be used.",
            ),
        ]
        filter: Annotated[
            str | None,
            Text(max=10_000),
            Routed(
                "Which documents the function edits; required for `function`.",
                Const(None),
                example="id = 1",
            ),
        ] = None
        function: Annotated[
            str | None,
            Text(max=10_000),
            Routed(
                "Rhai code that edits `doc`, in one line; required for `function`.",
                Const(None),
                example="doc.stock += context.delta",
                note="Separate statements with `;`. Meilisearch has to have the experimental "
                "feature `editDocumentsByFunction` on.",
            ),
        ] = None
        context: Annotated[
            dict[str, Any] | None,
            JsonMap(),
            Routed("Values for the function.", Const(None), example={"delta": 1}),
        ] = None

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Change:
        """The document with its primary key, its id alone, or an edit, which needs no payload."""
        url = config.endpoint_url.origin + config.endpoint_url.path.rstrip("/")
        name: int | str | None = None
        if routing.action == "function":
            body = jsonio.dump_bytes(_edit(routing))
        else:
            name, document = _identified(config.primary_key, message, payload.value)
            body = jsonio.dump_bytes(document if routing.action == "index" else name)
        return Change(url, routing.action, routing.index_name, config.primary_key, name, body)

    @staticmethod
    def command(config: Any, record: Change) -> ShellCommand:
        from routestudio.sinks._shared.shell import curl

        headers = [("authorization", f"Bearer {config.api_key.get_secret_value()}"),
                   ("content-type", "application/x-ndjson" if record.action == "index"
                    else "application/json")]  # fmt: skip
        shown = record.describe()
        return curl("POST", shown["url"], headers, shown["body"].encode("utf-8", "surrogatepass"))

    @staticmethod
    def connect(config: Config) -> Link:
        return _link(config)

    @classmethod
    def limits(cls, config: Any, batch_size: int | None) -> BatchLimits:
        return replace(cls.batch, messages=config.batch_size)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        url = EndpointUrl("http", address.host, address.port, "/", "")
        return config.model_copy(update={"endpoint_url": url, "api_key": SecretStr("stand-in")})


def _edit(routing: Meilisearch.Routing) -> dict[str, Any]:
    missing = [n for n in ("filter", "function") if getattr(routing, n) is None]
    if missing:
        raise RuleError(
            *(f"`{name}` is required when the action is `function`" for name in missing)
        )
    found = {"filter": routing.filter, "function": routing.function}
    return {**found, "context": routing.context} if routing.context else found


def _identified(primary: str, message: Message, value: Any) -> tuple[int | str, Any]:
    """The id of a payload, and the document in which Meilisearch finds it."""
    hint = f"let a transform return a map with the document's `{primary}`"
    if not isinstance(value, dict):
        raise RuleError("a Meilisearch document is a map", hint=hint)
    if value.keys() == _PARTS and value["record"] is message.record:
        if len(message.record_pks) > 1:
            raise RuleError(
                f"the table's primary key has {len(message.record_pks)} columns, a document's one",
                hint=f"let a transform join them into one `{primary}`",
            )
        if primary not in value and primary in message.record:
            value = {primary: message.record[primary], **value}
    found: Any = value
    for part in [primary] if primary in value else primary.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None:
        raise RuleError(f"the payload has no `{primary}`, which names the document", hint=hint)
    if type(found) is int:
        return found, value
    text = format(found, "f") if isinstance(found, Decimal) else found
    text = str(text) if isinstance(text, UUID) else text
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise RuleError(
            f"the payload's `{primary}` must be an integer, or text of up to 511 letters, digits, "
            "- and _",
            hint=hint,
        )
    return text, value
