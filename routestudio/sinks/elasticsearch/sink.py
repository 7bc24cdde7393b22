"""The Elasticsearch sink: documents of an index, written with bulk requests; OpenSearch as well.

What requests and answers mean: Elastic's documentation of the bulk, has-privileges and index
APIs, and OpenSearch's of the bulk API and of `action.auto_create_index`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.cross_rules import RequiredWhen
from routestudio.model.defaults import Template
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
from routestudio.sinks._shared.http.service_fields import OneLine, ServiceUrl, segment_problem
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.elasticsearch.check import Found, look
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_MAX_BATCH: Final = 10_000
_BULK_BYTES: Final = 10 * 1024 * 1024
"""Elastic advises bulk requests of a few megabytes; some hosted services refuse more than this."""
_MAX_BYTES: Final = 100 * 1024 * 1024
"""The default of `http.max_content_length`."""
_MAX_ID: Final = 512
_TIMEOUT: Final = 60.0
_AUTH: Final = ("api_key", "basic", "bearer")
_NAME: Final = r'(?![-_+])(?!\.\.?$)[^A-Z\\/*?"<>|\s,#:]+'
_NAME_TEXT: Final = (
    'takes lower-case names without spaces or any of \\ / * ? " < > | , # : that do not start with '
    "- _ or +"
)
_PLAIN_PART: Final = re.compile(
    r"[^-]*|-?\d+(\.\d+)?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_COLLISION: Final = "another row may get the same id: its keys hold the `-` that joins them"
_BLOCKED: Final = "cluster_block_exception"
"""An index that is read-only for a while, because a disk is full or for maintenance."""


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One entry of a bulk request: the document with `id` is indexed or deleted.

    `lines` are what is sent for it; the index is named by the request's path only.
    """

    url: str
    index: str
    operation: Literal["index", "delete"]
    id: str
    lines: bytes
    signed: bool
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.lines)

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "method": "POST",
            "url": f"{self.url}/{segment(self.index)}/_bulk",
            "headers": {"authorization": DOTS} if self.signed else {},
            "id": self.id,
            "body": self.lines.decode("utf-8", "replace"),
        }
        if self.notes:
            found["notes"] = list(self.notes)
        return found


def _stored(entry: Entry) -> Stored:
    _, _, body = entry.lines.partition(b"\n")
    return Stored(entry.index, entry.id, body.rstrip(b"\n") or None)


def _reader(config: Elasticsearch.Config) -> Reader:
    from routestudio.sinks.elasticsearch.read import ElasticsearchReader

    return ElasticsearchReader(ElasticsearchLink(config))


class Elasticsearch(Sink):
    """Keep the documents of Elasticsearch or OpenSearch indexes up to date."""

    key, title = "elasticsearch", "Elasticsearch"
    icon = "elasticsearch"
    standin = "elasticsearch"
    tool = "curl"
    batch = BatchLimits(messages=_MAX_BATCH, default=100, size=_BULK_BYTES, wait=0.1, fixed=True)
    keeps_order = False
    """Each action of a bulk request succeeds or fails by itself; a shard that was busy for one may
    take the next. External versions would prevent that, but need a number that only ever grows."""
    batch_by = ("index_name",)
    write_always = ("auth_type", "batch_size")
    max_record = _MAX_BYTES
    differences = (
        Difference(
            "YML-10",
            "`none` is an authentication type in YAML too. A Sequin server cannot import it.",
            "auth_type",
        ),
        Difference(
            "ELS-04",
            "A message without primary key is refused, because its document would have no id. A "
            "Sequin server sends an empty id.",
        ),
        Difference(
            "results",
            "Of a batch, only entries that may succeed later are tried again; what is refused for "
            "good goes to the dead letters. A Sequin server tries all failed ones again.",
        ),
        Difference(
            "GEN-33",
            "The index is escaped in the request's path, and named only there. A Sequin server "
            "sends it as it is, and again with every entry.",
            "index_name",
        ),
    )

    read_back = ReadBack(
        "The documents with the ids of the preview (multi-get), also those that no refresh has "
        "made searchable yet. The credentials need the privilege read on the index.",
        _reader,
        _stored,
        keyed=True,
        note="An ingest pipeline that changes documents shows as a difference.",
    )

    class Config(SinkConfig):
        rules = (
            RequiredWhen(
                "auth_type", _AUTH, ("auth_value",),
                "is required for the authentication type {value}",
            ),
        )  # fmt: skip
        endpoint_url: Annotated[
            EndpointUrl,
            ServiceUrl(),
            Ui("Endpoint URL", "URL of the Elasticsearch or OpenSearch server.",
               example="http://localhost:9200", card=True, wide=True),
        ]  # fmt: skip
        auth_type: Annotated[
            str,
            Choice(("none", *_AUTH), ("None", "API key", "User and password", "Bearer token")),
            Ui("Authentication", "How the sink authenticates.", card=True),
        ] = "api_key"
        auth_value: Annotated[
            SecretStr | None,
            OneLine(),
            Ui("Credential", "The encoded API key, user:password, or the token.",
               visible_when=("auth_type", _AUTH)),
        ] = None  # fmt: skip
        batch_size: Annotated[
            int,
            Integer(minimum=1, maximum=_MAX_BATCH),
            Ui("Batch size", "Documents per request; the sink's own batch size is not used.",
               group="Advanced"),
        ] = 100  # fmt: skip

    class Routing(SinkRouting):
        index_name: Annotated[
            str,
            Text(
                max=1024,
                check=segment_problem,
                advice_max=255,
                advice_pattern=_NAME,
                advice_text=f"may be refused: {_NAME_TEXT}",
            ),
            Routed(
                "Index of the document.",
                Template("sequin.{database_name}.{table_schema}.{table_name}"),
                static=Static.REQUIRED,
                required=True,
                example="orders",
                label="Index",
                note="The id is the primary key, joined with `-`; tables in one index must not "
                "share keys. A delete removes the document, everything else writes it again. A "
                "soft delete is an update: let a transform mark it, and leave it out of "
                "searches.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Entry:
        """The payload as a document with the primary key as id. Refuses messages without one."""
        name = "-".join(message.record_pks)
        if not name:
            raise RuleError(
                "the message has no primary key, so its document has no id",
                hint="give the table a primary key, or the messages `metadata.record_pks`",
            )
        if len(name.encode("utf-8", "surrogatepass")) > _MAX_ID:
            raise RuleError(f"the document's id, the primary key, is over {_MAX_ID} bytes")
        url = config.endpoint_url.origin + config.endpoint_url.path.rstrip("/")
        signed = config.auth_type != "none" or config.endpoint_url.userinfo is not None
        notes = () if _unambiguous(message.record_pks) else (_COLLISION,)
        operation: Literal["index", "delete"] = "delete" if message.action == "delete" else "index"
        lines = jsonio.dump_bytes({operation: {"_id": name}}) + b"\n"
        if operation == "index":
            if not isinstance(payload.value, dict):
                raise RuleError("a document is a map", hint="let the transform return a map")
            lines += payload.json + b"\n"
        return Entry(url, routing.index_name, operation, name, lines, signed, notes)

    @staticmethod
    def command(config: Any, record: Entry) -> ShellCommand:
        from routestudio.sinks._shared.shell import curl, user_of

        value = config.auth_value.get_secret_value() if config.auth_value else ""
        headers = [("content-type", "application/x-ndjson")]
        user = user_of(config.endpoint_url)
        if config.auth_type == "basic":
            user = value
        elif config.auth_type in ("api_key", "bearer") and value:
            kind = "ApiKey" if config.auth_type == "api_key" else "Bearer"
            headers.append(("authorization", f"{kind} {value}"))
        url = f"{record.url}/{segment(record.index)}/_bulk"
        return curl("POST", url, headers, record.lines, user=user)

    @staticmethod
    def connect(config: Config) -> Link:
        return ElasticsearchLink(config)

    @classmethod
    def limits(cls, config: Any, batch_size: int | None) -> BatchLimits:
        return replace(cls.batch, messages=config.batch_size)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        url = EndpointUrl("http", address.host, address.port, "/", "")
        values = {"auth_type": "none", "batch_size": config.batch_size}
        return cls.Config.model_validate({"endpoint_url": url, **values})


class ElasticsearchLink(ServiceLink):
    """One bulk request per batch. Entries for one id are carried out in their order."""

    service = "the server"

    def __init__(self, config: Elasticsearch.Config) -> None:
        self._auth = config.auth_type
        value = config.auth_value.get_secret_value() if config.auth_value else ""
        secret = base64.b64encode(value.encode()).decode() if self._auth == "basic" else value
        kind = {"api_key": "ApiKey", "basic": "Basic", "bearer": "Bearer"}.get(self._auth)
        super().__init__(
            config.endpoint_url,
            headers={"authorization": f"{kind} {secret}"} if kind and secret else {},
            secrets=[value, secret, value.partition(":")[2]],
            timeout=_TIMEOUT,
        )
        self._product = ""

    async def deliver(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        return await in_halves(batch, self._bulk)

    async def _bulk(self, batch: Sequence[Entry]) -> Sequence[Outcome] | Refused:
        try:
            answer = await self.call(
                "POST",
                f"/{segment(batch[0].index)}/_bulk",
                body=b"".join([entry.lines for entry in batch]),
                content_type="application/x-ndjson",
                gzip=True,
            )
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)
        if not answer.ok:
            # A request is refused as a whole for its size, or for one entry that is malformed.
            splits = answer.status in (400, 413)
            return Refused(self.refused(answer, _reason(answer)), splits)
        found = answer.json()
        items = found.get("items") if isinstance(found, dict) else None
        if isinstance(items, list) and len(items) == len(batch):
            return [self._result(e, item) for e, item in zip(batch, items, strict=True)]
        # Which result belongs to which entry is unclear, so a loss could hide: try all again.
        text = f"the answer does not have the results of {len(batch)} entries"
        return [retry("no_result", text, unknown=True)] * len(batch)

    def _result(self, entry: Entry, item: Any) -> Outcome:
        found = item.get(entry.operation) if isinstance(item, dict) else None
        status = found.get("status") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(status, int):
            return retry("no_result", "the result of the entry is not readable", unknown=True)
        if entry.operation == "delete" and status == 404:
            return DELIVERED
        error = found.get("error")
        if 200 <= status < 300 and not error:
            return DELIVERED
        kind = str(error.get("type")) if isinstance(error, dict) else "error"
        text = error.get("reason") if isinstance(error, dict) else error
        reason = self.clean(f"{kind}: {text or f'HTTP {status}'}")[:500]
        if status in RETRY_STATUS or status in (200, 409) or status >= 500 or kind == _BLOCKED:
            return retry(kind, reason)
        return rejected(kind, reason)

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        answer = await self.call("GET", "/")
        if answer.status in (401, 407):
            return failed(f"the credentials were refused: {_reason(answer)}", self._advice())
        if answer.status == 403:
            who = await self.call("GET", "/_security/_authenticate")
            name = error_text(who, "username") if who.ok else ""
            if name:
                self._product = "Elasticsearch"
                return passed(f"the credentials are those of `{name}`")
            return unsure(
                "the server answers, but does not report its version",
                "the credentials are wrong or have few rights; the server does not report which",
            )
        found = answer.json() if answer.ok else None
        version = found.get("version") if isinstance(found, dict) else None
        if not isinstance(version, dict) or "number" not in version:
            return failed(
                f"this is neither Elasticsearch nor OpenSearch: / answers HTTP {answer.status}",
                "check host, port and path of the endpoint URL",
            )
        opensearch = version.get("distribution") == "opensearch"
        self._product = "OpenSearch" if opensearch else "Elasticsearch"
        says = "nothing is asked for" if self._auth == "none" else "the credentials are taken"
        return passed(f"{self._product} {str(version['number'])[:40]} answers, {says}")

    def _advice(self) -> str:
        return {
            "none": "choose how to authenticate, and give the credential",
            "api_key": "check the API key: the encoded form, as shown when it was made",
            "basic": "check user and password, written as user:password",
        }.get(self._auth, "check the token, and that it has not expired")

    async def prove(self, target: Any) -> Verdict:
        name: str = target.index_name
        found = await look(self, name)
        if isinstance(found, Verdict):
            return found
        if found is None:
            answer = await self.call("HEAD", f"/{segment(name)}")
            if not answer.ok:
                return await self._unseen(name, answer)
            found = Found(f"`{name}` exists", seen=False)
        verdict = await self._may_write(name, found.text, ["index", "delete"])
        if found.seen or verdict.status != "passed":
            return verdict
        text = f"{verdict.detail}; whether the index is open for writing is not seen"
        return unsure(text, "allow view_index_metadata, or deliver one sample to be sure")

    async def _unseen(self, name: str, answer: Answer) -> Verdict:
        """What can be known about an index that is not there, or that the credentials may not
        see."""
        if answer.status in (401, 403):
            hidden = f"whether `{name}` exists, the credentials may not see"
            found = await self._may_write(name, hidden, ["index", "delete"])
            return replace(found, status="inconclusive") if found.status == "passed" else found
        if answer.status not in (400, 404):
            reason = self.refused(answer).reason
            return failed(f"the request for the index failed: {reason}", "try again later")
        if not re.fullmatch(_NAME, name) or len(name.encode()) > 255:
            return failed(f"there is no index `{name}`", f"the server {_NAME_TEXT}")
        creates = await self._creates(name)
        if creates is False:
            text = f"there is no index `{name}`, and the server is set not to create it"
            return failed(text, "create it, or allow it in action.auto_create_index")
        missing = f"`{name}` does not exist yet; "
        if creates is None:
            missing += "whether the server creates it is only seen by writing"
            return unsure(missing, "create it with a mapping, if it is not a mistake")
        missing += "the server creates it with the first document"
        return await self._may_write(name, missing, ["index", "delete", "create_index"])

    async def _creates(self, name: str) -> bool | None:
        """Whether a write creates the index; `None` when the server does not report it."""
        answer = await self.call(
            "GET", "/_cluster/settings", query={"include_defaults": "true"}, timeout=5.0
        )
        for group in ("transient", "persistent", "defaults"):
            if setting := error_text(answer, group, "action", "auto_create_index"):
                return _allows(setting, name)
        return None

    async def _may_write(self, name: str, found: str, rights: list[str]) -> Verdict:
        elastic = self._product == "Elasticsearch"
        ask = {"index": [{"names": [name], "privileges": rights}]} if elastic else {}
        path = "/_security/user/_has_privileges" if elastic else "/_plugins/_security/authinfo"
        answer = await self.call("GET", path, body=json.dumps(ask).encode() if ask else b"")
        told = answer.json() if elastic and answer.ok else None
        if isinstance(told, dict) and told.get("has_all_requested") is True:
            return passed(f"{found}, and the credentials may write")
        if isinstance(told, dict) and told.get("has_all_requested") is False:
            given = (told.get("index") or {}).get(name) or {}
            lacks = ", ".join(right for right in rights if not given.get(right)) or "some"
            text = f"{found}, but the credentials lack the privileges {lacks}"
            return failed(text, "grant them for this index")
        if self._auth == "none" and "no handler found" in error_text(answer, "error"):
            return passed(f"{found}, and the server has no security")
        return unsure(
            f"{found}; whether the credentials may write is only seen by writing",
            "they need the rights to index and to delete documents",
        )


def _unambiguous(parts: Sequence[str]) -> bool:
    """Whether the joined id keeps the parts apart: no `-` but in numbers and UUIDs."""
    return len(parts) < 2 or all(_PLAIN_PART.fullmatch(part) for part in parts)


def _allows(setting: str, name: str) -> bool:
    """Whether `action.auto_create_index` lets `name` be created: the first pattern that fits."""
    text = re.sub(r'[\[\]"\s]', "", setting)
    if text in ("true", "false"):
        return text == "true"
    for pattern in text.split(","):
        if fnmatchcase(name, pattern.lstrip("+-").replace("?", "[?]")):
            return not pattern.startswith("-")
    return False


def _reason(answer: Answer) -> str:
    """`type: reason` of a refused request; empty when it has another form."""
    kind, text = error_text(answer, "error", "type"), error_text(answer, "error", "reason")
    return f"{kind}: {text}" if kind and text else kind or text or error_text(answer, "error")
