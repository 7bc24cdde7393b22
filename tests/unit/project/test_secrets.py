"""Secrets of HTTP endpoints: hidden in snapshots, kept by edits, moved out by an import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.errors import ConfigError
from routestudio.project import transfer
from routestudio.project.secrets import literal_secrets, literal_user_info
from routestudio.project.store import OpenProject
from tests.unit.project.conftest import TYPES

SECRETS = ("pa55word", "t0ken-in-a-header", "k3y-in-a-list", "c00kie")
TEXT = """\
http_endpoints:
  - name: hooks
    url: https://user:pa55word@example.com/in?x=1  # kept comment
    headers:
      Authorization: Bearer t0ken-in-a-header
      Cookie: ${SESSION:-none}
      x-source: shop
  - name: listed
    url: https://${USER}:${PASSWORD}@example.com
    headers:
      - key: X-Api-Key
        value: k3y-in-a-list
      - key: accept
        value: text/plain
    encrypted_headers:
      cookie: c00kie
"""


def no_keys(kind: str) -> set[str]:
    return set()


@pytest.fixture
def opened(tmp_path: Path) -> OpenProject:
    (tmp_path / "sequin.yaml").write_text(TEXT)
    return OpenProject.open(tmp_path, TYPES)


@pytest.mark.parametrize(("url", "found"), [
    ("https://host/a@b", None), ("https://host", None), ("https://u:p@host", "u:p"),
    ("https://u:p%40q@host/x@y", "u:p%40q"), ("https://token@host", "token"),
    ("https://u:a@b@host", "u:a@b"), ("https://u:${P}@host", None), ("https://${U}:p@h", "${U}:p"),
    ("https://${U:-a/b}:${P}@h", None), ("https://u:@host", None), ("${ALL}", None),
    ("https://$TOKEN@h", None), ("HTTPS://u:p@h", "u:p"),
])  # fmt: skip
def test_a_written_password_is_found_in_a_url(url: str, found: str | None) -> None:
    assert literal_user_info(url) == found


def test_a_snapshot_shows_no_secret_and_all_else(opened: OpenProject) -> None:
    text = json.dumps(opened.snapshot(no_keys))
    assert not [secret for secret in SECRETS if secret in text]
    shown = opened.snapshot(no_keys)["http_endpoints"]
    assert shown["hooks"]["url"] == "https://••••@example.com/in?x=1"
    wanted = {"Authorization": {"$secret": True}, "Cookie": "${SESSION:-none}", "x-source": "shop"}
    assert shown["hooks"]["headers"] == wanted
    assert shown["listed"]["url"] == "https://${USER}:${PASSWORD}@example.com"
    assert shown["listed"]["headers"][1] == {"key": "accept", "value": "text/plain"}


def test_what_was_hidden_comes_back_unchanged(opened: OpenProject) -> None:
    shown = opened.snapshot(no_keys)["http_endpoints"]["hooks"]
    path = ["http_endpoints", "hooks"]
    opened.apply({"op": "set", "path": [*path, "url"], "value": shown["url"] + "&y=2"})
    opened.apply({"op": "set", "path": [*path, "headers"],
                  "value": {**shown["headers"], "x-source": "other"}})  # fmt: skip
    opened.apply({"op": "set", "path": ["http_endpoints", "listed", "headers"],
                  "value": {"X-Api-Key": "••••", "accept": "*/*"}})  # fmt: skip
    endpoints = opened.project.http_endpoints
    assert endpoints["hooks"]["url"] == "https://user:pa55word@example.com/in?x=1&y=2"
    assert endpoints["hooks"]["headers"]["Authorization"] == "Bearer t0ken-in-a-header"
    assert endpoints["hooks"]["headers"]["x-source"] == "other"
    assert endpoints["listed"]["headers"] == {"X-Api-Key": "k3y-in-a-list", "accept": "*/*"}


def test_exports_refuse_and_imports_move_them(opened: OpenProject, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        transfer.export_sequin(opened, None, no_keys)
    assert {problem.field for problem in caught.value.problems} == {
        "http_endpoints.hooks.url", "http_endpoints.hooks.headers.Authorization",
        "http_endpoints.listed.headers.0.value", "http_endpoints.listed.encrypted_headers.cookie",
    }  # fmt: skip
    target = tmp_path / "imported"
    transfer.import_file(tmp_path / "sequin.yaml", target, TYPES, no_keys)
    text = (target / "sequin.yaml").read_text()
    assert not [secret for secret in SECRETS if secret in text]
    assert "https://${HOOKS_USER_INFO}@example.com/in?x=1" in text
    assert "# kept comment" in text
    copy = OpenProject.open(target, TYPES)
    resolved = copy.environment.resolve(dict(copy.project.http_endpoints["hooks"]))
    assert resolved["url"] == "https://user:pa55word@example.com/in?x=1"
    assert resolved["headers"]["Authorization"] == "Bearer t0ken-in-a-header"
    assert transfer.export_sequin(copy, None, no_keys)


def test_of_credentials_only_the_parts_that_open_something_are_secrets() -> None:
    parts = {"type": "service_account", "client_email": "a@b.iam", "private_key_id": "${KEY_ID}",
             "private_key": "pa55word", "other": "t0ken"}  # fmt: skip
    data: dict[str, Any] = {
        "sinks": [{"name": "s", "destination": {"type": "pubsub", "credentials": parts}}]
    }

    def keys(kind: str) -> set[str]:
        return {"credentials"}

    for known in (keys, None):
        found = list(literal_secrets(data, {"pubsub": "pubsub"}, known))
        path = ("sinks", "s", "destination", "credentials")
        assert found == [((*path, "private_key"), "pa55word"), ((*path, "other"), "t0ken")]
    text = json.dumps({**parts, "private_key": "-----BEGIN PRIVATE KEY-----"})
    data["sinks"][0]["destination"] = {"type": "pubsub", "credentials": text}
    assert list(literal_secrets(data, {"pubsub": "pubsub"}, keys)) == [(path, text)]
