"""What `plan` and `diff` say: settings that differ, rows that end elsewhere, nothing secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.app import main
from routestudio.engine import management
from routestudio.errors import LinkError, UsageError
from tests.support.certificates import Authority
from tests.support.http_server import Reply, start_http
from tests.support.projects import region_rows, write_project
from tests.support.sequin_api import SequinApi
from tests.support.sequin_model import SequinModel

TEXT = """\
databases:
  - name: shop
    hostname: db
    database: shop
    password: ${DB_PASSWORD}
    slot: {name: s}
    publication: {name: p}
http_endpoints:
  - name: hooks
    url: https://user@hooks.example.com:443/in
    encrypted_headers: {Authorization: "Bearer ${TOKEN}"}
functions:
  - name: by-region
    type: routing
    sink_type: kafka
    code: |
      def route(action, record, changes, metadata) do
        %{topic: "orders." <> (record["region"] || "none")}
      end
sinks:
  - name: orders
    database: shop
    routing: by-region
    enrichment: none
    destination: {type: kafka, hosts: "${HOSTS:-k:9092}", compression: none,
                  username: u, sasl_mechanism: plain, password: "${KAFKA_PASSWORD}"}
  - name: hook
    database: shop
    enrichment: none
    table: orders
    destination: {type: webhook, http_endpoint: hooks}
"""
SECRETS = {
    "DB_PASSWORD": "db-hunter2-secret",
    "TOKEN": "token-hunter2",
    "KAFKA_PASSWORD": "hunter2",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    write_project(folder, TEXT, {}, region_rows())
    return folder


def server_file(folder: Path, text: str = TEXT, *, show_sensitive: bool = False) -> Path:
    model = SequinModel()
    model.apply(text, SECRETS)
    path = folder / "server.yaml"
    path.write_text(model.export(show_sensitive=show_sensitive))
    return path


def plan(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    code = main(["plan", *map(str, arguments), "--format", "json"])
    found = capsys.readouterr()
    assert "hunter2" not in found.out + found.err
    return code, json.loads(found.out) if found.out else None, found.err


@pytest.mark.parametrize("show", [False, True])
def test_nothing_differs_from_what_the_server_made_of_the_project(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], show: bool
) -> None:
    other = server_file(tmp_path, show_sensitive=show)
    code, found, _ = plan(capsys, project, "--against", other)
    assert (code, found["changes"]) == (0, [])
    assert [(o["sink"], o["rows"], o["changed"]) for o in found["outcomes"]] == [
        ("orders", 120, 0), ("hook", 120, 0)
    ]  # fmt: skip
    hidden = [i["field"] for i in found["uncompared"]]
    assert hidden == ([] if show else ["password", "encrypted_headers.Authorization",
                                       "destination.password"])  # fmt: skip


def test_settings_and_rows_that_change_are_told(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXT.replace("k:9092", "old:9092").replace('"orders."', '"o."')
    text = text.replace("enrichment: none\n", "enrichment: none\n    batch_size: 7\n", 1)
    other = server_file(tmp_path, text)
    code, found, _ = plan(capsys, project, "--against", other)
    assert code == 1
    function, sink = found["changes"]
    assert (function["section"], function["name"], function["action"]) == (
        "functions", "by-region", "changed"
    )  # fmt: skip
    assert [f["field"] for f in function["fields"]] == ["code"]
    assert [(f["field"], f["old"], f["new"], f["kept"]) for f in sink["fields"]] == [
        ("batch_size", 7, 1, True), ("destination.hosts", "old:9092", "k:9092", False)
    ]  # fmt: skip
    orders, hook = found["outcomes"]
    assert (orders["changed"], orders["kinds"], hook["changed"]) == (120, {"moved": 120}, 0)
    assert {(m["from"], m["to"], m["rows"]) for m in orders["moves"]} == {
        ("o.EU", "orders.EU", 40), ("o.US", "orders.US", 40), ("o.none", "orders.none", 40)
    }  # fmt: skip
    first = orders["examples"][0]
    assert (first["index"], first["from"]["destination"], first["to"]["destination"]) == (
        0, "o.EU", "orders.EU"
    )  # fmt: skip
    assert len(orders["examples"]) == 20


def test_a_changed_secret_is_told_and_never_shown(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = server_file(tmp_path)
    monkeypatch.setenv("KAFKA_PASSWORD", "another-hunter2")
    code, found, _ = plan(capsys, project, "--against", other)
    field = found["changes"][0]["fields"][0]
    assert (code, field["field"], field["secret"]) == (1, "destination.password", True)
    assert field["old"] == field["new"] == "••••"


def test_an_unset_variable_is_no_difference(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = server_file(tmp_path)
    monkeypatch.delenv("KAFKA_PASSWORD")
    code, found, _ = plan(capsys, project, "--against", other)
    assert (code, found["changes"]) == (0, [])
    reasons = {i["field"]: i["reason"] for i in found["uncompared"]}
    assert reasons["destination.password"] == "variable KAFKA_PASSWORD not set"


def test_a_new_name_is_suspected_and_its_rows_are_compared(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXT.replace("name: orders\n", "name: old-orders\n").replace("by-region", "regions")
    other = server_file(tmp_path, text)
    code, found, _ = plan(capsys, project, "--against", other)
    actions = [(c["name"], c["action"], c["renamed_from"]) for c in found["changes"]]
    assert (code, actions) == (1, [
        ("by-region", "added", "regions"), ("regions", "removed", None),
        ("orders", "added", "old-orders"), ("old-orders", "removed", None),
    ])  # fmt: skip
    assert [(f["field"], f["old"], f["new"]) for f in found["changes"][2]["fields"]] == [
        ("routing", "regions", "by-region")
    ]
    assert [(o["sink"], o["was"], o["changed"]) for o in found["outcomes"]] == [
        ("orders", "old-orders", 0), ("hook", "hook", 0)
    ]  # fmt: skip


def test_text_output_reads_well(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = server_file(tmp_path, TEXT.replace('"orders."', '"o."'))
    assert main(["plan", str(project), "--against", str(other), "--sample", "rows"]) == 1
    text = capsys.readouterr().out
    assert "~ function by-region\n    code:\n" in text
    assert '+  %{topic: "orders." <> (record["region"] || "none")}\n' in text
    assert "120 rows: 120 go elsewhere\n    40 x o.EU → orders.EU\n" in text
    assert f"compared with {other}: 1 changed; 120 rows with a different destination\n" in text


@pytest.mark.parametrize("arguments", [
    [], ["--against", "no-such.yaml"], ["--against", "PROJECT", "--server", "http://x"],
    ["--against", "PROJECT", "--input", "-"], ["--against", "PROJECT", "--sample", "none"],
    ["--against", "PROJECT", "--input", "no-such.jsonl"], ["--server", "ftp://x"],
    ["--server", "https://u:hunter2@x"],
])  # fmt: skip
def test_bad_usage_ends_with_2_and_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    arguments = [str(project) if item == "PROJECT" else item for item in arguments]
    code, found, error = plan(capsys, project, *arguments)
    assert (code, found, error.count("\n")) == (2, None, 1)


# --- the server ----------------------------------------------------------------------------------


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[SequinApi]:
    monkeypatch.setenv(management.TOKEN, "api-hunter2-token")
    with start_http() as receiver:
        server = SequinApi(receiver, "api-hunter2-token")
        server.model.apply(TEXT, SECRETS)
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
def test_a_server_is_asked_once_and_for_no_secret(
    api: SequinApi, project: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    code, found, error = plan(capsys, project, "--server", api.url + suffix)
    assert (code, found["changes"], error) == (0, [], "")
    assert [(r.method, r.target) for r in api.receiver.requests] == [
        ("GET", "/api/config/export?show-sensitive=false")
    ]


FAULTS = {
    "wrong token": (Reply(401, b'{"summary": "no such token"}'), "refuses the token: no such"),
    "forbidden": (Reply(403), "refuses the token"),
    "old server": (Reply(404, b'{"summary": "Not found"}'), "no configuration export"),
    "a console": (Reply(200, b"<html>"), "not an export of a Sequin server"),
    "other JSON": (Reply(200, b'{"data": []}'), "not an export of a Sequin server"),
    "elsewhere": (Reply(302, headers=(("Location", "https://a.example/x?y=hunter2"),)),
                  "sends elsewhere (https://a.example)"),
    "busy": (Reply(429), "asked too often"),
    "broken": (Reply(500, b'{"summary": "oh api-hunter2-token"}'), "the server fails (HTTP 500)"),
    "bad YAML": (Reply(200, b'{"yaml": "a: [b"}'), "cannot be read"),
    "cut": (Reply(200, b'{"yaml": ""}', cut="body"), "ended early"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_server_answers_instead_is_said(
    api: SequinApi, project: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    reply, text = FAULTS[fault]
    api.receiver.script(reply)
    code, found, error = plan(capsys, project, "--server", api.url)
    assert (code, found) == (2, None)
    assert text in error
    assert error.count("\n") == 1


def test_a_token_is_needed_and_comes_from_the_environment(
    api: SequinApi, project: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv(management.TOKEN, "wrong")
    assert "refuses the token" in plan(capsys, project, "--server", api.url)[2]
    monkeypatch.delenv(management.TOKEN)
    assert "SEQUIN_API_TOKEN is not set" in plan(capsys, project, "--server", api.url)[2]
    assert len(api.receiver.requests) == 1


async def test_a_silent_server_ends_at_the_deadline(api: SequinApi) -> None:
    api.receiver.script(Reply(200, delay=30))
    with pytest.raises(LinkError, match="no answer within"):
        await management.exported(api.url, "token", timeout=0.2)
    api.receiver.reset()


async def test_nobody_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(LinkError, match="no connection"):
            await management.exported(f"http://127.0.0.1:{taken.getsockname()[1]}", "token")


async def test_certificates_are_verified(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_http(ca) as receiver:
        server = SequinApi(receiver, "t")
        with pytest.raises(LinkError, match="certificate is not trusted"):
            await management.exported(server.url, "t")
        assert receiver.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
        assert await management.exported(server.url, "t") == server.model.export()


@pytest.mark.parametrize("token", ["", "  ", "two words", "a\nb", "é"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="SEQUIN_API_TOKEN"):
        management.token_of({management.TOKEN: token})


# --- diff ------------------------------------------------------------------------------------


def changed(project: Path, old: str, new: str) -> Path:
    other = project.parent / "other"
    other.mkdir()
    write_project(other, TEXT.replace(old, new), {}, region_rows())
    return other


def diff(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[Any], str]:
    code = main(["diff", *map(str, arguments), "--format", "json"])
    found = capsys.readouterr()
    return code, [json.loads(line) for line in found.out.splitlines()], found.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("x", "x", {}),
        ('"none"', '"nowhere"', {"moved": 40}),
        ('<> (record["region"] || "none")', '<> record["region"]', {"failed": 40}),
        ("    routing: by-region\n    enrich",
         "    routing: by-region\n    actions: [insert]\n    enrich", {"filtered": 60}),
        ("%{topic:", '%{message_key: "k", topic:', {"content": 120}),
        ("enrichment: none\n    destination: {type: k", "transform: t\n    destination: {type: k",
         {"content": 120}),
    ],
)  # fmt: skip
def test_rows_are_told_by_what_becomes_of_them(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, kinds: dict[str, int]
) -> None:
    more = "functions:\n  - {name: t, type: path, path: record.id}\n"
    (project / "sequin.yaml").write_text(TEXT.replace("functions:\n", more))
    other = changed(project, old, new)
    text = (other / "sequin.yaml").read_text().replace("functions:\n", more)
    (other / "sequin.yaml").write_text(text)
    rows = project / "samples" / "rows.jsonl"
    code, lines, _ = diff(capsys, project, other, "orders", "--input", rows)
    assert lines[-1]["summary"]["kinds"] == kinds
    assert code == (1 if kinds else 0)
    assert len(lines) == sum(kinds.values()) + 1
    back, reverse, _ = diff(capsys, other, project, "orders", "--input", rows)
    assert (back, len(reverse)) == (code, len(lines))


def test_a_difference_in_form_only_is_none(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same route in Python gives the same rows."""
    other = changed(project, "by-region\n    type", "by-region\n    language: python\n    type")
    text = (other / "sequin.yaml").read_text()
    start = text.index("      def route")
    end = text.index("sinks:")
    code = ("      def route(action, record, changes, metadata):\n"
            '          return {"topic": f"orders.{record[\'region\'] or \'none\'}"}\n')  # fmt: skip
    (other / "sequin.yaml").write_text(text[:start] + code + text[end:])
    rows = project / "samples" / "rows.jsonl"
    assert diff(capsys, project, other, "orders", "--input", rows)[0] == 0


def test_diff_in_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(project, '"none"', '"nowhere"')
    rows = project / "samples" / "rows.jsonl"
    assert main(["diff", str(project), str(other), "orders", "--input", str(rows)]) == 1
    found = capsys.readouterr()
    assert found.out.splitlines()[0] == "row 2 delete 2: orders.none → orders.nowhere"
    assert found.err == "120 rows: 40 go elsewhere\n  40 x orders.none → orders.nowhere\n"


@pytest.mark.parametrize("arguments", [
    ["PROJECT", "PROJECT", "no-such", "--input", "ROWS"],
    ["PROJECT", "no-such", "orders", "--input", "ROWS"],
    ["PROJECT", "PROJECT", "orders", "--input", "no-such"],
])  # fmt: skip
def test_diff_refuses_bad_usage(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    names = {"PROJECT": project, "ROWS": project / "samples" / "rows.jsonl"}
    code, lines, error = diff(capsys, *(names.get(item, item) for item in arguments))
    assert (code, lines, error.count("\n")) == (2, [], 1)
