"""A real OpenSearch server (one node, no security plugin), and readers that know no sink.

`packaging/test` puts the server's jars into `.cache/opensearch`. Settings are those of the
OpenSearch documentation, "Configuring OpenSearch" and "Index settings".
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.ports import LOOPBACK, free_ports
from tests.support.process import Child
from tests.support.require import missing, program

JARS: Final = Path(__file__).parents[2] / ".cache" / "opensearch"
READY: Final = 60.0
DENIED: Final = "denied"
"""Prefix of the indexes that the server never creates by itself."""

_JAVA: Final = (
    "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms128m", "-Xmx384m", "-Xshare:auto",
    # Version 2 confines itself with a security manager, which Java 17 and later only allow so.
    "-Djava.security.manager=allow",
    # Without native code it cannot lock memory, and does not ask who the user is: it would not
    # start for root.
    "-Djna.nounpack=true", "-Djna.nosys=true", "-Djna.noclasspath=true",
    "-Dlog4j2.disable.jmx=true",
    "-Dopensearch.distribution.type=tar", "-Dopensearch.bundled_jdk=false",
)  # fmt: skip

_PLUGIN: Final = """name=transport-netty4
description=HTTP and transport
version={version}
opensearch.version={version}
java.version=11
classname=org.opensearch.transport.Netty4Plugin
"""
_POLICY: Final = """grant {
  permission java.lang.RuntimePermission "*";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
  permission java.net.NetPermission "*";
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.util.PropertyPermission "*", "read,write";
};
"""
LOG: Final = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True)
class OpenSearchServer:
    """A running server. Indexes are created by use, but those that start with `denied`."""

    port: int
    version: str
    product: str = "OpenSearch"
    data_streams: bool = True
    """Whether data streams can be made."""

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        """Send a request and return its JSON answer; raises `HTTPError` when it is refused."""
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(
            self.url + path, body, {"content-type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def create_index(self, name: str, **types: str) -> str:
        """Create an index whose fields have these types; gives back its name."""
        fields = {field: {"type": kind} for field, kind in types.items()}
        one = {"number_of_shards": 1, "number_of_replicas": 0}
        self.ask("PUT", f"/{name}", {"settings": one, "mappings": {"properties": fields}})
        return name

    def documents(self, index: str) -> dict[str, Any]:
        """Every document of an index by its id; none when the index does not exist."""
        try:
            self.ask("POST", f"/{index}/_refresh")
            found = self.ask("POST", f"/{index}/_search", {"size": 10_000})
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return {}
        return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}

    def indexes(self) -> set[str]:
        """The names of all indexes."""
        return {name for name in self.ask("GET", "/_all?expand_wildcards=all")
                if not name.startswith(".")}  # fmt: skip

    def clear(self) -> None:
        """Delete all indexes, data streams and templates of data streams."""
        if self.data_streams:
            self.ask("DELETE", "/_data_stream/*")
        self.ask("DELETE", "/_index_template/*")
        for name in self.ask("GET", "/_all?expand_wildcards=all"):
            self.ask("PUT", f"/{name}/_settings", {"index.blocks.read_only": None})
            self.ask("DELETE", f"/{name}")

    def answers(self) -> bool:
        """Whether it is up and has a node that takes writes."""
        found = self.ask("GET", "/_cluster/health?local=true")
        return found["status"] in ("green", "yellow")


@contextmanager
def start_opensearch(folder: Path, port: int | None = None) -> Iterator[OpenSearchServer]:
    """Run a server with its data in `folder` until the block ends. Used again, the data is back."""
    java = program("java")
    jars = Path(os.environ.get("ROUTESTUDIO_OPENSEARCH_JARS", JARS))
    found = sorted(jars.glob("opensearch-[0-9]*.jar"))
    if not found:
        missing("OpenSearch")
    version = found[0].stem.removeprefix("opensearch-")
    http, transport = free_ports(2)
    server = OpenSearchServer(port or http, version)
    classes = _home(folder, jars, version)
    _settings(folder, server.port, transport)
    (folder / "tmp").mkdir(exist_ok=True)
    command = [java, *_JAVA, f"-Djava.io.tmpdir={folder / 'tmp'}",
               f"-Dopensearch.path.home={folder}",
               f"-Dopensearch.path.conf={folder / 'config'}", "-cp", classes,
               "org.opensearch.bootstrap.OpenSearch"]  # fmt: skip
    with Child(command, folder / "opensearch.log") as child:
        child.wait_ready(server.answers, READY)
        yield server
        child.stop(grace=2.0)


def _home(folder: Path, jars: Path, version: str) -> str:
    """Lay out the folders that the server wants; gives back its class path.

    No class may be both on the class path and in a module (the server looks for that).
    """
    module = folder / "modules" / "transport-netty4"
    module.mkdir(parents=True, exist_ok=True)
    for name in ("config", "plugins"):
        (folder / name).mkdir(exist_ok=True)
    classes = []
    for jar in sorted(jars.glob("*.jar")):
        if not jar.name.startswith(("netty-", "transport-netty4-")):
            classes.append(str(jar))
        elif not (module / jar.name).exists():
            shutil.copy(jar, module)
    (module / "plugin-descriptor.properties").write_text(_PLUGIN.format(version=version))
    (module / "plugin-security.policy").write_text(_POLICY)
    (folder / "config" / "log4j2.properties").write_text(LOG)
    return os.pathsep.join(classes)


def _settings(folder: Path, http: int, transport: int) -> None:
    values = node_settings(folder, http, transport)
    text = "".join(f'{name}: "{value}"\n' for name, value in values.items())
    (folder / "config" / "opensearch.yml").write_text(text)


def node_settings(folder: Path, http: int, transport: int) -> dict[str, object]:
    """The settings of a node that is alone, for OpenSearch and Elasticsearch."""
    return {
        "cluster.name": "routestudio-tests",
        "discovery.type": "single-node",
        "network.host": LOOPBACK,
        "http.port": http,
        "transport.port": transport,
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "action.auto_create_index": f"-{DENIED}*,+*",
        "http.max_content_length": "2mb",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
