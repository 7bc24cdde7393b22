"""Addresses of sources: what is accepted, and how the rest is refused, without a secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routestudio.errors import UsageError
from routestudio.sources import registry
from routestudio.sources.kafka import KafkaSource, settings
from routestudio.sources.redis_streams import RedisSource
from routestudio.sources.uri import is_uri, parse, take


def resolve(reference: str) -> str | None:
    return {"${PASSWORD}": "a-secret-word"}.get(reference)


def test_an_address_is_taken_apart() -> None:
    found = parse(
        "kafkas://ann%40x@a.example:9093,[::1],b/orders,customers?group=g%20h&start=", 9092
    )
    assert found.hosts == (("a.example", 9093), ("::1", 9092), ("b", 9092))
    assert (found.path, found.user, found.tls) == ("orders,customers", "ann@x", True)
    assert found.options == {"group": "g h", "start": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kafka://u:pw@h/t?group=g", "the address holds a password"),
        ("kafka://h/t?group=g&password=plain", "the password must be a variable"),
        ("kafka:///t?group=g", "the address names no host"),
        ("kafka://h:99999/t?group=g", "`h:99999` is not a host with a port"),
        ("kafka://h:x/t?group=g", "is not a host with a port"),
        ("kafka://h/t?group=g&group=h", "`group` is given twice"),
        ("kafka://h/t?group", "cannot be read"),
        ("kafka://h/t?group=g#x", "the address cannot be read"),
    ],
)
def test_a_bad_address_is_refused_without_what_is_secret(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse(text, 9092)
    assert "pw" not in str(caught.value)
    assert "plain" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kafka://h/?group=g", "names no topic"),
        ("kafka://h/a/b?group=g", "names no topic"),
        ("kafka://h/t", r"needs \?group="),
        ("kafka://h/t?group=g&strat=x", "`strat` is not an option of kafka://"),
        ("kafka://h/t?group=g&start=now", "`start` must be earliest or latest"),
        ("kafka://h/t?group=g&release=x", "`release` must be a number from 1 to 240"),
        ("kafka://u@h/t?group=g&password=${NOWHERE}", "variable `NOWHERE` is not set"),
        ("kafka://h/t?group=g&password=${PASSWORD}", "a password and no user"),
        ("redis://h/0?group=g", r"needs \?stream="),
        ("redis://h/x?group=g&stream=s", "number of a database"),
        ("redis://a,b/0?group=g&stream=s", "one host"),
        ("redis://h/0?group=g&stream=s&idle=0", "`idle` must be a number from 1"),
    ],
)
async def test_bad_options_are_refused(text: str, message: str) -> None:
    make: Callable[..., object] = KafkaSource if text.startswith("kafka") else RedisSource
    with pytest.raises(UsageError, match=message):
        make(text, resolve)


def test_what_is_not_a_source_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="`ftp://` is not a source") as caught:
        registry.get("ftp://h/t")
    known = "known: kafka://, kafkas://, postgres://, postgresql://, redis://, rediss://"
    assert known in str(caught.value)


def test_what_is_about_reading_is_taken_out_of_an_address() -> None:
    text, found = take("kafka://h/t?group=g&envelope=debezium&key=a%2Cb+c&start=latest",
                       {"envelope", "key"})  # fmt: skip
    assert text == "kafka://h/t?group=g&start=latest"
    assert found == {"envelope": "debezium", "key": "a,b c"}
    assert take("kafka://h/t?key=a", {"key"}) == ("kafka://h/t", {"key": "a"})
    with pytest.raises(UsageError, match="given twice"):
        take("kafka://h/t?key=a&key=b", {"key"})


def test_a_look_needs_no_group() -> None:
    assert settings(parse("kafka://h/t", 9092), resolve, looking=True)["bootstrap.servers"]


def test_the_client_gets_what_the_address_says() -> None:
    uri = parse("kafkas://ann@h/t?group=g&sasl=scram_sha_512&password=${PASSWORD}&ca=/ca.pem", 9092)
    found = settings(uri, resolve)
    assert found["security.protocol"] == "SASL_SSL"
    assert found["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (found["sasl.username"], found["sasl.password"]) == ("ann", "a-secret-word")
    assert found["ssl.ca.location"] == "/ca.pem"
    assert found["enable.auto.commit"] is False
    assert "a-secret-word" not in uri.shown


def test_files_are_no_addresses() -> None:
    assert is_uri("kafka://h/t")
    assert not is_uri("rows.jsonl")
    assert not is_uri("-")
