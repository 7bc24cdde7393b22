"""No secret leaves the engine in a text, wherever it came from."""

from __future__ import annotations

import socketserver
import threading
from pathlib import Path

import pytest

from routestudio.cli import main
from routestudio.engine.service import EngineService
from routestudio.project.redaction import Redactor

YAML = """\
databases:
  - name: shop
http_endpoints:
  - name: api
    url: https://bob:hunter22@localhost:1/hooks
    encrypted_headers:
      x-tenant: tenant-secret-9
sinks:
  - name: cache
    database: shop
    destination:
      type: redis_string
      host: localhost
      port: 1
      password: literal-password
  - name: hook
    database: shop
    destination:
      type: webhook
      http_endpoint: api
"""


async def test_literal_secrets_of_the_file_are_redacted(tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(YAML)
    (tmp_path / ".env").write_text("SHOP_TOKEN=from-env-file\nSHOP_HOST=plain-host\n")
    async with EngineService() as engine:
        snapshot = await engine.open(str(tmp_path))
        text = engine.redact(
            "literal-password hunter22 tenant-secret-9 from-env-file plain-host localhost"
        )
    assert "plain-host localhost" in text
    for secret in ("literal-password", "hunter22", "tenant-secret-9", "from-env-file"):
        assert secret not in text
        assert secret not in str(snapshot)


@pytest.mark.parametrize(
    ("secret", "echoes"),
    [
        ("https://hooks.example.com/services/T01/B02/CANARY51path",
         ["POST /services/T01/B02/CANARY51path", "CANARY51path", "/services/T01/B02/CANARY51path"]),
        ("https://h.example.com/in?sig=CANARY52sig%3D&v=1", ["CANARY52sig=", "CANARY52sig%3D"]),
        ("amqp://user:pa%40ss55@host/vhost", ["user:pa@ss55", "pa@ss55", "pa%40ss55"]),
        ("user:pa%40ss55", ["user:pa@ss55", "pa@ss55", "pa%40ss55"]),
        ("Endpoint=sb://n/;SharedAccessKeyName=root;SharedAccessKey=CANARY53sak", ["CANARY53sak"]),
    ],
)  # fmt: skip
def test_parts_of_a_secret_are_secrets(secret: str, echoes: list[str]) -> None:
    redactor = Redactor([secret])
    for echo in echoes:
        shown = redactor.redact(f"service said: {echo}!")
        assert "CANARY" not in shown
        assert "ss55" not in shown
    assert (
        redactor.redact("POST /services to host, v=1, root") == "POST /services to host, v=1, root"
    )
    assert redactor.redact_data({"a": [{"b": echoes[0]}], "c": 1.5}) != {"a": [{"b": echoes[0]}]}


PREVIEWED = """\
http_endpoints:
  - name: api
    url: http://${HTTP_USERINFO}@127.0.0.1:1
    headers: {Authorization2: "Bearer ${API_TOKEN}"}
sinks:
  - {name: hook, database: shop, destination: {type: webhook, http_endpoint: api}}
"""
MESSAGE = '{"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "t"}}\n'


async def test_previews_hide_secret_values_whatever_the_header_is_called(tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(PREVIEWED)
    (tmp_path / ".env").write_text("API_TOKEN=CANARY01\nHTTP_USERINFO=user:CANARY%4002\n")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "s.jsonl").write_text(MESSAGE)
    async with EngineService() as engine:
        await engine.open(str(tmp_path))
        rows: list[object] = []
        await engine.preview_all("hook", rows.append, sample="s")
        await engine.preview("hook", sample="s")
        shown = [rows, await engine.rows(0, 5), await engine.row(0)]
        assert "Authorization2" in str(shown)
        assert "CANARY" not in str(shown)
        assert "CANARY" not in engine.redact("echo CANARY01 and CANARY@02 and user:CANARY%4002")


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("HTTP_HOST", "hooks.internal", True), ("HTTP_URL", "http://hooks.internal:8080", True),
        ("HTTP_URL", "http://hooks.internal:8080/base/v1", True),
        ("HTTP_URL", "http://hooks.internal/T0XX/B1cdEFgh", False),
        ("HTTP_URL", "http://user:CANARY1@hooks.internal", False),
        ("HTTP_URL", "http://hooks.internal/?k=CANARY1", False),
        ("HTTP_URL", "CANARY1thing", False), ("HOOK", "http://hooks.internal/services", False),
        ("API_TOKEN", "http://hooks.internal", False), ("HTTP_AUTH", "hooks.internal", False),
    ],
)  # fmt: skip
async def test_previews_show_what_is_no_secret(
    tmp_path: Path, name: str, value: str, shown: bool
) -> None:
    """A host that a variable gives is where messages go, and is worth seeing."""
    (tmp_path / "sequin.yaml").write_text(
        PREVIEWED.replace('"Bearer ${API_TOKEN}"', f"'to ${{{name}}}'")
    )
    (tmp_path / ".env").write_text(f"{name}='{value}'\nHTTP_USERINFO=me:pw5x9z1\n")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "s.jsonl").write_text(MESSAGE)
    async with EngineService() as engine:
        await engine.open(str(tmp_path))
        await engine.preview("hook", sample="s")
        assert (f"to {value}" in str(await engine.row(0))) is shown


def test_nothing_that_is_printed_has_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Redis server that repeats what it was sent, as `run` and `check` show it as text."""
    with EchoingRedis() as server:
        (tmp_path / "sequin.yaml").write_text(
            "sinks:\n  - {name: cache, database: shop, destination: {type: redis_string, "
            f"host: 127.0.0.1, port: {server.port}, password: '${{REDIS_PASSWORD}}'}}}}\n"
        )
        (tmp_path / ".env").write_text("REDIS_PASSWORD=CANARY55thing\n")
        (tmp_path / "m.jsonl").write_text(MESSAGE)
        for command in (["run", str(tmp_path), "cache", "--input", str(tmp_path / "m.jsonl")],
                        ["check", str(tmp_path)]):  # fmt: skip
            assert main.run(command) != 0
            shown = capsys.readouterr()
            assert ("you sent" in shown.err) == (command[0] == "run")
            assert "CANARY" not in shown.out + shown.err


class EchoingRedis:
    """Answers everything with an error that repeats it."""

    def __init__(self) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> EchoingRedis:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            words = b" ".join(data.split())
            self.request.sendall(b"-ERR you sent " + words + b"\r\n")
