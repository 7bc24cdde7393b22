"""Servers that only `python -m tests.matrix` starts; without it these tests are not collected."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.ports import LOOPBACK, free_ports
from tests.support.process import Child
from tests.support.require import program

collect_ignore_glob = [] if "ROUTESTUDIO_SERVER" in os.environ else ["test_*.py"]

BASIN = "my-basin-1"
READY_SECONDS = 30.0


class S2Lite:
    """The vendor's own server, in memory, with one basin that creates streams by use."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"

    def ask(self, method: str, path: str, value: object = None) -> object:
        """Send a request for the basin and return the answer."""
        body = None if value is None else json.dumps(value).encode()
        headers = {"content-type": "application/json", "accept": "application/json",
                   "s2-basin": BASIN, "authorization": "Bearer any"}  # fmt: skip
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def create(self, stream: str, **config: object) -> str:
        """Make a stream with these settings, and give back its name."""
        self.ask("POST", "/v1/streams", {"stream": stream, "config": config})
        return stream

    def records(self, stream: str) -> list[str]:
        """The texts of a stream, in order."""
        found: list[str] = []
        while True:
            path = f"/v1/streams/{quote(stream, safe='')}/records?seq_num={len(found)}&clamp=true"
            try:
                answer = self.ask("GET", f"{path}&count=1000&wait=0")
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == 416:  # nothing behind this number, nor to wait for
                        return found
                    raise
            assert isinstance(answer, dict)
            found += [record["body"] for record in answer["records"]]

    def ready(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
            return bool(answer.status == 200)


@pytest.fixture(scope="session")
def s2_lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S2Lite]:
    """s2-lite; the tests of a cell run apart from the network, since it listens everywhere."""
    folder = tmp_path_factory.mktemp("s2-lite")
    settings = folder / "init.json"
    basin = {"name": BASIN, "config": {"create_stream_on_append": True}}
    settings.write_text(json.dumps({"basins": [basin]}))
    [port] = free_ports(1)
    command = [program("s2-lite-server"), "--port", str(port), "--init-file", str(settings)]
    server = S2Lite(port)
    with Child(command, folder / "s2-lite.log", cwd=folder) as child:
        child.wait_ready(server.ready, READY_SECONDS)
        yield server


@pytest.fixture(scope="session")
def kinesis_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """kinesis-local, a second implementation of Kinesis beside moto's."""
    folder = tmp_path_factory.mktemp("kinesis-local")
    plain, tls = free_ports(2)
    values = {"KINESIS_MOCK_PLAIN_PORT": plain, "KINESIS_MOCK_TLS_PORT": tls, "AWS_REGION": REGION,
              "AWS_ACCOUNT_ID": ACCOUNT, "CREATE_STREAM_DURATION": "50ms",
              "LOG_LEVEL": "WARN"}  # fmt: skip
    environment = {**os.environ, **{name: str(value) for name, value in values.items()}}
    main = Path(os.environ["ROUTESTUDIO_KINESIS_LOCAL"]) / "main.js"
    command = [program("node"), str(main)]
    with Child(command, folder / "log", env=environment, cwd=main.parent) as child:
        server = AwsServer(plain, child)
        child.wait_ready(lambda: _streams(server), READY_SECONDS)
        yield server


def _streams(server: AwsServer) -> bool:
    from botocore.exceptions import BotoCoreError

    try:
        return "StreamNames" in server.call("kinesis", "list_streams")
    except BotoCoreError as error:
        raise OSError(str(error)) from None
