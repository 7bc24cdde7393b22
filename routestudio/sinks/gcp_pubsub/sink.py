"""The Google Pub/Sub sink, over its REST API.

Facts: docs/reference/services.md#google-pubsub.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from routestudio.model import jsonio
from routestudio.model.cross_rules import CrossRule, RequiredWhen
from routestudio.model.defaults import Template
from routestudio.model.fields import Difference, Flag, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.model.outcome import DELIVERED, Outcome, retry
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http import service as api
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.cloud import TRACE_TEXT, BaseUrl, local, trace_id
from routestudio.sinks._shared.http.endpoint import DOTS, EndpointUrl
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.gcp_pubsub.tokens import (
    ServiceAccount,
    ServiceAccountKey,
    TokenError,
    Tokens,
)
from routestudio.sinks.reading import NoReadBack

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

MAX_KEY: Final = 1024
"""Bytes of an ordering key."""

SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
_PUBLISH: Final = "pubsub.topics.publish"
_MAYBE_DONE: Final = frozenset({499, 500, 502, 504})
"""Statuses after which the publish, as Google documents, may have been carried out."""


@dataclass(frozen=True, slots=True, repr=False)
class PubSubRecord:
    """One message of a publish request. `wire` is its JSON, with the data in Base64."""

    topic: str
    url: str
    data: bytes
    attributes: dict[str, str]
    ordering_key: str | None
    wire: bytes
    signed: bool

    @property
    def size(self) -> int:
        """Bytes in the request."""
        return len(self.wire) + 1

    def describe(self) -> dict[str, Any]:
        """The message as plain data; `data` is shown before its Base64."""
        shown: dict[str, Any] = {"method": "POST", "url": self.url}
        if self.signed:
            shown["authorization"] = f"Bearer {DOTS}"
        shown["data"] = self.data.decode(errors="replace")
        shown["attributes"] = self.attributes
        if self.ordering_key is not None:
            shown["orderingKey"] = self.ordering_key
        return shown


def _command(config: Any, record: PubSubRecord) -> ShellCommand:
    from routestudio.sinks._shared.shell import ShellCommand

    words = ["gcloud", "pubsub", "topics", "publish", record.topic,
             f"--project={config.project_id}", f"--message={record.data.decode()}"]  # fmt: skip
    if record.attributes:
        # Another separator than the comma, which values may have in them.
        texts = [f"{name}={value}" for name, value in record.attributes.items()]
        mark = next(mark for mark in map("|".__mul__, count(1)) if mark not in "".join(texts))
        words.append(f"--attribute=^{mark}^{mark.join(texts)}")
    if record.ordering_key is not None:
        words.append(f"--ordering-key={record.ordering_key}")
    base = config.base()
    google = base.host == "pubsub.googleapis.com"
    root = f"{base.origin}{base.path.rstrip('/')}/"
    environment = {} if google else {"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": root}
    notes = () if config.use_emulator else (
        "gcloud uses its own login, not the credentials of the sink",
    )  # fmt: skip
    return ShellCommand(tuple(words), environment=environment, notes=notes)


class GcpPubSub(Sink):
    """Publish each message to a Google Pub/Sub topic."""

    key = "gcp_pubsub"
    title = "Google Pub/Sub"
    icon = "pubsub"
    batch = BatchLimits(messages=1000, default=100, size=9_437_184, wait=0.001)
    keeps_order = True
    """A publish request is carried out as a whole or not at all, and Pub/Sub keeps the order of its
    messages for each ordering key."""
    batch_by = ("topic_id",)
    standin = "pubsub"
    tool = "gcloud"
    write_always = ("use_emulator",)
    max_record = 10_000_000
    read_back = NoReadBack(
        "Pub/Sub gives messages to subscriptions only: reading means to make a subscription, "
        "or to take messages from those of somebody else.",
        "make a subscription before the run, and pull from it with `gcloud pubsub "
        "subscriptions pull NAME`",
    )
    differences = (
        Difference(
            "GCP-01",
            "Credentials of type `oauth_client` and `api_key` are refused. A Sequin server takes "
            "them, and then every delivery fails.",
            "credentials",
        ),
        Difference(
            "credentials_text",
            "Credentials may also be one JSON text, such as `${GCP_CREDENTIALS}`. In YAML a "
            "Sequin server takes only a map: write its entries, with a reference as `private_key`.",
            "credentials",
        ),
        Difference(
            "token_uri",
            "The `token_uri` and `universe_domain` of the credentials are used. A Sequin server "
            "always asks oauth2.googleapis.com and publishes to pubsub.googleapis.com.",
            "credentials",
        ),
        Difference(
            "GCP-02",
            "With message grouping, messages of different groups share a request: each has its own "
            "ordering key, and two of one group are never in flight together. A Sequin server "
            "sends one message per request then, so it is slower. Grouping is on by default in "
            "YAML and off in its console.",
        ),
        Difference(
            "GCP-03",
            "The starter uses the default topic `sequin.<schema>.<table>`. A Sequin server's own "
            "starter puts the database in front of it.",
            "topic_id",
        ),
        Difference(
            "GCP-04",
            "The check looks the topic up and asks for the right to publish. A Sequin server "
            "deletes a subscription that does not exist, and checks neither topic nor right.",
        ),
        Difference("trace_id", TRACE_TEXT),
        Difference(
            "endpoint_url",
            "The endpoint is RouteStudio's own field, for regional and private endpoints. A "
            "Sequin server ignores it.",
            "endpoint_url",
        ),
    )

    class Config(SinkConfig):
        """Which project, and how to sign in."""

        project_id: Annotated[
            str,
            Text(
                max=255,
                pattern=r"[a-z][-a-z0-9]{4,28}[a-z0-9]",
                pattern_text="must be a project id: 6-30 lower-case letters, digits and hyphens, "
                "starting with a letter",
            ),
            Ui("Project", "Id of the Google Cloud project.", example="my-project", card=True),
        ]
        use_emulator: Annotated[
            bool,
            Flag(),
            Ui("Emulator", "Publish to Google's local emulator, without credentials.", card=True),
        ] = False
        emulator_base_url: Annotated[
            EndpointUrl | None,
            BaseUrl(),
            Ui("Emulator URL", "Where the emulator listens.", example="http://localhost:8085",
               visible_when=("use_emulator", (True,)), card=True),
        ] = None  # fmt: skip
        credentials: Annotated[
            ServiceAccount | None,
            ServiceAccountKey(),
            Ui("Credentials", "JSON key of a service account; stored outside the project file.",
               "Authentication", visible_when=("use_emulator", (False,)), wide=True),
        ] = None  # fmt: skip
        endpoint_url: Annotated[
            EndpointUrl | None,
            BaseUrl(),
            Ui("Endpoint", "A regional or private endpoint; empty for Google's own.", "Advanced",
               "https://europe-west1-pubsub.googleapis.com", ("use_emulator", (False,))),
        ] = None  # fmt: skip

        rules: ClassVar[tuple[CrossRule, ...]] = (
            RequiredWhen(
                "use_emulator", (True,), ("emulator_base_url",), "is required with the emulator"
            ),
            RequiredWhen(
                "use_emulator", (False,), ("credentials",), "is required without the emulator"
            ),
        )

        def base(self) -> EndpointUrl:
            """Where the API is."""
            if self.use_emulator and self.emulator_base_url is not None:
                return self.emulator_base_url
            if self.endpoint_url is not None:
                return self.endpoint_url
            domain = self.credentials.universe_domain if self.credentials else "googleapis.com"
            return EndpointUrl("https", f"pubsub.{domain}", None, "/", "")

        def topic_path(self, topic: str) -> str:
            """The path of a topic below the base."""
            return f"/v1/projects/{self.project_id}/topics/{api.segment(topic)}"

    class Routing(SinkRouting):
        """What may differ per message."""

        topic_id: Annotated[
            str,
            Text(
                max=255,
                pattern=r"[a-zA-Z][a-zA-Z0-9\-_.~+%]{2,254}",
                pattern_text="must start with a letter and have 3-255 letters, digits and -_.~+%",
                advice_pattern=r"(?!goog).*",
                advice_text="may be refused: keeps names that start with `goog` for itself",
            ),
            Routed(
                "Id of the topic to publish to.",
                Template("sequin.{table_schema}.{table_name}"),
                Static.REQUIRED,
                required=True,
                example="orders",
                label="Topic",
                note="Topics are never created. The ordering key is the group id (its MD5 when "
                "longer than 1024 bytes); subscriptions with message ordering keep its order.",
            ),
        ]

    @staticmethod
    def encode(
        config: Config, message: Message, routing: Routing, payload: Payload
    ) -> PubSubRecord:
        """The message, with four attributes and the group id as ordering key."""
        attributes = {
            "trace_id": trace_id(message),
            "type": "event",
            "table_name": message.metadata["table_name"],
            "action": message.action,
        }
        group = routing.group_id
        key = ordering_key(group) if group else None
        wire = b'{"data":"%b","attributes":%b' % (
            base64.b64encode(payload.json),
            jsonio.dump_bytes(attributes),
        )
        wire += b',"orderingKey":%b}' % jsonio.dump_bytes(key) if key is not None else b"}"
        base, topic = config.base(), routing.topic_id
        url = f"{base.origin}{base.path.rstrip('/')}{config.topic_path(topic)}:publish"
        signed = not config.use_emulator
        return PubSubRecord(topic, url, payload.json, attributes, key, wire, signed)

    command = staticmethod(_command)

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over HTTP."""
        return PubSubLink(config)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in: an emulator."""
        return cls.Config(
            project_id=config.project_id,
            use_emulator=True,
            emulator_base_url=local(address.host, address.port),
        )


def ordering_key(group: str) -> str:
    """The ordering key of a group id: itself, or its MD5 when Pub/Sub would refuse it as too long.

    Hexadecimal in lower case; the limit counts bytes, not characters
    (docs/reference/sequin.md#hashes).
    """
    data = group.encode("utf-8", "surrogatepass")
    if len(data) <= MAX_KEY:
        return group
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class PubSubLink(api.ServiceLink):
    """Publishes to one project. A publish request is carried out as a whole or not at all."""

    service = "Pub/Sub"

    def __init__(self, config: GcpPubSub.Config) -> None:
        self._config = config
        self._account = None if config.use_emulator else config.credentials
        key = self._account.private_key.get_secret_value() if self._account else ""
        super().__init__(config.base(), secrets=[key])
        self._tokens = Tokens(self._account, SCOPE, self._client) if self._account else None

    def clean(self, text: str) -> str:
        text = super().clean(text)
        return self._tokens.clean(text) if self._tokens else text

    def refused(self, answer: Answer, text: str = "") -> Outcome:
        outcome = super().refused(answer, text or api.error_text(answer, "error", "message"))
        if outcome.status == "rejected" and _status(answer) == "FAILED_PRECONDITION":
            outcome = retry(outcome.code, outcome.reason)
        if answer.status in _MAYBE_DONE:
            outcome = retry(outcome.code, outcome.reason, after=outcome.after, unknown=True)
        return replace(outcome, reason=self.clean(outcome.reason))

    async def deliver(self, batch: Sequence[PubSubRecord]) -> Sequence[Outcome]:
        return await in_halves(batch, self._attempt)

    async def _attempt(self, batch: Sequence[PubSubRecord]) -> Sequence[Outcome] | Refused:
        try:
            answer = await self._publish(batch)
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)
        if answer.status == 200:
            return [self._published(answer, len(batch))] * len(batch)
        return Refused(self.refused(answer), _one_is_to_blame(answer, batch[0].topic))

    async def _publish(self, batch: Sequence[PubSubRecord]) -> Answer:
        body = b'{"messages":[%b]}' % b",".join([record.wire for record in batch])
        path = self._config.topic_path(batch[0].topic) + ":publish"
        return await self._signed("POST", path, body, gzip=True)

    def _published(self, answer: Answer, count: int) -> Outcome:
        said = answer.json()
        ids = said.get("messageIds") if isinstance(said, dict) else None
        if isinstance(ids, list) and len(ids) == count:
            return DELIVERED
        text = "the answer does not name the published messages; is this Pub/Sub?"
        return retry("not_pubsub", text, unknown=True)

    async def _signed(
        self, method: str, path: str, body: bytes = b"", *, gzip: bool = False
    ) -> Answer:
        """One request; a token that Google no longer takes is replaced once."""
        while True:
            token = await self._tokens.get() if self._tokens else None
            headers = {"authorization": f"Bearer {token.text}"} if token else None
            answer = await self.call(method, path, body=body, headers=headers, gzip=gzip)
            if self._tokens is None or token is None or answer.status != 401:
                if token is not None:
                    token.used = True
                return answer
            self._tokens.forget(token)
            if not token.used:
                return answer

    async def authenticate(self, base: EndpointUrl) -> api.Verdict:
        if self._tokens is not None and self._account is not None:
            try:
                await self._tokens.get()
            except TokenError as error:
                return api.failed(error.outcome.reason, error.hint)
            return api.passed(f"Google gave a token for {self._account.client_email}")
        path = f"/v1/projects/{self._config.project_id}/topics"
        answer = await self.call("GET", path, query={"pageSize": 1})
        if answer.status == 200 and isinstance(answer.json(), dict):
            return api.passed("the emulator answers; it needs no credentials")
        return api.failed(
            f"this is not a Pub/Sub emulator: {self.refused(answer).reason}",
            "check the emulator URL",
        )

    async def prove(self, target: GcpPubSub.Routing) -> api.Verdict:
        project, topic = self._config.project_id, target.topic_id
        path = self._config.topic_path(topic)
        found = await self._signed("GET", path)
        if found.status == 404 and _status(found) == "NOT_FOUND":
            return api.failed(
                f"topic {topic} does not exist in project {project}",
                f"create it: gcloud pubsub topics create {topic} --project {project}",
            )
        if found.status == 401:
            return api.failed(self.refused(found).reason, "check the credentials")
        if found.status not in (200, 403):
            return api.unsure(f"topic {topic}: {self.refused(found).reason}")
        if self._account is None:
            return api.passed(f"topic {topic} exists; the emulator knows no rights")
        body = jsonio.dump_bytes({"permissions": [_PUBLISH]})
        asked = await self._signed("POST", f"{path}:testIamPermissions", body)
        said = asked.json()
        if asked.status != 200 or not isinstance(said, dict):
            return api.unsure(f"the right to publish is not known: {self.refused(asked).reason}")
        who = self._account.client_email
        granted = _PUBLISH in (said.get("permissions") or ())
        if granted and found.status == 200:
            return api.passed(f"topic {topic} exists, and {who} may publish to it")
        if granted:
            return api.passed(f"{who} may publish to topic {topic} (it may not look it up)")
        where = "does not exist, or" if found.status == 403 else "exists, but"
        return api.failed(
            f"topic {topic} {where} {who} may not publish to it",
            f"grant {who} the role roles/pubsub.publisher on the topic",
        )


def _status(answer: Answer) -> str:
    """Google's name of an error, e.g. `INVALID_ARGUMENT`."""
    return api.error_text(answer, "error", "status")


def _one_is_to_blame(answer: Answer, topic: str) -> bool:
    """Whether a refusal is about something inside of the request, and not about the topic."""
    if answer.status == 413:
        return True
    if answer.status != 400 or _status(answer) != "INVALID_ARGUMENT":
        return False
    text = api.error_text(answer, "error", "message")
    return topic not in text and "[topics]" not in text
