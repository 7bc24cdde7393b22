"""The Google Pub/Sub sink: configuration, credentials, records; tokens from a strict server."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from routestudio.derive import starter
from routestudio.errors import ConfigError
from routestudio.model.function import FunctionResult, Language
from routestudio.model.message import Message, message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind, examine
from routestudio.sinks.fields import secret_values
from routestudio.sinks.gcp_pubsub import tokens as google_tokens
from routestudio.sinks.gcp_pubsub.sink import GcpPubSub, ordering_key
from tests.support.http_server import Reply
from tests.support.pubsub_server import PROJECT, Account, GoogleServer, error_reply

EMULATOR = {"project_id": "my-project", "use_emulator": True,
            "emulator_base_url": "http://localhost:8085"}  # fmt: skip
ACCOUNT = Account()
KEY = ACCOUNT.json("https://oauth2.googleapis.com/token")
CLOUD = {"project_id": "my-project", "credentials": KEY}
ADDRESS = "https://pubsub.googleapis.com/v1/projects/my-project/topics/"


def message(number: int = 7, action: str = "insert", **metadata: Any) -> Message:
    return message_from(
        {"action": action, "record": {"id": number, "name": "Zoë"},
         "metadata": {"table_name": "orders", "commit_lsn": number, **metadata}}
    )  # fmt: skip


def encode(values: dict[str, Any], item: Message, result: dict[str, Any] | None = None,
           *, grouping: bool = True) -> Any:  # fmt: skip
    bound = bind(GcpPubSub, values, dynamic=True)
    router = Router(bound, grouping=grouping)
    effective = router.route(item, FunctionResult(result or {}))
    assert effective.ok, effective.problems
    routing: Any = router.instance(effective)
    return GcpPubSub.encode(bound.config, item, routing, Payload(item.as_json()))


# --- configuration ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project_id": "Shop"}, "project_id: must be a project id"),
        ({"project_id": "short"}, "project_id: must be a project id"),
        ({"topic_id": "1abc"}, "topic_id: must start with a letter"),
        ({"topic_id": "ab"}, "topic_id: must start with a letter"),
        ({"topic_id": "a/b/c"}, "topic_id: must start with a letter"),
        ({"topic_id": ""}, "topic_id: is required while routing is static"),
        ({"emulator_base_url": None}, "emulator_base_url: is required with the emulator"),
        ({"emulator_base_url": "localhost:8085"}, "emulator_base_url: must start with http"),
        ({"emulator_base_url": "http://u:p@localhost"}, "must not contain a user name"),
        ({"use_emulator": False}, "credentials: is required without the emulator"),
        ({"credential": "x"}, "did you mean `credentials`"),
    ],
)
def test_a_wrong_destination_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(GcpPubSub, {**EMULATOR, "topic_id": "orders", **change}, dynamic=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "oauth_client"}, "`oauth_client` cannot publish"),
        ({"type": "api_key"}, "`api_key` cannot publish"),
        ({"type": None}, "must have the `type` service_account"),
        ({"type": "authorized_user"}, "must have the `type` service_account"),
        ({"private_key": None}, "`private_key` is missing"),
        ({"client_id": ""}, "`client_id` is missing"),
        ({"private_key_id": 5}, "`private_key_id` must be text"),
        ({"private_key": "hunter2"}, "must be a PEM text"),
        ({"client_email": "me@example.com"}, "must end with .iam.gserviceaccount.com"),
        ({"token_uri": "http://evil.example/token"}, "`token_uri` must be an https URL"),
        ({"token_uri": "http://localhost.evil.example/"}, "`token_uri` must be an https URL"),
        ({"universe_domain": "evil.example/x#"}, "`universe_domain` must be a domain name"),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_wrong_credentials_are_refused_and_not_repeated(
    change: dict[str, Any], words: str, as_text: bool
) -> None:
    key: Any = {**KEY, **change}
    given = json.dumps(key) if as_text else key
    _, problems = examine(GcpPubSub, {**CLOUD, "credentials": given}, dynamic=True)
    assert [problem.field for problem in problems] == ["credentials"]
    assert words in problems[0].message
    assert "PRIVATE KEY-----\nMII" not in str(problems)
    assert "hunter2" not in str(problems)


@pytest.mark.parametrize("text", ["hunter2", "[]", "{", "null", "5", '"x"'])
def test_text_that_is_no_json_map_is_refused(text: str) -> None:
    _, problems = examine(GcpPubSub, {**CLOUD, "credentials": text}, dynamic=True)
    assert problems[0].message == "must be the JSON key of a service account"
    assert problems[0].hint
    assert "hunter2" not in str(problems)


def test_a_map_and_its_text_mean_the_same_and_show_no_key() -> None:
    texts = [
        json.dumps(KEY, indent=2),
        json.dumps(KEY, indent=2).replace("\n", "\u2028"),
        json.dumps(KEY).replace("\\n", "\n"),
        json.dumps({**KEY, "private_key": KEY["private_key"].replace("\n", "\\n"), "new": 1}),
    ]
    wanted = bind(GcpPubSub, CLOUD, dynamic=True).config
    for text in texts:
        config = bind(GcpPubSub, {**CLOUD, "credentials": text}, dynamic=True).config
        assert config == wanted
        middle = KEY["private_key"].splitlines()[1]
        assert middle not in f"{config!r}{config}"
    assert KEY["private_key"].strip() in secret_values(wanted)


def test_the_endpoint_follows_universe_and_override() -> None:
    config = bind(GcpPubSub, CLOUD, dynamic=True).config
    assert str(config.base()) == "https://pubsub.googleapis.com/"
    other = {**CLOUD, "credentials": {**KEY, "universe_domain": "s3nsapis.fr"}}
    assert str(bind(GcpPubSub, other, dynamic=True).config.base()) == "https://pubsub.s3nsapis.fr/"
    regional = {**CLOUD, "endpoint_url": "https://europe-west1-pubsub.googleapis.com"}
    record = encode(regional, message())
    assert record.url.startswith("https://europe-west1-pubsub.googleapis.com/v1/projects/")
    emulated = bind(GcpPubSub, {**EMULATOR, "endpoint_url": "https://x.example"}, dynamic=True)
    assert str(emulated.config.base()) == "http://localhost:8085/"


# --- routing and records ----------------------------------------------------------------------


def test_the_default_topic_has_schema_and_table() -> None:
    router = Router(bind(GcpPubSub, EMULATOR, dynamic=True))
    effective = router.route(message(), FunctionResult({}))
    assert effective.values == {"topic_id": "sequin.public.orders"}
    assert effective.batch_key == ("sequin.public.orders",)
    warned = router.route(message(), FunctionResult({"topic_id": "google-topic"}))
    assert warned.ok
    assert "keeps names that start with `goog`" in warned.warnings[0].message
    assert '"sequin.#{metadata.table_schema}' in starter.starter(GcpPubSub, Language.ELIXIR)


@pytest.mark.parametrize("action", ["insert", "update", "delete", "read"])
def test_a_record_is_a_message_of_a_publish_request(action: str) -> None:
    item = message(action=action)
    record = encode(CLOUD, item, {"topic_id": "orders.eu+1%"})
    wire = json.loads(record.wire)
    assert set(wire) == {"data", "attributes", "orderingKey"}
    assert base64.b64decode(wire["data"], validate=True) == Payload(item.as_json()).json
    assert wire["orderingKey"] == "7"
    trace = wire["attributes"].pop("trace_id")
    assert wire["attributes"] == {"type": "event", "table_name": "orders", "action": action}
    assert record.describe() == {
        "method": "POST",
        "url": ADDRESS + "orders.eu%2B1%25:publish",
        "authorization": "Bearer ••••",
        "data": Payload(item.as_json()).json.decode(),
        "attributes": {"trace_id": trace, "type": "event", "table_name": "orders",
                       "action": action},
        "orderingKey": "7",
    }  # fmt: skip
    assert "authorization" not in encode(EMULATOR, item).describe()
    assert record.size == len(record.wire) + 1


def test_trace_ids_are_stable_and_differ_between_messages() -> None:
    traces = [
        encode(EMULATOR, item).attributes["trace_id"]
        for item in (message(1), message(2), message(1, table_name="other"),
                     message(1, record_pks=["1", "2"]), message(1, idempotency_key="x"),
                     message(1, record_pks=["\ud800"]))
    ]  # fmt: skip
    assert len(set(traces)) == len(traces)
    assert encode(CLOUD, message(1)).attributes["trace_id"] == traces[0]


def test_without_a_group_there_is_no_ordering_key() -> None:
    for record in (encode(EMULATOR, message(), grouping=False),
                   encode(EMULATOR, message(record_pks=[]))):  # fmt: skip
        assert "orderingKey" not in json.loads(record.wire)
        assert "orderingKey" not in record.describe()


def test_a_group_id_that_is_too_long_becomes_its_md5() -> None:
    assert ordering_key("a" * 1024) == "a" * 1024
    assert ordering_key("é" * 512) == "é" * 512
    assert len(ordering_key("é" * 513)) == 32
    long = message(record_pks=["a" * 1025])
    assert json.loads(encode(EMULATOR, long).wire)["orderingKey"] == (
        "ae187e1febee2a150b64849c32d566ca"
    )


# --- tokens -----------------------------------------------------------------------------------


def config_of(server: GoogleServer, **credentials: Any) -> Any:
    values = {"project_id": PROJECT, "endpoint_url": server.url,
              "credentials": {**server.credentials(), **credentials}}  # fmt: skip
    return bind(GcpPubSub, values, dynamic=True).config


def records(config: Any, count: int, topic: str = "orders") -> list[Any]:
    routing = GcpPubSub.Routing(topic_id=topic)
    return [
        GcpPubSub.encode(config, item, routing, Payload(item.as_json()))
        for item in map(message, range(count))
    ]


async def test_one_token_serves_many_requests_at_once(google_server: GoogleServer) -> None:
    google_server.topics["orders"] = True
    config = config_of(google_server)
    link = GcpPubSub.connect(config)
    try:
        found = await asyncio.gather(*(link.send(records(config, 3)) for _ in range(8)))
    finally:
        await link.close()
    assert {outcome.status for outcomes in found for outcome in outcomes} == {"delivered"}
    assert len(google_server.published) == 24
    assert len(google_server.issued) == 1


async def test_a_token_is_replaced_before_it_ends(
    google_server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    google_server.topics["orders"] = True
    config, now = config_of(google_server), [1000.0]
    monkeypatch.setattr(google_tokens, "monotonic", lambda: now[0])
    link = GcpPubSub.connect(config)
    try:
        for later, tokens in ((0, 1), (3299, 1), (2, 2)):
            now[0] += later
            assert (await link.send(records(config, 1)))[0].status == "delivered"
            assert len(google_server.issued) == tokens
    finally:
        await link.close()


async def test_a_token_that_is_no_longer_taken_is_replaced_once(
    google_server: GoogleServer,
) -> None:
    google_server.topics["orders"] = True
    config = config_of(google_server)
    link = GcpPubSub.connect(config)
    try:
        assert (await link.send(records(config, 1)))[0].status == "delivered"
        google_server.tokens.clear()
        assert (await link.send(records(config, 2)))[0].status == "delivered"
        assert len(google_server.issued) == 2
        assert len(google_server.published) == 3
        google_server.issued.clear()
        google_server.tokens.clear()
        google_server.faults_of_rules.clear()
        google_server.account = Account()
        lost = await link.send(records(config, 2))
    finally:
        await link.close()
    assert [(o.status, o.code, o.unreachable, o.unknown) for o in lost] == [
        ("retry", "token", True, False)
    ] * 2
    assert "Invalid JWT Signature" in lost[0].reason


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(503), "HTTP 503"),
        (Reply(200, b"not json"), "HTTP 200"),
        (Reply(200, b'{"access_token": "two words"}'), "HTTP 200"),
        (Reply(cut="before"), "no token from"),
    ],
)
async def test_without_a_token_nothing_is_sent(
    google_server: GoogleServer, reply: Reply, words: str
) -> None:
    config = config_of(google_server)
    google_server.http.script(reply)
    link = GcpPubSub.connect(config)
    try:
        outcomes = await link.send(records(config, 2))
    finally:
        await link.close()
    assert [(o.status, o.unreachable, o.unknown) for o in outcomes] == [("retry", True, False)] * 2
    assert words in outcomes[0].reason
    assert [request.target for request in google_server.http.requests] == ["/token"]


async def test_an_unreadable_private_key_is_said_to_be_one(google_server: GoogleServer) -> None:
    broken = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"
    config = config_of(google_server, private_key=broken)
    link = GcpPubSub.connect(config)
    try:
        steps = [step async for step in link.check([])]
    finally:
        await link.close()
    (failed,) = [step for step in steps if step.status == "failed"]
    assert (failed.step, failed.detail) == (
        "authenticate", "the private key of the credentials cannot be read",
    )  # fmt: skip
    assert "hunter2" not in str(steps)


# --- outcomes ---------------------------------------------------------------------------------


async def outcomes_of(server: GoogleServer, *replies: Reply, count: int = 3) -> list[Any]:
    server.topics["orders"] = True
    server.faults += replies
    config = config_of(server)
    link = GcpPubSub.connect(config)
    try:
        return list(await link.send(records(config, count)))
    finally:
        await link.close()


@pytest.mark.parametrize(
    ("reply", "status", "code", "unknown"),
    [
        (error_reply(429, "RESOURCE_EXHAUSTED", "Quota exceeded"), "retry", "http_429", False),
        (error_reply(503, "UNAVAILABLE", "try later"), "retry", "http_503", False),
        (error_reply(500, "INTERNAL", "oops"), "retry", "http_500", True),
        (error_reply(504, "DEADLINE_EXCEEDED", "slow"), "retry", "http_504", True),
        (error_reply(499, "CANCELLED", "cancelled"), "retry", "http_499", True),
        (error_reply(400, "FAILED_PRECONDITION", "billing"), "retry", "http_400", False),
        (error_reply(400, "INVALID_ARGUMENT", "topic orders"), "rejected", "http_400", False),
        (error_reply(403, "PERMISSION_DENIED", "no"), "rejected", "http_403", False),
        (error_reply(404, "NOT_FOUND", "no topic"), "rejected", "http_404", False),
        (Reply(200, b"<html>a portal</html>"), "retry", "not_pubsub", True),
        (Reply(200, b'{"messageIds": ["1"]}'), "retry", "not_pubsub", True),
        (Reply(cut="before"), "retry", "connection_lost", True),
    ],
)
async def test_a_request_fails_as_a_whole(
    google_server: GoogleServer, reply: Reply, status: str, code: str, unknown: bool
) -> None:
    outcomes = await outcomes_of(google_server, reply)
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [(status, code, unknown)] * 3
    assert not any(o.unreachable for o in outcomes)
    assert all(o.reason for o in outcomes)
    assert google_server.published == []


async def test_the_service_may_say_when_to_come_back(google_server: GoogleServer) -> None:
    reply = Reply(429, b"", (("Retry-After", "7"),))
    assert [o.after for o in await outcomes_of(google_server, reply)] == [7.0] * 3


async def test_a_slow_answer_may_mean_that_it_was_published(google_server: GoogleServer) -> None:
    google_server.topics["orders"] = True
    config = config_of(google_server)
    link: Any = GcpPubSub.connect(config)
    await link.authenticate(link.base)
    google_server.faults.append(Reply(200, delay=30))
    link._client._timeout = link.timeout = 0.5
    try:
        outcomes = await link.send(records(config, 2))
    finally:
        await link.close()
        google_server.http.reset()
    assert [(o.status, o.code, o.unknown) for o in outcomes] == [("retry", "timeout", True)] * 2


async def test_one_message_that_is_refused_does_not_take_the_others_with_it(
    google_server: GoogleServer,
) -> None:
    google_server.topics["orders"] = True
    google_server.refuse_data = '"record":{"id":5,'
    config = config_of(google_server)
    link = GcpPubSub.connect(config)
    sent = records(config, 9)
    try:
        outcomes = await link.send(sent)
    finally:
        await link.close()
    assert [o.status for o in outcomes] == ["delivered"] * 5 + ["rejected"] + ["delivered"] * 3
    assert "too large" in outcomes[5].reason
    arrived = [base64.b64decode(item["data"]) for _, item in google_server.published]
    assert arrived == [record.data for number, record in enumerate(sent) if number != 5]


async def test_what_the_service_repeats_of_the_token_is_hidden(google_server: GoogleServer) -> None:
    google_server.topics["orders"] = True
    config = config_of(google_server)
    link: Any = GcpPubSub.connect(config)
    try:
        token = await link._tokens.get()
        text = f"bad token {token.text} and {KEY['private_key']}"
        google_server.faults.append(error_reply(400, "INVALID_ARGUMENT", text + " for orders"))
        outcomes = await link.send(records(config, 1))
        shown = f"{outcomes}{link!r}{token!r}{link._tokens!r}"
    finally:
        await link.close()
    assert outcomes[0].status == "rejected"
    assert "bad token ••••" in outcomes[0].reason
    assert token.text not in shown
