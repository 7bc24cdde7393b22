"""The S2 sink: each message is a record that is appended to a stream of a basin.

What requests and answers mean: S2's OpenAPI description, its documentation of limits and of error
codes (s2.dev/docs), and for `endpoint_url` that of s2-lite, which takes the basin from a header.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.defaults import Const
from routestudio.model.fields import Difference, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.cloud import BaseUrl, local
from routestudio.sinks._shared.http.endpoint import DOTS, EndpointUrl
from routestudio.sinks._shared.http.service import (
    ServiceLink,
    Verdict,
    error_text,
    failed,
    passed,
    segment,
    unsure,
)
from routestudio.sinks._shared.http.service_fields import Token, climbs
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

ACCOUNT: Final = EndpointUrl("https", "a.s2.dev", None, "/v1", "")
BASIN_DOMAIN: Final = "b.s2.dev"
"""The hosts of the vendor's own clients (its SDK for Python, 0.13)."""

MAX_NAME: Final = 512
"""Most bytes of a stream's name."""
_RECORDS: Final = 1000
_BYTES: Final = 1024 * 1024
_RECORD_COST: Final = 8
"""Metered bytes of a record besides those of its body."""
_TIMEOUT: Final = 60.0
_NEVER: Final = 2**63 - 1
"""A sequence number that no stream reaches."""
_LATER: Final = frozenset(
    {"transaction_conflict", "basin_deletion_pending", "stream_deletion_pending",
     "quota_exhausted", "rate_limited", "hot_server", "server_draining"}
)  # fmt: skip
"""Error codes without side effect whose cause may pass."""
_GOING: Final = frozenset({"basin_deletion_pending", "stream_deletion_pending"})
_OF_THE_REQUEST: Final = frozenset({"bad_header", "bad_path", "bad_query"})
"""Error codes of refusals that no record has caused, such as the missing key of a cipher."""

_PLAIN_BYTES: Final = 2_000_000
"""Requests over it hold their records in Base64: s2-lite reads 2 MiB of JSON at most, and escapes
in a text that is itself JSON make more of it than 1 MiB of records can be in Base64."""

_WRITE_HINT: Final = "the token needs the operation append on this basin and stream"


def basin_url(basin: str) -> EndpointUrl:
    """Where a basin's streams are. `basin` follows the rule of the field, so it is one label."""
    return EndpointUrl("https", f"{basin}.{BASIN_DOMAIN}", None, "/v1", "")


def stream_problem(name: str) -> str | None:
    """Why there can be no stream of this name; `None` when there can."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > MAX_NAME:
        return f"has {size} bytes; S2 takes {MAX_NAME}"
    if climbs(name):
        return "must not have `.` or `..` as a part of its path"
    return None


@dataclass(frozen=True, slots=True, repr=False)
class Append:
    """One record to append: `body` is the message as JSON text in UTF-8."""

    root: EndpointUrl
    basin: str
    stream: str
    body: bytes
    named: bool

    @property
    def size(self) -> int:
        """Metered bytes."""
        return _RECORD_COST + len(self.body)

    @property
    def path(self) -> str:
        return f"/streams/{segment(self.stream)}/records"

    @property
    def headers(self) -> dict[str, str]:
        """Headers besides the credentials; a service of the user gets the basin in one."""
        return {"s2-format": "raw", **({"s2-basin": self.basin} if self.named else {})}

    def describe(self) -> dict[str, Any]:
        return {
            "method": "POST",
            "url": f"{self.root}{self.path}",
            "headers": {"authorization": f"Bearer {DOTS}", **self.headers},
            "body": self.body.decode("utf-8", "replace"),
        }


def _stored(record: Append) -> Stored:
    return Stored(f"{record.basin}/{record.stream}", None, record.body)


def _reader(config: S2.Config) -> Reader:
    from routestudio.sinks.s2.read import S2Reader

    own = _own(config)

    def place(basin: str) -> tuple[EndpointUrl, dict[str, str]]:
        return (own, {"s2-basin": basin}) if own is not None else (basin_url(basin), {})

    return S2Reader(S2Link(config), place)


class S2(Sink):
    """Append each message as a record to an S2 stream."""

    key, title = "s2", "S2"
    icon = "s2"
    standin = "s2"
    tool = "curl"
    batch = BatchLimits(messages=_RECORDS, default=10, size=_BYTES, wait=0.005, fixed=True)
    keeps_order = True
    """An append is carried out as a whole and in its order, or not at all."""
    batch_by = ("basin", "stream")
    host_label = "basin"
    max_record = _BYTES
    differences = (
        Difference(
            "S2-01",
            "With a routing function the connection test asks for the basins and streams of the "
            "samples. A Sequin server's test always fails then. The right to append is proven by "
            "an append under two conditions that cannot hold, so S2 writes nothing.",
        ),
        Difference(
            "GEN-31",
            "A routed basin follows the same rule as a fixed one, so no function can choose "
            "another host. A Sequin server takes any text of 1-48 characters.",
            "basin",
        ),
        Difference(
            "GEN-33",
            "The stream is escaped in the request's path. A Sequin server sends it as it is.",
            "stream",
        ),
        Difference(
            "S2-HOSTS",
            "Requests go to the hosts of S2's own clients, `a.s2.dev` and `<basin>.b.s2.dev`. A "
            "Sequin server uses `<basin>.b.aws.s2.dev`.",
        ),
        Difference(
            "GEN-32",
            "A request holds up to 1000 records. A Sequin server sends 10.",
        ),
        Difference(
            "results",
            "What S2 refuses for good goes to the dead letters, alone. A Sequin server sends the "
            "whole batch again.",
        ),
        Difference(
            "endpoint",
            "Your own service (s2-lite) may be used. A Sequin server ignores this.",
            "endpoint_url",
        ),
    )

    read_back = ReadBack(
        "The last records of the stream. The token needs the operation read on it.",
        _reader,
        _stored,
    )

    class Config(SinkConfig):
        access_token: Annotated[
            SecretStr,
            Token(),
            Ui("Access token", "Needs the operation append on basins and streams."),
        ]
        endpoint_url: Annotated[
            EndpointUrl | None,
            BaseUrl(),
            Ui("Endpoint URL", "Your own S2 service, such as s2-lite; empty for s2.dev.",
               group="Advanced", example="http://localhost:8080", wide=True),
        ] = None  # fmt: skip

    class Routing(SinkRouting):
        basin: Annotated[
            str,
            Text(
                min=8,
                max=48,
                pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?",
                pattern_text="can only include lowercase letters, numbers, and hyphens, and cannot "
                "begin or end with a hyphen",
            ),
            Routed(
                "Basin of the stream.",
                Const(None),
                static=Static.REQUIRED,
                required=True,
                example="my-basin",
                label="Basin",
                note="It becomes part of the host name, so it must exist in S2.",
            ),
        ]
        stream: Annotated[
            str,
            Text(max=MAX_NAME, check=stream_problem),
            Routed(
                "Stream that gets the record.",
                Const(None),
                static=Static.REQUIRED,
                required=True,
                example="orders",
                label="Stream",
                note="It must exist, or the basin must create streams on append. A record that is "
                "sent again because its answer was lost may be there twice.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Append:
        """The payload as JSON text; deletes are records like any others."""
        root = _own(config) or basin_url(routing.basin)
        named = config.endpoint_url is not None
        return Append(root, routing.basin, routing.stream, payload.json, named)

    @staticmethod
    def command(config: Any, record: Append) -> ShellCommand:
        from routestudio.sinks._shared.shell import curl

        token = config.access_token.get_secret_value()
        root = f"{record.root.origin}{record.root.path.rstrip('/')}"
        headers = [("authorization", f"Bearer {token}"), *record.headers.items(),
                   ("content-type", "application/json")]  # fmt: skip
        return curl("POST", root + record.path, headers, _appended([record.body]))

    @staticmethod
    def connect(config: Config) -> Link:
        return S2Link(config)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        url = local(address.host, address.port)
        return cls.Config(access_token=SecretStr("stand-in"), endpoint_url=url)


def _own(config: S2.Config) -> EndpointUrl | None:
    """The API's root at the user's own service. The URL given may end with the API's version."""
    url = config.endpoint_url
    if url is None:
        return None
    return replace(url, path=url.path.rstrip("/").removesuffix("/v1") + "/v1")


class S2Link(ServiceLink):
    """One append per batch, which S2 carries out as a whole and in order, or not at all."""

    service = "S2"

    def __init__(self, config: S2.Config) -> None:
        self._own = _own(config)
        token = config.access_token.get_secret_value()
        super().__init__(
            self._own or ACCOUNT,
            headers={"authorization": f"Bearer {token}"},
            secrets=[token],
            timeout=_TIMEOUT,
        )

    async def deliver(self, batch: Sequence[Append]) -> Sequence[Outcome]:
        return await in_halves(batch, self._append)

    async def _append(self, batch: Sequence[Append]) -> Sequence[Outcome] | Refused:
        first = batch[0]
        bodies = [record.body for record in batch]
        form, body = "raw", _appended(bodies)
        if len(body) > _PLAIN_BYTES:
            form, body = "base64", _appended([base64.b64encode(each) for each in bodies])
        try:
            answer = await self.call(
                "POST",
                first.path,
                body=body,
                headers={**first.headers, "s2-format": form},
                gzip=True,
                base=first.root,
            )
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)
        if not answer.ok:
            return Refused(self._refusal(answer), _about_a_record(answer))
        if _count(answer) != len(batch):
            text = f"the answer does not confirm that {len(batch)} records were appended"
            return [retry("no_result", text, unknown=True)] * len(batch)
        return [DELIVERED] * len(batch)

    def _refusal(self, answer: Answer) -> Outcome:
        """An append that was refused is not done, except where S2 shows that it may be."""
        code, text = error_text(answer, "code"), error_text(answer, "message")
        outcome = self.refused(answer, f"{code}: {text}" if code else "")
        if code in ("basin_not_found", "stream_not_found"):
            return rejected(code, outcome.reason)
        if code in _LATER:
            return replace(outcome, status="retry", code=code)
        if answer.status == 408 or answer.status >= 500:
            return replace(outcome, unknown=True)
        return outcome

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        what = "basins" if base == self.base else "streams"
        answer = await self.call("GET", f"/{what}", query={"limit": 1}, base=base)
        found = answer.json()
        code, text = error_text(answer, "code"), error_text(answer, "message")
        if answer.status == 401:
            return failed(f"the access token was refused: {text}", "check it, or make a new one")
        if answer.ok and isinstance(found, dict) and isinstance(found.get(what), list):
            lite = "" if self._own is None else "; your own service may accept any token"
            return passed(f"S2 answers, and the token may list {what}{lite}")
        if answer.status == 403 and code:
            return unsure(
                f"S2 answers, but the token may not list {what}",
                "it is wrong, or limited to some operations, basins or streams",
            )
        if answer.status == 404 and code == "basin_not_found":
            return unsure("S2 answers, but there is no such basin to list streams of")
        if answer.status == 429 or answer.status >= 500:
            return failed(f"S2 cannot answer now: {self.refused(answer).reason}", "try again later")
        return failed(
            f"this is not S2: the list of {what} answers HTTP {answer.status}",
            "check host, port and path of the endpoint URL",
        )

    def shown(self, target: Any) -> str:
        return f"{target.basin}/{target.stream}"

    def place(self, target: Any) -> EndpointUrl:
        return self._own or basin_url(target.basin)

    async def prove(self, target: Any) -> Verdict:
        path, name = f"/streams/{segment(target.stream)}", f"the stream `{target.stream}`"
        answer = await self.call("GET", path, headers=self._basin(target), base=self.place(target))
        code, text = error_text(answer, "code"), error_text(answer, "message")
        if answer.ok:
            if _wants_timestamps(answer.json()):
                return _untimed(name)
            return await self._may_append(target, f"{name} exists")
        if code in _GOING:
            return _being_deleted(name)
        if code == "basin_not_found":
            return failed(f"there is no basin `{target.basin}`", "create it, or route elsewhere")
        if answer.status == 404:
            return await self._creates(target, f"{name} does not exist")
        if answer.status in (401, 403):
            return unsure(f"the token may not see whether {name} exists", _WRITE_HINT)
        return failed(
            f"the request for {name} failed: {code}: {text}", "look at it in S2's dashboard"
        )

    async def _creates(self, target: Any, missing: str) -> Verdict:
        """A stream that is not there is fine where its basin creates streams on append."""
        hint = "create it, or let the basin create streams on append"
        try:
            answer = await self.call("GET", f"/basins/{segment(target.basin)}")
        except UnansweredError:
            return unsure(f"{missing}, and the basin's settings cannot be read", hint)
        found = answer.json() if answer.ok else None
        if error_text(answer, "code") == "basin_not_found":
            return failed(f"there is no basin `{target.basin}`", "create it, or route elsewhere")
        if not isinstance(found, dict):
            return unsure(f"{missing}, and the token may not see the basin's settings", hint)
        if found.get("create_stream_on_append") is True:
            if _wants_timestamps(found.get("default_stream_config")):
                return _untimed(f"{missing} yet, and a stream that the basin creates")
            text = f"{missing} yet; the basin creates it on append"
            return unsure(f"{text}. Whether the token may append is seen then", _WRITE_HINT)
        return failed(f"{missing}, and the basin does not create streams on append", hint)

    async def _may_append(self, target: Any, exists: str) -> Verdict:
        """Prove the right by an append under two conditions that cannot hold: nothing is written.

        S2 answers 412 to those who may append, after it has looked at what the token may do.
        """
        answer = await self.call(
            "POST",
            f"/streams/{segment(target.stream)}/records",
            body=_appended([b""], match_seq_num=_NEVER, fencing_token=uuid4().hex),
            headers={"s2-format": "raw", **self._basin(target)},
            base=self.place(target),
        )
        if answer.status == 412:
            return passed(f"{exists}, and the token may append to it")
        if answer.status in (401, 403):
            return failed(f"{exists}, but the token may not append to it", _WRITE_HINT)
        code, text = error_text(answer, "code"), error_text(answer, "message")
        if code in _GOING or code == "stream_not_found":
            return _being_deleted(f"the stream `{target.stream}`")
        if answer.status in (400, 422):
            hint = "correct the settings of the stream, or route elsewhere"
            if "encrypt" in text or "cipher" in text:
                hint = "route to a stream without encryption: the sink has no key to send"
            return failed(f"{exists}, but takes no append of this sink: {text or code}", hint)
        return unsure(f"{exists}; whether the token may append is only seen by writing")

    def _basin(self, target: Any) -> dict[str, str]:
        return {} if self._own is None else {"s2-basin": target.basin}


def _wants_timestamps(settings: Any) -> bool:
    """Whether a stream with these settings refuses records without a timestamp."""
    found = settings.get("timestamping") if isinstance(settings, dict) else None
    return isinstance(found, dict) and found.get("mode") == "client-require"


def _untimed(name: str) -> Verdict:
    return failed(
        f"{name} takes only records with a timestamp of the client, and this sink sends none",
        "set its timestamping.mode to client-prefer or arrival",
    )


def _being_deleted(name: str) -> Verdict:
    return failed(f"{name} is being deleted", "wait and create it again, or route elsewhere")


def _about_a_record(answer: Answer) -> bool:
    """Whether a refusal may be the fault of one record, and not of the stream or the request.

    No record has a timestamp, so what is true of timestamps holds for all of them.
    """
    if answer.status == 413:
        return True
    if answer.status not in (400, 422) or error_text(answer, "code") in _OF_THE_REQUEST:
        return False
    return "timestamp" not in error_text(answer, "message").lower()


def _appended(bodies: Sequence[bytes], **conditions: Any) -> bytes:
    """The body of an append request. Every record's body is text (format `raw`)."""
    records = [{"body": body.decode()} for body in bodies]
    return jsonio.dump_bytes({"records": records, **conditions})


def _count(answer: Answer) -> int | None:
    """How many records were appended, by an answer."""
    found = answer.json()
    ends = []
    for name in ("start", "end"):
        position = found.get(name) if isinstance(found, dict) else None
        number = position.get("seq_num") if isinstance(position, dict) else None
        if type(number) is not int:
            return None
        ends.append(number)
    return ends[1] - ends[0]
