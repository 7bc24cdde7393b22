"""Variables, the `.env` file, the keyring and redaction."""

from __future__ import annotations

import base64
import json
import stat
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from routestudio.errors import UsageError
from routestudio.project.environment import (  # type: ignore[attr-defined]
    Environment,
    Redactor,
    is_reference,
    parse_env,
    references,
)


def environment(root: Path, **values: str) -> Environment:
    return Environment(root, environ=values, project="shop")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("${SET}", "one"), ("$SET", "one"), ("a${SET}b$SET.c", "aonebone.c"),
        ("${UNSET}", ""), ("$UNSET", ""),
        ("${SET:-d}", "one"), ("${UNSET:-d}", "d"), ("${EMPTY:-d}", "d"),
        ("${SET-d}", "one"), ("${UNSET-d}", "d"), ("${EMPTY-d}", ""),
        ("${SET:+r}", "r"), ("${UNSET:+r}", ""), ("${EMPTY:+r}", ""),
        ("${SET+r}", "r"), ("${UNSET+r}", ""), ("${EMPTY+r}", "r"),
        ("${UNSET:=d}", "d"), ("${EMPTY:=d}", "d"), ("${UNSET=d}", "d"), ("${EMPTY=d}", ""),
        ("$$", "$"), ("$${SET}", "${SET}"), ("$$$SET", "$one"), ("cost: $5", "cost: $5"),
        ("${UNSET:-a b/c:9092,d}", "a b/c:9092,d"), ("${UNSET:-}", ""), ("plain", "plain"),
        ("${1A}", "${1A}"), ("${SET", "${SET"),
    ],
)  # fmt: skip
def test_references_are_those_of_sequins_command_line(
    tmp_path: Path, text: str, wanted: str
) -> None:
    assert environment(tmp_path, SET="one", EMPTY="").resolve(text) == wanted


def test_keys_and_code_stay_and_values_are_not_read_again(tmp_path: Path) -> None:
    env = environment(tmp_path, A="$B ${B}", B="no")
    value = {"$A": ["$A", 5, None, True], "code": "$A", "deep": {"code": "$A", "x": "$A"}}
    assert env.resolve(value) == {
        "$A": ["$B ${B}", 5, None, True], "code": "$A",
        "deep": {"code": "$A", "x": "$B ${B}"},
    }  # fmt: skip
    assert references(value) == {"A"}


def test_the_process_wins_over_the_file_and_the_file_over_the_keyring(
    tmp_path: Path, memory_keyring: Any
) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    for name in "ABC":
        memory_keyring.set_password("routestudio", f"shop/{name}", "keyring")
    env = environment(tmp_path, A="process")
    assert [env.get(name) for name in "ABCD"] == ["process", "file", "keyring", None]
    assert env.missing({"x": "$A $B ${C} ${D} ${E:-1} $$F"}) == {"D"}


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert env.get("A") is None
    (tmp_path / ".env").write_text("A=1\n")
    assert env.get("A") == "1"
    (tmp_path / ".env").write_text("A=22\n")
    assert env.get("A") == "22"


class Broken(KeyringBackend):
    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked: hunter2-secret")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"locked, cannot store {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise RuntimeError("locked")


def test_a_failing_keyring_holds_nothing_and_tells_nothing(
    tmp_path: Path, memory_keyring: Any
) -> None:
    import keyring

    keyring.set_keyring(Broken())  # type: ignore[no-untyped-call]
    env = environment(tmp_path)
    assert env.get("A") is None
    with pytest.raises(UsageError, match="keyring refuses: RuntimeError") as caught:
        env.store.put("A", "hunter2-secret", where="keyring")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_stored_secret_is_private_ignored_by_git_and_found(
    tmp_path: Path, memory_keyring: Any
) -> None:
    env = environment(tmp_path)
    assert env.get("PW") is None
    assert env.store.put("PW", "hunter2 $x # y", where="env") == "${PW}"
    assert env.store.put("KR", "in keyring", where="keyring") == "${KR}"
    env.forget("KR")
    assert env.resolve("${PW}|${KR}") == "hunter2 $x # y|in keyring"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text().splitlines() == [".env"]
    assert "in keyring" not in (tmp_path / ".env").read_text()
    (tmp_path / ".env").chmod(0o644)
    env.store.put("PW", "other", where="env")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text().count(".env") == 1


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "Ä", "A\n"])
def test_a_name_that_no_shell_takes_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a variable name"):
        environment(tmp_path).store.put(name, "x")
    assert list(tmp_path.iterdir()) == []


def test_other_lines_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text('# note\nA=1\nPEM="a\nA=fake\nb"\n\nexport B=2 # two\nA=3\nC=4')
    store = environment(tmp_path).store
    store.put("A", "new")
    assert path.read_text() == '# note\nA=new\nPEM="a\nA=fake\nb"\n\nexport B=2 # two\nC=4'
    store.put("D", "x y")
    assert parse_env(path.read_text(), ".env") == {
        "A": "new", "PEM": "a\nA=fake\nb", "B": "2", "C": "4", "D": "x y"
    }  # fmt: skip


def test_an_open_quote_takes_in_no_secret(tmp_path: Path) -> None:
    """The quote of the new value would close it, and the secret would be a part of another one."""
    path, text = tmp_path / ".env", '# keys\nA=1\nB="two\n'
    path.write_text(text)
    store = environment(tmp_path).store
    with pytest.raises(UsageError, match=r"line 3: a quote is opened and not closed"):
        store.put("NEW", " # x")
    assert path.read_text() == text
    store.put("NEW", "plain")
    assert parse_env(path.read_text(), ".env")["NEW"] == "plain"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A=1", {"A": "1"}), ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ('A="x" # c', {"A": "x"}), ("A='x # y' # c", {"A": "x # y"}), ("A=x # c", {"A": "x"}),
        ("A=x#y", {"A": "x#y"}), ("A= # c", {"A": ""}), ("A=", {"A": ""}), ("A=\nB=1", {
            "A": "", "B": "1"}), (r'A="a\"b\\n\n"', {"A": 'a"b\\n\n'}),
        ("  export  A = b c ", {"A": "b c"}), ("A=b=c", {"A": "b=c"}), ("A=1\nA=2", {"A": "2"}),
        ("# only\n\n", {}), ("", {}), ("A='-----BEGIN\nx\n-----'", {"A": "-----BEGIN\nx\n-----"}),
    ],
)  # fmt: skip
def test_env_files_are_read_as_usual(text: str, wanted: dict[str, str]) -> None:
    assert parse_env(text, ".env") == wanted


@pytest.mark.parametrize(("text", "line"), [("A=1\nnonsense\n", 2), ("\n\n2B=1", 3), ("=x", 1)])
def test_a_bad_line_is_named_without_its_text(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / ".env").write_text(text)
    env = environment(tmp_path)
    with pytest.raises(UsageError, match=f"line {line}: expected NAME=value") as caught:
        env.get("A")
    assert "nonsense" not in str(caught.value)
    assert env.redactor.redact("still works") == "still works"


@pytest.mark.slow
@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True),
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),  # type: ignore[arg-type]
        max_size=4,
    )
)
def test_any_secret_comes_back_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("env")
    store = environment(root).store
    for name, value in values.items():
        store.put(name, "first")
        store.put(name, value)
    assert {name: environment(root).get(name) for name in values} == values


SECRETS = st.text(st.characters(exclude_categories=("Cs",)), min_size=8, max_size=20)  # type: ignore[arg-type]


@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_no_form_of_a_secret_is_left(secret: str, before: bytes, after: bytes) -> None:
    redactor = Redactor([secret])
    inner = base64.b64encode(before + secret.encode() + after).decode()
    whole = base64.b64encode(secret.encode()).decode()
    shown = redactor.redact(inner)
    assert "••••" in shown
    around = len(base64.b64encode(before)) + len(base64.b64encode(after))
    assert len(shown.replace("••••", "")) <= around + 4
    for form in (secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret),
                 json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), whole,
                 base64.urlsafe_b64encode(secret.encode()).decode()):  # fmt: skip
        assert redactor.redact(f"<{form}>").strip("<>=\"'") == "••••"


def test_the_redactor_knows_what_was_resolved_and_hides_itself(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SHOP_TOKEN=from-the-file\nSHOP_HOST=plain-host\n")
    env = environment(tmp_path, REDIS_PW="hunter2x", HOST="localhost", AMQP_URL="amqp://u:pw99@h")
    env.resolve(["$REDIS_PW", "$HOST", "$AMQP_URL"])
    text = env.redactor.redact("hunter2x localhost amqp://u:pw99@h from-the-file plain-host")
    assert text == "•••• localhost •••• •••• plain-host"
    assert "hunter2x" not in repr(env.redactor) + repr(env) + repr(env.store)
    assert Redactor(["abc", ""]).redact("abc") == "abc"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("${A}", True), ("$A", True), ("${A:-x}", True), ("$$", False), ("x${A}", False), ("", False),
     (None, False), (5, False), ("$A$B", False)],
)  # fmt: skip
def test_a_reference_is_nothing_else(value: object, wanted: bool) -> None:
    assert is_reference(value) is wanted


def test_a_pipe_as_env_file_blocks_nothing(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / ".env")
    with pytest.raises(Exception, match="is not a file"):
        environment(tmp_path).get("A")
