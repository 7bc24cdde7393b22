"""ElasticMQ as SQS: a second server beside moto's, with limits and refusals of its own.

`packaging/test` puts its jars into `.cache/elasticmq`; settings are those of its documentation
(https://github.com/softwaremill/elasticmq).
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import missing, program

JARS = Path(__file__).parents[2] / ".cache" / "elasticmq"
JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Xshare:auto")
READY_SECONDS = 90.0

_SETTINGS = """\
include classpath("application.conf")
node-address {{ protocol = http, host = "{host}", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "{host}", sqs-limits = strict }}
rest-stats {{ enabled = false }}
aws {{ region = {region}, accountId = {account} }}
"""


@contextmanager
def start_elasticmq(folder: Path) -> Iterator[AwsServer]:
    """Run a server that holds itself to the limits of SQS, until the block ends."""
    java = program("java")
    jars = Path(os.environ.get("ROUTESTUDIO_ELASTICMQ_JARS", JARS))
    if not list(jars.glob("elasticmq-server_*.jar")):
        missing("ElasticMQ")
    port = free_port()
    settings = folder / "elasticmq.conf"
    settings.write_text(_SETTINGS.format(host=LOOPBACK, port=port, region=REGION, account=ACCOUNT))
    command = [java, *JAVA, f"-Dconfig.file={settings}", "-cp", f"{jars}/*"]
    with Child([*command, "org.elasticmq.server.Main"], folder / "elasticmq.log") as child:
        child.wait_ready(lambda: _answers(port), READY_SECONDS)
        yield AwsServer(port, child)
        child.stop(grace=1.0)


def _answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health", timeout=60) as answer:
        return bool(answer.status == 200)
