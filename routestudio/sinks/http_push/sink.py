"""The webhook sink: HTTP requests to an endpoint of the project (Sequin's `webhook`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from routestudio import __version__
from routestudio.model.defaults import Const
from routestudio.model.fields import Choice, Difference, Flag, Ref, Routed, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.sinks._shared.http.endpoint import (
    CREDENTIALS,
    METHODS,
    EndpointHeaders,
    EndpointUrl,
    Merged,
    RoutedHeaders,
    UrlRule,
    join,
    merge,
    path_problem,
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
from routestudio.sinks.reading import NoReadBack

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_HEADS: Final = 4096
_DEFAULT_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"routestudio/{__version__}",
}
_NOT_SENT: Final = ("id", "name", "inserted_at", "updated_at", "account_id")
_ELSEWHERE: Final = {
    "local": "RouteStudio cannot deliver to it: a local tunnel belongs to a Sequin server",
    "webhook.site": "RouteStudio cannot deliver to it: the Sequin server makes up its address",
}


class HttpEndpoint(SinkConfig):
    """An entry of `http_endpoints`: where requests go, and the headers they always have."""

    url: Annotated[
        EndpointUrl,
        UrlRule(),
        Ui("URL", "Routed paths are appended to its path", example="https://api.example.com/hook",
           wide=True, card=True),
    ]  # fmt: skip
    headers: Annotated[
        dict[str, str],
        EndpointHeaders(),
        Ui("Headers", "Sent with every request; stored in the project file", group="Headers"),
    ] = Field(default_factory=dict, repr=False)
    encrypted_headers: Annotated[
        dict[str, SecretStr],
        EndpointHeaders(secret=True),
        Ui(
            "Secret headers",
            "Sent with every request; stored outside the project file",
            group="Headers",
        ),
    ] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _explain(cls, values: Any) -> Any:
        """Drop what a server adds to an entry; explain the two kinds that only it can reach."""
        if not isinstance(values, Mapping):
            return values
        kept = {k: v for k, v in values.items() if k not in _NOT_SENT}
        found = [
            InitErrorDetails(
                type=PydanticCustomError(
                    "rule",
                    "{text}",
                    {"text": text, "hint": "give the endpoint a `url` to deliver from here"},
                ),
                loc=(key,),
                input=None,
            )
            for key, text in _ELSEWHERE.items()
            if str(kept.pop(key, False)).lower() == "true"
        ]
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found, hide_input=True)
        return kept

    @cached_property
    def heads(self) -> dict[Any, Head]:
        """Prepared heads of requests by routed values: at most a few thousand."""
        return {}


@dataclass(frozen=True, slots=True, repr=False)
class Head:
    """All of a request but its body, prepared once per destination."""

    method: str
    url: str
    headers: Merged
    gzip: bool


@dataclass(slots=True, repr=False)
class Request:
    """One message for an endpoint. `body` is its JSON; `wrap` puts it into a `data` list.

    Not frozen, because one is made for every message (`model.records`). Not to be changed.
    """

    head: Head
    body: bytes
    wrap: bool

    @property
    def size(self) -> int:
        return len(self.body)

    def describe(self) -> dict[str, Any]:
        head = self.head
        body = self.body.decode("utf-8", "replace")
        found: dict[str, Any] = {
            "method": head.method,
            "url": head.url,
            "headers": dict(head.headers.shown),
            "body": f'{{"data":[{body}]}}' if self.wrap else body,
        }
        if head.gzip:
            found["encoding"] = "gzip"
        if head.headers.notes:
            found["notes"] = list(head.headers.notes)
        return found


class HttpPush(Sink):
    """Send each change to an HTTP API as JSON."""

    key, title, yaml_type = "http_push", "Webhook", "webhook"
    icon = "webhook"
    batch = BatchLimits(messages=1000, default=1)
    keeps_order = True
    """One request holds the whole batch and one answer is about all of it. What is refused for its
    size is sent in parts, from the first to the last."""
    batch_by = ("method", "endpoint_path", "headers")
    standin = "http"
    tool = "curl"
    read_back = NoReadBack(
        "An HTTP endpoint answers with a status, and HTTP has no request for what it was sent.",
        "look at the receiver's own log, or deliver to the stand-in, which shows what arrived",
    )
    differences = (
        Difference(
            "redirects",
            "Only redirects within the endpoint's own scheme, host and port are followed, and only "
            "where the body is kept (307, 308). A Sequin server follows all, with secret headers.",
        ),
        Difference(
            "paths",
            "A path may not name another host or climb above the endpoint's path, and is joined "
            "before the URL's query. A Sequin server checks none of it in dynamic mode.",
            "endpoint_path",
        ),
        Difference(
            "split",
            "When an endpoint refuses a batch with 413, its messages are sent in smaller ones, and "
            "only one that is too large by itself is rejected. A Sequin server repeats the batch.",
        ),
        Difference(
            "header_case",
            "Header names are compared without regard to case, so one value is sent; credentials "
            "of the endpoint are never replaced by a function.",
            "headers",
        ),
        Difference(
            "userinfo",
            "User info in the endpoint's URL is sent as Basic authorization. "
            "A Sequin server drops it on import.",
            "http_endpoint",
        ),
        Difference(
            "answers",
            "408, 425, 429 and 5xx are tried again; other refusals go to the dead letters. "
            "A Sequin server tries all of them again.",
        ),
    )

    class Config(SinkConfig):
        http_endpoint: Annotated[
            HttpEndpoint,
            Ref("http_endpoints", HttpEndpoint),
            Ui("HTTP endpoint", "Where requests go.", example="orders-api", card=True),
        ]
        batch: Annotated[
            bool,
            Flag(),
            Ui("Batch messages", 'On: the body is {"data": [message, ...]}. '
               "Off: one request per message with the message as the body."),
        ] = True  # fmt: skip

    class Routing(SinkRouting):
        method: Annotated[
            str,
            Choice(values=METHODS),
            Routed("HTTP method of the request.", Const("POST"), required=True, example="PUT"),
        ]
        endpoint_path: Annotated[
            str,
            Text(min=0, max=2000, check=path_problem),
            Routed(
                "Path and query, appended to the endpoint's URL.",
                Const(""),
                static=Static.OPTIONAL,
                static_name="http_endpoint_path",
                static_rule=Text(
                    min=0,
                    max=2000,
                    pattern=r"(/[a-zA-Z0-9\-._~!$&'()*+,;=:@%?/]*)?",
                    pattern_text="must be a valid URL path that starts with `/`, or empty",
                    check=path_problem,
                ),
                example="/orders?source=cdc",
                label="Path",
                note="In dynamic mode the configured path is not used.",
            ),
        ] = ""
        headers: Annotated[
            dict[str, str],
            RoutedHeaders(),
            Routed(
                "Headers, merged over those of the endpoint.",
                Const({}),
                example={"X-Source": "cdc"},
                note="Different headers split batches: messages that share all of them travel "
                "together.",
            ),
        ] = Field(default_factory=dict)

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Request:
        endpoint = config.http_endpoint
        headers = routing.headers
        key = (
            routing.method,
            routing.endpoint_path,
            tuple(headers.items()) if headers else (),
        )
        heads = endpoint.heads
        head = heads.get(key)
        if head is None:
            if len(heads) >= _HEADS:
                heads.clear()
            head = heads[key] = _head(endpoint, *key)
        return Request(head, payload.json, config.batch)

    @staticmethod
    def command(config: Any, record: Request) -> ShellCommand:
        from routestudio.sinks._shared.shell import curl, user_of

        head, url = record.head, config.http_endpoint.url
        basic, user = url.basic(), None
        pairs = []
        for name, value in head.headers.pairs:
            if basic is not None and value == basic:
                user = user_of(url)
            else:
                pairs.append((name, value))
        body = b'{"data":[' + record.body + b"]}" if record.wrap else record.body
        through = "gzip -cn" if head.gzip else ""
        return curl(head.method, head.url, pairs, body, user=user, through=through)

    @staticmethod
    def connect(config: Config) -> Link:
        from routestudio.sinks.http_push.link import HttpLink

        endpoint = config.http_endpoint

        def head(routing: Any) -> Head:
            if routing is None:
                return _head(endpoint, "POST", "", ())
            return _head(
                endpoint, routing.method, routing.endpoint_path, tuple(routing.headers.items())
            )

        return HttpLink(endpoint, head)

    @classmethod
    def limits(cls, config: Any, batch_size: int | None) -> BatchLimits:
        return super().limits(config, batch_size if config.batch else 1)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        endpoint = config.http_endpoint
        url = EndpointUrl("http", address.host, address.port, endpoint.url.path, endpoint.url.query)
        plain = {k: v for k, v in endpoint.headers.items() if k.lower() not in CREDENTIALS}
        return cls.Config(http_endpoint=HttpEndpoint(url=url, headers=plain), batch=config.batch)


def _head(
    endpoint: HttpEndpoint, method: str, path: str, headers: tuple[tuple[str, str], ...]
) -> Head:
    merged = merge(
        _DEFAULT_HEADERS,
        endpoint.url.basic(),
        endpoint.headers,
        endpoint.encrypted_headers,
        dict(headers),
    )
    encoding = (merged.get("content-encoding") or "").strip().lower()
    return Head(method, join(endpoint.url, path), merged, encoding == "gzip")
