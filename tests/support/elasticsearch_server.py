"""A real Elasticsearch (one node, without its security), out of the jars that Elastic publishes.

The archive that people install is in no package registry; its jars are, and
`ElasticsearchNode.java` starts a node from them. `python -m tests.matrix` fetches them and names
their folder in ROUTESTUDIO_ELASTICSEARCH_JARS; then the tests of the Elasticsearch sink use this
server instead of OpenSearch.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.support.http_server import Received, Reply, start_http
from tests.support.opensearch_proxy import forward
from tests.support.opensearch_server import LOG, READY, OpenSearchServer, node_settings
from tests.support.ports import free_ports
from tests.support.process import Child
from tests.support.require import missing, program
from tests.support.strict_server import as_json

VARIABLE: Final = "ROUTESTUDIO_ELASTICSEARCH_JARS"

_JAVA: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms128m", "-Xmx512m",
                "-Dlog4j2.disable.jmx=true")  # fmt: skip
_LAUNCHER: Final = Path(__file__).with_name("ElasticsearchNode.java")
_MODULE: Final = ("transport-netty4-", "netty-")
"""How the jars begin that are loaded as a module of the server."""


@contextmanager
def start_elasticsearch(folder: Path, jars: Path) -> Iterator[OpenSearchServer]:
    """Run a server with its data in `folder` until the block ends.

    Its port is that of a front that passes everything on but `GET /`: what answers that is a module
    that is not published by itself. Neither are data streams and security.
    """
    java = program("java")
    found = sorted(jars.glob("elasticsearch-[0-9]*.jar"))
    if not found:
        missing("Elasticsearch")
    version = found[0].stem.removeprefix("elasticsearch-")
    http, transport = free_ports(2)
    server = OpenSearchServer(http, version, "Elasticsearch", data_streams=False)
    classes = _home(folder, jars, version)
    values = node_settings(folder, http, transport) | {
        "http.type": "netty4", "transport.type": "netty4"
    }  # fmt: skip
    log = folder / "config" / "log4j2.properties"
    command = [java, *_JAVA, f"-Dlog4j2.configurationFile={log}", "-cp", classes, str(_LAUNCHER),
               str(folder), *(f"{name}={value}" for name, value in values.items())]  # fmt: skip
    with Child(command, folder / "elasticsearch.log") as child:
        child.wait_ready(server.answers, READY)
        with start_http() as front:
            front.answer = partial(_answer, server)
            yield replace(server, port=front.port)
        child.stop(grace=2.0)


def _home(folder: Path, jars: Path, version: str) -> str:
    """Lay out the folders that the server wants; gives back its class path."""
    for name in ("config", "lib", "plugins"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "config" / "log4j2.properties").write_text(LOG)
    module = folder / "modules" / "transport-netty4"
    module.mkdir(parents=True, exist_ok=True)
    classes = []
    for jar in sorted(jars.glob("*.jar")):
        if jar.name.startswith(_MODULE):
            shutil.copy(jar, module)
        else:
            classes.append(str(jar))
    about = {"name": "transport-netty4", "description": "HTTP", "version": version,
             "elasticsearch.version": version, "java.version": "17",
             "classname": "org.elasticsearch.transport.netty4.Netty4Plugin"}  # fmt: skip
    text = "".join(f"{key}={value}\n" for key, value in about.items())
    (module / "plugin-descriptor.properties").write_text(text)
    return os.pathsep.join(classes)


def _answer(server: OpenSearchServer, request: Received) -> Reply:
    if request.method not in ("GET", "HEAD") or request.target.partition("?")[0] != "/":
        return forward(server.port, request)
    about = {"name": "node", "cluster_name": "routestudio-tests",
             "version": {"number": server.version, "build_flavor": "default"},
             "tagline": "You Know, for Search"}  # fmt: skip
    answer = as_json(200, about)
    return replace(answer, headers=(*answer.headers, ("x-elastic-product", "Elasticsearch")))
