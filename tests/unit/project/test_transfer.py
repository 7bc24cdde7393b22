"""Import and export: nothing secret is written, nothing is lost, nothing leaves the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from routestudio.errors import ConfigError, ProjectError, RouteStudioError
from routestudio.project.environment import Environment
from routestudio.project.store import OpenProject
from routestudio.project.transfer import export_routestudio, export_sequin, import_file
from tests.unit.project.conftest import CODE, ROW, TEXT, TYPES, secret_keys

SERVER = """\
# From a server.
databases:
  - name: shop
    hostname: db
    password: "db-hunter2"   # of the database
    primary:
      url: postgres://u:primary-hunter2@db/shop
api_tokens:
  - name: ci
    token: token-hunter2
http_endpoints:
  - name: hooks
    url: https://example.com
    headers: {X-Plain: shown}
    encrypted_headers:
      X-Key: header-hunter2
      Authorization: Bearer ${TOKEN}
  - name: listed
    url: https://example.com
    encrypted_headers:
      - key: X-Key
        value: listed-hunter2
functions:
  - name: f
    type: routing
    sink_type: http_push
    code: |
      def route(action, record, changes, metadata) do
        %{}
      end
sinks:
  - name: a-b
    database: shop
    routing: f   # dynamic
    destination: {type: kafka, hosts: "h:1", username: user, password: kafka-hunter2}
  - name: a_b
    database: shop
    destination:
      type: kafka
      hosts: ${A_B_HOSTS}
      password: 'pa$word hunter2'
      aws_secret_access_key: ${A_B_AWS_SECRET_ACCESS_KEY}
  - name: other
    database: shop
    destination:
      type: nats
      nkey_seed: nkey-hunter2
      host: h
"""


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_an_import_moves_every_literal_secret_out_of_the_file(tmp_path: Path) -> None:
    source = tmp_path / "server.yaml"
    source.write_text(SERVER)
    output = tmp_path / "project"
    written = import_file(source, output, TYPES, secret_keys)
    assert set(written) == {output / ".env", output / "sequin.yaml"}
    text = (output / "sequin.yaml").read_text()
    assert "hunter2" not in text
    assert source.read_text() == SERVER
    environment = Environment(output, environ={"TOKEN": "t"})
    data = environment.resolve(parsed(text))
    assert data["databases"][0]["password"] == "db-hunter2"
    assert data["databases"][0]["primary"]["url"] == "postgres://u:primary-hunter2@db/shop"
    assert data["api_tokens"][0]["token"] == "token-hunter2"
    assert data["http_endpoints"][0]["encrypted_headers"] == {
        "X-Key": "header-hunter2", "Authorization": "Bearer t"
    }  # fmt: skip
    assert data["http_endpoints"][1]["encrypted_headers"][0]["value"] == "listed-hunter2"
    assert [s["destination"].get("password") for s in data["sinks"]] == [
        "kafka-hunter2", "pa$word hunter2", None
    ]  # fmt: skip
    assert data["sinks"][2]["destination"]["nkey_seed"] == "nkey-hunter2"
    assert "Authorization: Bearer ${TOKEN}\n" in text
    assert "   # of the database\n" in text
    assert "aws_secret_access_key: ${A_B_AWS_SECRET_ACCESS_KEY}\n" in text
    assert (output / ".env").stat().st_mode & 0o777 == 0o600
    assert ".env" in (output / ".gitignore").read_text().splitlines()


def test_a_masked_secret_is_refused_with_its_place(tmp_path: Path) -> None:
    source = tmp_path / "server.yaml"
    source.write_text(SERVER.replace("nkey-hunter2", "nke*********2"))
    with pytest.raises(ProjectError, match="masked secret") as caught:
        import_file(source, tmp_path / "project", TYPES, secret_keys)
    assert "line 47, column 7" in str(caught.value)
    assert not (tmp_path / "project").exists()


def test_a_folder_with_files_is_not_imported_into(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "server.yaml"
    source.write_text(SERVER)
    with pytest.raises(ProjectError, match="not empty"):
        import_file(source, folder, TYPES, secret_keys)
    assert (folder / "sequin.yaml").read_text() == TEXT


@pytest.mark.parametrize("file", ["../outside.ex", "/etc/passwd", "functions/f.ex"])
def test_function_files_are_taken_along_from_beside_only(tmp_path: Path, file: str) -> None:
    (tmp_path / "outside.ex").write_text("outside secret")
    beside = tmp_path / "in"
    (beside / "functions").mkdir(parents=True)
    (beside / "functions" / "f.ex").write_text("def f")
    source = beside / "sequin.yaml"
    source.write_text(f"functions:\n  - name: f\n    type: filter\n    file: {file}\n")
    import_file(source, tmp_path / "deep" / "project", TYPES, secret_keys)
    texts = [p.read_text() for p in (tmp_path / "deep").rglob("*") if p.is_file()]
    assert ("def f" in texts) == (file == "functions/f.ex")
    assert "outside secret" not in texts
    assert len(texts) == 1 + (file == "functions/f.ex")


def elixir(folder: Path, text: str = TEXT) -> OpenProject:
    """The project with an Elixir form of its routing function, in a file of its own."""
    (folder / "functions" / "by_region.ex").write_text("def route(a) do\n  %{}\nend\n")
    (folder / "sequin.yaml").write_text(text.replace("language: python", "language: elixir")
                                        .replace("by_region.py", "by_region.ex"))  # fmt: skip
    return OpenProject.open(folder, TYPES)


def always(kind: str) -> dict[str, Any]:
    return {"compression": "none"} if kind == "kafka" else {}


def test_an_export_is_what_a_server_accepts(folder: Path) -> None:
    before = (folder / "sequin.yaml").read_bytes()
    project = elixir(folder)
    text = export_sequin(project, always, secret_keys)
    data = parsed(text)
    assert data["functions"][0] == {
        "name": "by-region", "type": "routing", "sink_type": "kafka",
        "code": "def route(a) do\n  %{}\nend\n",
    }  # fmt: skip
    orders, hook = data["sinks"]
    assert (orders["routing"], orders["filter"]) == ("by-region", "wanted")
    assert (orders["transform"], orders["enrichment"]) == ("none", "none")
    assert [hook[role] for role in ("routing", "filter", "transform", "enrichment")] == ["none"] * 4
    assert orders["destination"]["compression"] == "none"
    assert orders["destination"]["password"] == "${KAFKA_PASSWORD}"
    assert "compression" not in hook["destination"]
    assert "filter: wanted   # only some\n" in text
    assert text.startswith("# The shop.\n")
    assert project.dirty == ()
    assert project.document.text != text
    assert (folder / "sequin.yaml").read_bytes() != before
    exported = folder.parent / "exported.yaml"
    exported.write_text(text)
    again = OpenProject.open(exported, TYPES)
    assert again.project.problems == ()
    assert export_sequin(again, always, secret_keys) == text


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ("    type: routing\n    sink_type: http_push\n    code: x\n", "x"),
        ("    function:\n      type: routing\n      sink_type: http_push\n      code: x\n", "x"),
        ("    function:\n      type: routing\n      sink_type: webhook\n      language: elixir\n"
         "      file: functions/f.ex\n", "from file\n"),
    ],
)  # fmt: skip
def test_every_shape_of_a_function_is_exported(tmp_path: Path, shape: str, code: str) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "f.ex").write_text("from file\n")
    (tmp_path / "sequin.yaml").write_text(f"functions:\n  - name: f\n{shape}")
    item = parsed(export_sequin(OpenProject.open(tmp_path, TYPES)))["functions"][0]
    body = item.get("function", item)
    assert {key: body[key] for key in body if key != "name"} == {
        "type": "routing", "sink_type": "webhook", "code": code
    }  # fmt: skip


def test_a_python_function_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"by-region: is a Python function.*Elixir") as caught:
        export_sequin(OpenProject.open(folder, TYPES))
    assert [p.field for p in caught.value.problems] == ["by-region"]


@pytest.mark.parametrize("target", ["sequin", "routestudio"])
@pytest.mark.parametrize("keys", [secret_keys, None])
def test_a_literal_secret_is_never_exported(
    folder: Path, tmp_path: Path, target: str, keys: Any
) -> None:
    text = TEXT.replace("${KAFKA_PASSWORD}", "hunter2-literal")
    project = elixir(folder, text.replace("Bearer ${HOOK_TOKEN}", "Bearer hunter2"))
    output = tmp_path / "out"
    exports: dict[str, Callable[[], object]] = {
        "sequin": lambda: export_sequin(project, always, keys),
        "routestudio": lambda: export_routestudio(project, output, keys),
    }
    with pytest.raises(ConfigError) as caught:
        exports[target]()
    assert {p.field for p in caught.value.problems} == {
        "sinks.orders.destination.password",
        "http_endpoints.hooks.encrypted_headers.Authorization",
    }
    assert "hunter2" not in str(caught.value)
    assert not output.exists()


def test_no_value_of_a_variable_is_exported(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "process-hunter2")
    (folder / ".env").write_text("HOOK_TOKEN=file-hunter2\n")
    project = elixir(folder)
    project.environment.resolve(dict(project.project.sinks[0].destination))
    assert "hunter2" not in export_sequin(project, always, secret_keys)
    export_routestudio(project, tmp_path / "out", secret_keys)
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or "hunter2" not in path.read_text()


def test_a_folder_for_the_runner_is_complete(folder: Path, tmp_path: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "orders.yaml").write_text("tests: []\n")
    (folder / "samples" / "bytes.csv").write_bytes(b"a\n\xff\n")
    with (folder / "samples" / "large.jsonl").open("wb") as file:
        file.truncate(30 << 20)
    project = OpenProject.open(folder, TYPES)
    project.apply({"op": "set_code", "name": "by-region", "code": "unsaved\n"})
    project.apply({"op": "add_sample", "name": "unsaved", "text": ROW})
    project.apply({"op": "remove_sample", "name": "orders"})
    output = tmp_path / "out"
    written = export_routestudio(project, output, secret_keys)
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert names == {
        "sequin.yaml", "functions/by_region.py", "samples/bytes.csv", "samples/large.jsonl",
        "samples/unsaved.jsonl", "tests/orders.yaml", ".env.example", ".gitignore", "README.md",
    }  # fmt: skip
    assert {path.relative_to(output).as_posix() for path in written} == names
    assert (output / "functions" / "by_region.py").read_text() == "unsaved\n"
    assert (output / "samples" / "large.jsonl").stat().st_size == 30 << 20
    assert (output / ".env.example").read_text().splitlines()[1:] == [
        "DB_PASSWORD=", "HOOK_TOKEN=", "HOSTS=", "KAFKA_PASSWORD="
    ]  # fmt: skip
    assert "routestudio run . orders --input -" in (output / "README.md").read_text()
    assert OpenProject.open(output, TYPES).project.problems == ()
    assert (folder / "functions" / "by_region.py").read_text() == CODE


@pytest.mark.parametrize("file", ["../outside.py", "/etc/passwd", "link.py"])
def test_an_export_takes_and_writes_nothing_outside(
    folder: Path, tmp_path: Path, file: str
) -> None:
    (tmp_path / "outside.py").write_text("outside secret")
    (folder / "link.py").symlink_to(tmp_path / "outside.py")
    (folder / "sequin.yaml").write_text(TEXT.replace("functions/by_region.py", file))
    with pytest.raises(RouteStudioError, match="outside of the project"):
        export_routestudio(OpenProject.open(folder, TYPES), tmp_path / "out", secret_keys)
    assert not (tmp_path / "out").exists()
    (folder / "sequin.yaml").write_text(TEXT)
    (folder / "samples" / "leak.jsonl").symlink_to(tmp_path / "outside.py")
    with pytest.raises(RouteStudioError, match="outside of the project"):
        export_routestudio(OpenProject.open(folder, TYPES), tmp_path / "out", secret_keys)
    assert not (tmp_path / "out" / "samples" / "leak.jsonl").exists()


def test_an_export_does_not_write_over_other_files(folder: Path) -> None:
    for target in (folder, folder / "sequin.yaml"):
        with pytest.raises(RouteStudioError, match="not an empty folder"):
            export_routestudio(OpenProject.open(folder, TYPES), target, secret_keys)
    assert (folder / "sequin.yaml").read_text() == TEXT
