"""The Typesense sink: documents of a collection, indexed or deleted one change at a time.

What requests and answers mean: the OpenAPI description of Typesense 30 and its documentation of
documents, API keys and errors (typesense.org/docs).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID, uuid4

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.defaults import ByAction, Template
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
from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.endpoint import DOTS, RETRY_STATUS, EndpointUrl
from routestudio.sinks._shared.http.service import (
    ServiceLink,
    Verdict,
    error_text,
    failed,
    passed,
    segment,
    unsure,
)
from routestudio.sinks._shared.http.service_fields import ServiceUrl, Token, climbs, segment_problem
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

KEY_HEADER: Final = "x-typesense-api-key"
_MAX_BATCH: Final = 10_000
_MAX_BYTES: Final = 32 * 1024 * 1024
_ID_HINT: Final = "let a transform return a map with the document's `id`"
_RIGHTS: Final = "the key needs the actions documents:import and documents:delete"
_SCARCE: Final = "running out of resource"
"""Typesense answers 422 with this text while it is short of memory or disk."""


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """One document to index (`body` is its JSON), or the id of one to delete (`body` is empty)."""

    url: str
    collection: str
    id: str
    body: bytes
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.body) + 1 if self.body else len(self.id)

    def describe(self) -> dict[str, Any]:
        documents = f"{self.url}/collections/{segment(self.collection)}/documents"
        found: dict[str, Any] = {
            "method": "POST" if self.body else "DELETE",
            "url": f"{documents}/import?action=emplace"
            if self.body
            else f"{documents}/{segment(self.id)}",
            "headers": {KEY_HEADER: DOTS},
            "id": self.id,
        }
        if self.body:
            found["body"] = self.body.decode("utf-8", "replace")
        if self.notes:
            found["notes"] = list(self.notes)
        return found


def _stored(document: Document) -> Stored:
    body = document.body or None
    return Stored(document.collection, document.id, body, partial=True)


def _reader(config: Typesense.Config) -> Reader:
    from routestudio.sinks._shared.http.documents_read import DocumentReader

    return DocumentReader(TypesenseLink(config), "collections", "the action documents:get")


class Typesense(Sink):
    """Keep the documents of Typesense collections up to date."""

    key, title = "typesense", "Typesense"
    icon = "typesense"
    batch = BatchLimits(messages=_MAX_BATCH, default=40, size=_MAX_BYTES, wait=0.001, fixed=True)
    keeps_order = False
    """Each line of an import succeeds or fails by itself: one that was refused for want of memory
    may be followed by one that is taken."""
    batch_by = ("action", "collection_name")
    standin = "typesense"
    tool = "curl"
    write_always = ("batch_size", "timeout_seconds")
    payload_keys = ("id",)
    differences = (
        Difference(
            "ids",
            "A payload needs an `id`; a number there is sent as text, as Typesense wants it. A "
            "Sequin server lets Typesense invent ids, and tries deletes without one for ever.",
        ),
        Difference(
            "results",
            "Of a batch, only documents that may succeed later are tried again; what Typesense "
            "refuses for good goes to the dead letters. A Sequin server tries all failed ones "
            "again.",
        ),
        Difference(
            "escaping",
            "Collection and id are escaped in the request's path. A Sequin server sends them as "
            "they are, so a `/` or `?` in them ends up elsewhere.",
            "collection_name",
        ),
    )

    read_back = ReadBack(
        "The documents with the ids of the preview. The key needs the action documents:get. Only "
        "the fields that are sent are compared: Typesense keeps the others of a document.",
        _reader,
        _stored,
        keyed=True,
    )

    class Config(SinkConfig):
        endpoint_url: Annotated[
            EndpointUrl,
            ServiceUrl(),
            Ui("Endpoint URL", "URL of the Typesense server.", example="http://localhost:8108",
               card=True, wide=True),
        ]  # fmt: skip
        api_key: Annotated[
            SecretStr,
            Token(),
            Ui("API key", "Needs the actions documents:import and documents:delete."),
        ]
        batch_size: Annotated[
            int,
            Integer(minimum=1, maximum=_MAX_BATCH),
            Ui("Batch size", "Documents per request; the sink's own batch size is not used.",
               group="Advanced"),
        ] = 40  # fmt: skip
        timeout_seconds: Annotated[
            int,
            Integer(minimum=1, maximum=3600, unit="seconds"),
            Ui("Time-out", "Seconds for a request with its answer.", group="Advanced"),
        ] = 10

    class Routing(SinkRouting):
        action: Annotated[
            str,
            Choice(values=("index", "delete")),
            Routed(
                "`index` creates or updates the document, `delete` removes it.",
                ByAction({"delete": "delete"}, "index"),
                required=True,
                example="index",
                note="An update changes the fields that are sent and keeps the others (emplace).",
            ),
        ]
        collection_name: Annotated[
            str,
            Text(max=1024, check=segment_problem),
            Routed(
                "Collection of the document; it must exist.",
                Template("sequin.{table_schema}.{table_name}"),
                static=Static.REQUIRED,
                required=True,
                example="orders",
                label="Collection",
                note="The document is named by the `id` of the payload, which a transform gives.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Document:
        """The payload with its `id` as text, for both actions. Refuses payloads without one."""
        value = payload.value
        if not isinstance(value, dict):
            raise RuleError("a Typesense document is a map", hint=_ID_HINT)
        name, notes = _document_id(value)
        if routing.action == "delete" and climbs(name):
            raise RuleError(
                "an `id` with `.` or `..` as a part of its path cannot be deleted: a proxy could "
                "take it for the collection",
                hint="give such documents another id",
            )
        url = config.endpoint_url.origin + config.endpoint_url.path.rstrip("/")
        body = jsonio.dump_bytes({**value, "id": name}) if routing.action == "index" else b""
        return Document(url, routing.collection_name, name, body, notes)

    @staticmethod
    def command(config: Any, record: Document) -> ShellCommand:
        from routestudio.sinks._shared.shell import curl

        shown = record.describe()
        headers = [(KEY_HEADER, config.api_key.get_secret_value())]
        if record.body:
            headers.append(("content-type", "application/octet-stream"))
        return curl(shown["method"], shown["url"], headers, record.body or None)

    @staticmethod
    def connect(config: Config) -> Link:
        return TypesenseLink(config)

    @classmethod
    def limits(cls, config: Any, batch_size: int | None) -> BatchLimits:
        return replace(cls.batch, messages=config.batch_size)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        values = {"api_key": SecretStr("stand-in"), "batch_size": config.batch_size,
                  "timeout_seconds": config.timeout_seconds}  # fmt: skip
        url = EndpointUrl("http", address.host, address.port, "/", "")
        return cls.Config.model_validate({"endpoint_url": url, **values})


class TypesenseLink(ServiceLink):
    """One import request per batch; deletes one by one, because only so each has its answer."""

    service = "Typesense"

    def __init__(self, config: Typesense.Config) -> None:
        key = config.api_key.get_secret_value()
        super().__init__(
            config.endpoint_url,
            headers={KEY_HEADER: key},
            secrets=[key],
            timeout=float(config.timeout_seconds),
        )
        self._admin = False

    async def deliver(self, batch: Sequence[Document]) -> Sequence[Outcome]:
        return await (in_halves(batch, self._index) if batch[0].body else self._delete(batch))

    async def _index(self, batch: Sequence[Document]) -> Sequence[Outcome] | Refused:
        """Import the documents; Typesense takes them in order and answers a line for each."""
        try:
            answer = await self.call(
                "POST",
                f"/collections/{segment(batch[0].collection)}/documents/import",
                query={"action": "emplace"},
                body=b"\n".join([document.body for document in batch]),
                content_type="application/octet-stream",
            )
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)
        if not answer.ok:
            return Refused(self._refusal(answer, batch[0].collection), answer.status == 413)
        lines = answer.body.splitlines() if answer.complete else []
        if len(lines) == len(batch):
            return [self._result(line) for line in lines]
        # Which line belongs to which document is unclear, so a loss could hide: try all again.
        text = f"Typesense gave {len(lines)} results for {len(batch)} documents"
        return [retry("no_result", text, unknown=True)] * len(batch)

    def _result(self, line: bytes) -> Outcome:
        try:
            found = json.loads(line)
            if found["success"] is True:
                return DELIVERED
            code = int(found.get("code", 400))
            reason = self.clean(str(found.get("error") or "no reason given"))[:500]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return retry("no_result", "the result of the document is not readable", unknown=True)
        if _temporary(code, reason):
            return retry(f"document_{code}", reason)
        return rejected(f"document_{code}", reason)

    async def _delete(self, batch: Sequence[Document]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for document in batch:
            try:
                answer = await self.call("DELETE", _document_path(document.collection, document.id))
            except UnansweredError as failure:
                # The service is gone or hangs: do not wait for the same again and again.
                outcomes.append(failure.outcome)
                rest = replace(failure.outcome, unknown=False)
                return outcomes + [rest] * (len(batch) - len(outcomes))
            if answer.ok or _no_document(answer):
                outcomes.append(DELIVERED)
            else:
                outcomes.append(self._refusal(answer, document.collection))
        return outcomes

    def _refusal(self, answer: Answer, collection: str) -> Outcome:
        if answer.status == 404:
            return rejected("no_collection", f"there is no collection `{collection}`")
        text = error_text(answer, "message")
        if _temporary(answer.status, text):
            return replace(self.refused(answer, text), status="retry")
        return self.refused(answer, text)

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        health = await self.call("GET", "/health")
        if health.json() == {"ok": False} or health.status == 503:
            return failed("Typesense is up but not ready", "wait until it has loaded its data")
        if not health.ok or health.json() != {"ok": True}:
            return failed(
                f"this is not Typesense: /health answers HTTP {health.status}",
                "check host, port and path of the endpoint URL",
            )
        answer = await self.call("GET", "/collections", query={"limit": 1})
        if answer.ok:
            self._admin = (await self.call("GET", "/keys")).ok
            what = "is an admin key" if self._admin else "may list collections"
            return passed(f"Typesense is ready, and the key {what}")
        if answer.status in (401, 403):
            return unsure(
                "Typesense is ready, but the key may not list collections",
                "the key is wrong, or limited to some actions or collections; Typesense does not "
                "show which",
            )
        return self._odd(answer)

    async def prove(self, target: Any) -> Verdict:
        name = target.collection_name
        missing = failed(
            f"there is no collection `{name}`", "create it with a schema, or route elsewhere"
        )
        answer = await self.call("GET", f"/collections/{segment(name)}")
        if answer.ok:
            found = answer.json()
            count = found.get("num_documents") if isinstance(found, dict) else None
            exists = f"the collection `{name}` exists"
            if isinstance(count, int):
                exists += f" with {count:,} document{'' if count == 1 else 's'}"
            if self._admin:
                return passed(exists)
            return unsure(f"{exists}; whether the key may write is only seen by writing", _RIGHTS)
        if answer.status == 404:
            return missing
        if answer.status not in (401, 403):
            return self._odd(answer)
        # The key may be good for documents although it may not describe the collection.
        answer = await self.call("GET", _document_path(name, f"routestudio-check-{uuid4().hex}"))
        if _no_document(answer):
            return unsure(
                f"the key reaches the documents of `{name}`; "
                "whether it may write is only seen by writing",
                _RIGHTS,
            )
        if answer.status == 404:
            return missing
        return failed(f"Typesense refuses the key for `{name}`", f"check the API key; {_RIGHTS}")

    def _odd(self, answer: Answer) -> Verdict:
        text = error_text(answer, "message") or answer.excerpt()
        return failed(
            f"Typesense answers HTTP {answer.status}: {text}", "check the state of the server"
        )


def _document_path(collection: str, name: str) -> str:
    return f"/collections/{segment(collection)}/documents/{segment(name)}"


def _no_document(answer: Answer) -> bool:
    """Whether an answer shows that the collection is there, but not the document."""
    return answer.status == 404 and "document" in error_text(answer, "message").lower()


def _temporary(code: int, text: str) -> bool:
    return code >= 500 or code in RETRY_STATUS or (code == 422 and _SCARCE in text.lower())


def _document_id(value: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The id as text, and a note when it was something else."""
    found = value.get("id")
    if found is None:
        raise RuleError("the payload has no `id`, which names the document", hint=_ID_HINT)
    if isinstance(found, str):
        if not found:
            raise RuleError("the payload's `id` is empty", hint=_ID_HINT)
        return found, ()
    if isinstance(found, bool) or not isinstance(found, (int, float, Decimal, UUID)):
        raise RuleError("the payload's `id` must be text or a number", hint=_ID_HINT)
    text = format(found, "f") if isinstance(found, Decimal) else str(found)
    return text, ("the number in `id` is sent as text",) if not isinstance(found, UUID) else ()
