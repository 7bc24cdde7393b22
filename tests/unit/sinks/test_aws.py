"""What the AWS sinks share: requests within limits, errors as outcomes, calls that end."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import Session
from pydantic import ValidationError

from routestudio.model.outcome import DELIVERED, Outcome, retry, unreachable
from routestudio.sinks._shared.aws import client as aws_client
from routestudio.sinks._shared.aws.client import AwsError, entry_outcome
from routestudio.sinks._shared.aws.fields import AwsConfig, Place, md5
from routestudio.sinks._shared.aws.link import AwsLink, RequestLimits
from routestudio.sinks._shared.http.client import HttpClient, UnansweredError
from routestudio.sinks._shared.http.service import Verdict
from routestudio.sinks.base import Sink
from routestudio.sinks.binding import examine
from routestudio.sinks.sns.sink import Sns
from routestudio.sinks.sqs.sink import Sqs
from tests.support.aws_cases import Route, message
from tests.support.http_server import HttpReceiver, Reply
from tests.support.waiting import until

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


@dataclass(frozen=True)
class Item:
    name: str
    size: int = 10


class ScriptedLink(AwsLink):
    """A link whose requests are answered by a function, and kept."""

    noun, api = "queue", "sqs"
    right = "sqs:SendMessage"
    sending = ("send_message_batch", "QueueUrl", "Entries")
    listing = ("list_queues", {}, "sqs:ListQueues")

    def __init__(self, limits: RequestLimits, answer: Callable[[Item], Outcome | Exception]):
        super().__init__(AwsConfig(region="eu-west-1"), limits)
        self.answer = answer
        self.requests: list[list[str]] = []

    def destination(self, target: Any) -> str:
        return str(target)

    def parse(self, destination: str) -> Place:
        return Place("eu-west-1", destination)

    async def inspect(self, destination: str) -> str | Verdict:
        return destination

    async def put(self, records: Sequence[Item]) -> list[Outcome]:
        self.requests.append([record.name for record in records])
        found = [self.answer(record) for record in records]
        for item in found:
            if isinstance(item, Exception):
                raise item
        return [item for item in found if isinstance(item, Outcome)]


async def sent(
    items: Sequence[Item],
    answer: Callable[[Item], Outcome | Exception] = lambda item: DELIVERED,
    limits: RequestLimits | None = None,
) -> tuple[list[list[str]], list[str]]:
    link = ScriptedLink(limits or RequestLimits(10, 1000), answer)
    outcomes = await link.send(items)
    await link.close()
    return link.requests, [outcome.code or outcome.status for outcome in outcomes]


async def test_requests_hold_so_many_entries_and_bytes() -> None:
    items = [Item(str(number)) for number in range(23)]
    requests, outcomes = await sent(items)
    assert [len(request) for request in requests] == [10, 10, 3]
    assert [name for request in requests for name in request] == [item.name for item in items]
    assert outcomes == ["delivered"] * 23
    sizes = [Item("a", 600), Item("b", 500), Item("c", 400), Item("d", 1000)]
    requests, _ = await sent(sizes)
    assert sorted(map(sorted, requests)) == [["a", "c"], ["b"], ["d"]]


async def test_an_entry_over_the_limit_is_refused_alone() -> None:
    requests, outcomes = await sent([Item("a"), Item("b", 1001), Item("c")])
    assert requests == [["a", "c"]]
    assert outcomes == ["delivered", "too_large", "delivered"]
    limits = RequestLimits(10, 1000, 100)
    assert (await sent([Item("a", 101)], limits=limits))[1] == ["too_large"]


async def test_a_refused_request_is_halved_until_the_culprit_is_found() -> None:
    def answer(item: Item) -> Outcome | Exception:
        if item.name == "5":
            return AwsError("InvalidMessageContents", "bad character", 400)
        return DELIVERED

    requests, outcomes = await sent([Item(str(number)) for number in range(10)], answer)
    assert outcomes == ["delivered"] * 5 + ["InvalidMessageContents"] + ["delivered"] * 4
    delivered = [r for r in requests if "5" not in r]
    assert sorted(name for request in delivered for name in request) == list("012346789")


@pytest.mark.parametrize(
    ("error", "status", "unreachable_"),
    [
        (AwsError("InvalidClientTokenId", "no such key", 403), "retry", True),
        (AwsError("AccessDenied", "not allowed", 403), "rejected", False),
        (AwsError("NotFound", "no such topic", 404), "rejected", False),
        (AwsError("ThrottlingException", "slow", 400, after=2.0), "retry", False),
        (AwsError("InternalError", "oops", 500), "retry", False),
        (AwsError("not_aws", "a proxy", 404, foreign=True), "retry", True),
        (UnansweredError(unreachable("connect", "refused")), "retry", True),
    ],
)
async def test_what_concerns_all_entries_is_said_of_all(
    error: Exception, status: str, unreachable_: bool
) -> None:
    link = ScriptedLink(RequestLimits(10, 1000), lambda item: error)
    outcomes = await link.send([Item("a"), Item("b")])
    await link.close()
    assert link.requests == [["a", "b"]]
    assert {(o.status, o.unreachable) for o in outcomes} == {(status, unreachable_)}
    if isinstance(error, AwsError):
        assert outcomes[0].after == error.after
        assert outcomes[0].unknown == (error.code == "InternalError")
    if status == "rejected" and "Denied" in outcomes[0].code:
        assert "sqs:SendMessage" in outcomes[0].reason


def test_faults_of_entries() -> None:
    assert entry_outcome("InvalidMessageContents", "x", sender_fault=True).status == "rejected"
    assert entry_outcome("RequestThrottled", "x", sender_fault=True).status == "retry"
    assert entry_outcome("InternalError", "", sender_fault=False) == retry(
        "InternalError", "InternalError"
    )


def test_ids_are_those_of_the_reference() -> None:
    assert md5("7") == "8f14e45fceea167a5a36dedd4bea2543"
    assert md5("MTIzNDU2Nzg5OjE=") == "a9f52028877959113b530e36fc160a2c"
    assert md5("a" * 300) == "4e5475d125a33c6190718e75adc1b704"


def test_the_host_is_made_of_api_and_region() -> None:
    config = AwsConfig()
    assert config.endpoint("sqs", "eu-west-1").origin == "https://sqs.eu-west-1.amazonaws.com"
    assert config.endpoint("sns", "cn-north-1").origin == "https://sns.cn-north-1.amazonaws.com.cn"
    local = AwsConfig.model_validate(
        {"use_emulator": True, "emulator_base_url": "http://localhost:4566"}
    )
    assert local.endpoint("sqs", "eu-west-1").origin == "http://localhost:4566"
    unused = AwsConfig.model_validate({"emulator_base_url": "http://localhost:4566"})
    assert unused.endpoint("sqs", "eu-west-1").host.endswith("amazonaws.com")


@pytest.mark.parametrize("api", ["sqs", "sns", "kinesis"])
@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-west-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"]
)
def test_the_host_is_the_one_that_botocore_knows(api: str, region: str) -> None:
    client = Session().create_client(
        api, region_name=region, aws_access_key_id="x", aws_secret_access_key="x"
    )
    with closing(client):
        assert client.meta.endpoint_url == AwsConfig().endpoint(api, region).origin


@pytest.mark.slow
async def test_the_host_is_not_taken_from_a_queues_url(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def exchange(self: Any, method: str, url: str, *more: Any, **named: Any) -> Any:
        asked.append(url)
        raise UnansweredError(unreachable("connect", "not tried"))

    monkeypatch.setattr(HttpClient, "exchange", exchange)
    keys = {"access_key_id": "AKIA", "secret_access_key": "very-secret"}
    for host in ("amazonaws.com", "evil.example", "evil.example:4566"):
        url = f"https://sqs.eu-west-1.{host}/123456789012/orders"
        route = Route(Sqs, {"queue_url": url, **keys})
        link = route.connect()
        assert {outcome.code for outcome in await link.send(route.records(1))} == {"connect"}
        await link.close()
    assert asked == ["https://sqs.eu-west-1.amazonaws.com/"] * 3


async def test_what_is_no_region_is_the_messages_fault() -> None:
    route = Route(Sqs, {"queue_url": "https://sqs.-.amazonaws.com/123456789012/orders"})
    link = route.connect()
    outcomes = await link.send(route.records(1))
    await link.close()
    assert [(o.status, o.code) for o in outcomes] == [("rejected", "region")]


def test_which_keys_are_used() -> None:
    given = {"access_key_id": "AKIA", "secret_access_key": "very-secret"}
    keys = AwsConfig.model_validate(given).keys()
    assert keys is not None
    assert keys.secret.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(keys)
    assert AwsConfig.model_validate({**given, "use_task_role": True}).keys() is None
    assert AwsConfig().keys() is None
    assert AwsConfig(use_emulator=True).keys() is not None


def test_what_must_be_given_together() -> None:
    values = {"queue_url": URL}
    assert examine(Sqs, values, dynamic=False)[1] == ()
    half = examine(Sqs, {**values, "access_key_id": "AKIA"}, dynamic=False)[1]
    assert [problem.field for problem in half] == ["secret_access_key"]
    local = examine(Sqs, {**values, "use_emulator": True}, dynamic=False)[1]
    assert [problem.field for problem in local] == ["emulator_base_url"]
    for region in ("", "eu-west-1/../x", "EU", "eu-west-1.evil.example"):
        with pytest.raises(ValidationError):
            AwsConfig(region=region)


async def test_a_check_without_region_and_targets_says_so() -> None:
    link = Sqs.connect(Sqs.Config())
    steps = [step async for step in link.check([])]
    await link.close()
    assert [(step.step, step.status) for step in steps] == [("authenticate", "inconclusive")]
    assert steps[0].hint


def local(url: str, **values: Any) -> Any:
    config = {"use_emulator": True, "emulator_base_url": url, "access_key_id": "AKIAKEY",
              "secret_access_key": "very-secret-words", **values}  # fmt: skip
    return Sqs.Config.model_validate(config)


def entry(number: int = 1) -> Any:
    return Route(Sqs, {"queue_url": URL}).records(1, number)[0]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"<html>hello</html>"), "not_aws"),
        (Reply(404, b"<html>nothing here very-secret-words</html>"), "not_aws"),
        (Reply(503, b"busy", (("retry-after", "7"),)), "http_503"),
        (Reply(400, b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                    b"<Message>a &lt; b</Message></Error></ErrorResponse>"), "AccessDenied"),
        (Reply(400, b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"}'),
         "QueueDoesNotExist"),
        (Reply(200, b'{"Successful": [], "Failed": []}', (("x-amzn-requestid", "1"),)),
         "unanswered"),
        (Reply(200, b'{"Successful": [{"Id": "zero"}, {"Id": "-0"}], "Failed": [{}]}'),
         "unanswered"),
        (Reply(200, b"[]"), "not_aws"),
        (Reply(200, b""), "not_aws"),
        (Reply(200, b'{"Successful": 5}'), "not_aws"),
        (Reply(cut="before"), "connection_lost"),
    ],
)  # fmt: skip
async def test_answers_that_are_no_success(
    http_receiver: HttpReceiver, reply: Reply, code: str
) -> None:
    http_receiver.default = reply
    link = Sqs.connect(local(http_receiver.url))
    outcome = (await link.send([entry()]))[0]
    await link.close()
    assert outcome.code == code, outcome
    assert outcome.status == ("rejected" if reply.status == 400 else "retry")
    taken = reply.status == 200 and reply.cut is None
    assert outcome.unknown == (taken or code in ("connection_lost", "http_503"))
    assert outcome.unreachable == (reply.status == 404)
    if code == "not_aws":
        assert f"HTTP {reply.status}" in outcome.reason
    assert "very-secret-words" not in outcome.reason
    if code == "http_503":
        assert outcome.after == 7.0
    if code == "AccessDenied":
        assert "a < b" in outcome.reason
    assert len(http_receiver.requests) == 1, "nothing is tried twice within a send"


async def test_a_success_that_can_be_read_needs_no_id_of_the_request(
    http_receiver: HttpReceiver,
) -> None:
    http_receiver.default = Reply(
        200,
        b'{"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Message": "bad", '
        b'"Code": "InvalidMessageContents", "SenderFault": true}]}',
    )
    link = Sqs.connect(local(http_receiver.url))
    outcomes = await link.send([entry(0), entry(1)])
    await link.close()
    assert [(o.status, o.code) for o in outcomes] == [
        ("delivered", ""), ("rejected", "InvalidMessageContents")
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "field"), [(Sqs, "queue_url"), (Sns, "topic_arn")])
def test_characters_that_sqs_refuses_are_escapes_of_json(kind: type[Sink], field: str) -> None:
    place = {"queue_url": URL, "topic_arn": "arn:aws:sns:eu-west-1:123456789012:orders"}[field]
    text = "a\ufffe\uffff\ufffd\U0001fffe\b"
    made = message(1)
    made.record["note"] = text
    record = Route(kind, {field: place}).encode(made)
    assert json.loads(record.body)["record"]["note"] == text
    assert not {"\ufffe", "\uffff", "\b"} & set(record.body)
    assert record.size == len(record.body.encode())


async def test_requests_are_signed_for_the_region_of_the_destination(
    http_receiver: HttpReceiver,
) -> None:
    http_receiver.default = Reply(
        200, b'{"Successful": [{"Id": "0"}], "Failed": []}', (("x-amzn-requestid", "1"),)
    )
    link = Sqs.connect(local(http_receiver.url, region="us-east-1"))
    outcomes = await link.send([entry()])
    await link.close()
    assert outcomes == [DELIVERED]
    request = http_receiver.requests[0]
    signed = request.header("authorization") or ""
    assert "/eu-west-1/sqs/aws4_request" in signed
    assert "AKIAKEY/" in signed
    assert "very-secret-words" not in repr(request.headers)
    assert request.json()["QueueUrl"] == URL
    assert f"127.0.0.1:{http_receiver.port}" == request.header("host")


async def test_no_credentials_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, http_receiver: HttpReceiver
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    config = local(http_receiver.url, use_task_role=True)
    link = Sqs.connect(config)
    outcome = (await link.send([entry()]))[0]
    assert outcome.unreachable
    assert "no AWS credentials were found" in outcome.reason
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    other = Sqs.connect(config)
    outcome = (await other.send([entry()]))[0]
    assert outcome.unreachable
    assert "no-such-profile" in outcome.reason
    await link.close()
    await other.close()
    assert http_receiver.requests == []


async def test_the_task_role_is_the_environments_key(
    monkeypatch: pytest.MonkeyPatch, http_receiver: HttpReceiver
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
    link = Sqs.connect(local(http_receiver.url, use_task_role=True))
    await link.send([entry()])
    await link.close()
    assert "AKIAENVIRONMENT/" in (http_receiver.requests[0].header("authorization") or "")


async def ended(before: int) -> bool:
    """Whether no more threads than before are left soon, but for the resolver's."""
    for _ in range(250):
        if threading.active_count() <= before + 1:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_calls_need_no_threads(http_receiver: HttpReceiver) -> None:
    http_receiver.default = Reply(200, b'{"Successful": [{"Id": "0"}], "Failed": []}')
    before = threading.active_count()
    link = Sqs.connect(local(http_receiver.url))
    assert await link.send([entry()]) == [DELIVERED]
    assert await ended(before), "the search for credentials is over"
    found = await asyncio.gather(*(link.send([entry(number)]) for number in range(40)))
    assert found == [[DELIVERED]] * 40
    aws = [thread.name for thread in threading.enumerate() if thread.name.startswith("aws ")]
    await link.close()
    assert aws == []


async def test_closing_ends_calls_that_wait(silent_port: int) -> None:
    link: Any = Sqs.connect(local(f"http://127.0.0.1:{silent_port}"))
    sending = [asyncio.ensure_future(link.send([entry(number)])) for number in range(40)]
    connections = link._client._open()
    await until(lambda: len(connections._all) == 40)
    await link.close()
    async with asyncio.timeout(5):
        found = await asyncio.gather(*sending)
    assert {outcome.status for outcomes in found for outcome in outcomes} == {"retry"}
    await link.close()


async def test_closing_ends_calls_that_wait_for_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches, go_on = [], threading.Event()

    def found(name: str, *more: Any) -> Any:
        searches.append(name)
        assert go_on.wait(30)
        raise OSError("nobody waits for this")

    monkeypatch.setattr(aws_client, "_found", found)
    before = threading.active_count()
    link = Sqs.connect(local("http://127.0.0.1:9"))
    sending = [asyncio.ensure_future(link.send([entry(number)])) for number in range(5)]
    await until(lambda: bool(searches))
    await link.close()
    try:
        async with asyncio.timeout(5):
            outcomes = [found[0] for found in await asyncio.gather(*sending)]
    finally:
        go_on.set()
    assert {(o.status, o.code, o.unknown) for o in outcomes} == {("retry", "closed", False)}
    assert searches == ["sqs"], "one search for all"
    assert await ended(before)


@pytest.mark.parametrize("error", [OSError("cannot be read"), RuntimeError("still expired")])
async def test_a_search_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def found(*given: Any) -> Any:
        raise error

    monkeypatch.setattr(aws_client, "_found", found)
    link = Sqs.connect(local("http://127.0.0.1:9"))
    (outcome,) = await link.send([entry()])
    await link.close()
    assert (outcome.code, outcome.unreachable) == ("credentials", True)
    assert str(error) in outcome.reason


async def test_credentials_are_replaced_before_they_end(
    monkeypatch: pytest.MonkeyPatch, http_receiver: HttpReceiver
) -> None:
    """While old ones still hold nobody waits for new ones; when they are about to end, all do."""
    http_receiver.default = Reply(200, b'{"Successful": [{"Id": "0"}], "Failed": []}')
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    number, may_go_on = 0, threading.Event()
    may_go_on.set()

    def renewed() -> dict[str, str]:
        nonlocal number
        assert may_go_on.wait(30)
        number += 1
        ends = (now + dt.timedelta(hours=1)).isoformat()
        return {"access_key": f"AKIA{number}", "secret_key": "s", "token": "t", "expiry_time": ends}

    credentials = RefreshableCredentials.create_from_metadata(renewed(), renewed, "a test")
    credentials._time_fetcher = lambda: now
    monkeypatch.setattr(Session, "get_credentials", lambda session: credentials)
    link: Any = Sqs.connect(local(http_receiver.url, use_task_role=True))

    async def signer() -> str:
        assert await link.send([entry()]) == [DELIVERED]
        signed = http_receiver.requests[-1].header("authorization") or ""
        return signed.partition("Credential=")[2].partition("/")[0]

    assert await signer() == "AKIA1"
    now += dt.timedelta(minutes=50)
    may_go_on.clear()
    assert await signer() == "AKIA1", "new ones are looked for meanwhile"
    may_go_on.set()
    await until(lambda: link._aws._finding.done())
    assert await signer() == "AKIA2"
    now += dt.timedelta(minutes=59, seconds=30)
    assert await signer() == "AKIA3", "the second ones end in half a minute"
    await link.close()


@pytest.mark.slow
async def test_a_cancelled_send_leaves_no_thread(silent_port: int) -> None:
    before = threading.active_count()
    link = Sqs.connect(local(f"http://127.0.0.1:{silent_port}"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await link.send([entry()])
    await link.close()
    assert await ended(before)
