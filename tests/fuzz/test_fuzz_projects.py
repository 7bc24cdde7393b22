"""Texts of a project, spoiled by chance: YAML and its edits, `.env`, sample files."""

from __future__ import annotations

import copy
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from routestudio.errors import ProjectError, UsageError
from routestudio.formats.reader import RowReader
from routestudio.model import jsonio
from routestudio.model.message import Message
from routestudio.model.rows import Fault
from routestudio.project.document import YamlDocument
from routestudio.project.dotenv import parse_env, with_variables
from routestudio.project.yamldata import exchange_plain, has, same, set_plain, walk
from routestudio.sources import files
from tests.fuzz.search import Search, ceiling, long_search, spoiled_bytes, spoiled_text
from tests.property.test_yaml_roundtrip import TEXT

__all__ = ["ceiling"]

DATA = Path(__file__).parents[1] / "data"
SHORT = 150
"""Rounds without `ROUTESTUDIO_FUZZ`."""

PROCESSOR_SECONDS = 4.0
"""Most that one text of these sizes may take: a hundred times what it usually does."""

HEADS = ("", "---\n", "# about the file\n---\n", "%YAML 1.2\n---\n", "# one\n\n# two\n", "\ufeff")
TAILS = ("", "# the end\n", "...\n", "\n\n")
ODD = [
    "!secret ", "!!str ", "&mark ", "*kafka", "  # note\n", "# a line\n", "\n", "- ", "{", "}", "[",
    "]", ", ", ": ", "? ", "| ", ">-\n", '"', "'", "1e3", "0x1F", "1_000", "~", "yes", "12:30:45",
    "2024-01-01", "<<: *kafka\n", "\t", "\r\n", "\u2028", "\x07", "---\n", "...\n", "name: ", "é",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -7, 1.5, 1e300, "", "x", "yes", "1e3", "a #b", "a: b", "# no",
    "two\nlines",
    "  lead", "tail \n\n", "${VAR}",
    "'", '"', "|", "*a", "&a", "!t", "---", "\x07", "\u2028", "é💶",
    [], {}, [1, "a"], {"a": 1, "b": {"c": [None]}}, "0x1F", "2024-01-01", "\\", "x" * 300,
]  # fmt: skip


def yaml_texts() -> list[str]:
    found = [TEXT]
    for path in sorted((DATA / "configurations").glob("*.yaml")):
        found.append(path.read_bytes().decode("utf-8", "replace"))
    return found


def paths_of(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all values that an edit can name."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                found += paths_of(item, (*path, key))
    elif isinstance(value, list):
        names = [item.get("name") if isinstance(item, dict) else None for item in value]
        for name, item in zip(names, value, strict=True):
            if isinstance(name, str) and names.count(name) == 1 and not name.isdecimal():
                found += paths_of(item, (*path, name))
    return found


def notes(text: str) -> Counter[str]:
    """What looks like a comment."""
    return Counter(match[1] for match in re.finditer(r"(?m)(?:^|\s)(#.*?)[ \r]*$", text))


def edited(document: YamlDocument, wanted: Any, chance: random.Random) -> tuple[str, Any] | None:
    """One edit of the document and of plain data: what was done, or `None` if nothing could be."""
    paths = paths_of(wanted)
    if not paths:
        return None
    path = chance.choice(paths)
    kind = chance.choice(("set", "set", "set", "new", "remove", "exchange", "add"))
    value = copy.deepcopy(chance.choice(VALUES))
    parent = walk(wanted, path[:-1])
    if kind in ("new", "exchange") or (kind == "set" and not isinstance(parent, dict)):
        key = chance.choice(("fresh", "b-c", "x y"))
        holder = walk(wanted, path) if kind != "exchange" else parent
        if not isinstance(holder, dict) or key in holder:
            return None
        if kind != "exchange":
            document.set((*path, key), value)
            set_plain(wanted, (*path, key), value)
            return ("new", (path, key, value))
        old = parent[path[-1]]
        document.exchange(path, key, value)
        exchange_plain(wanted, path, key, value)
        return ("renamed" if single(old) else "exchange", (path, key, value))
    if kind == "set":
        old = parent[path[-1]]
        document.set(path, value)
        set_plain(wanted, path, value)
        return ("scalar" if single(old) else "set", (path, value))
    if kind == "remove":
        document.remove(path)
        if isinstance(parent, dict):
            del parent[path[-1]]
        else:
            parent[:] = [item for item in parent if not named(item, path[-1])]
        return ("remove", path)
    holder = walk(wanted, path)
    if not isinstance(holder, list):
        return None
    item = {"name": "added", "value": value}
    if has(wanted, (*path, "added")):
        return None
    document.add_item(path, item)
    holder.append(item)
    return ("add", (path, item))


def single(value: Any) -> bool:
    """Whether a value has no parts, and nothing in it looks like a comment."""
    return not isinstance(value, (dict, list)) and "#" not in str(value)


def named(item: Any, name: str) -> bool:
    return isinstance(item, dict) and item.get("name") == name


def one_yaml(search: Search, texts: list[str]) -> None:
    """Spoil a text, read it, edit it a few times: it says what the same edits of data say."""
    chance = search.chance
    text = chance.choice(texts)
    if not text.startswith(("\ufeff", "%", "---")):
        text = chance.choice(HEADS) + text
    text += chance.choice(TAILS)
    if chance.random() < 0.7:
        text = spoiled_text(text, chance, ODD, chance.choice(texts))
    begun = time.process_time()
    try:
        document = YamlDocument(text)
    except ProjectError:
        search.counts["refused"] += 1
        return
    finally:
        search.took(time.process_time() - begun, repr(text[:80]))
    search.counts["read"] += 1
    for _ in range(3):
        wanted = copy.deepcopy(document.plain())
        before = document.text
        begun = time.process_time()
        try:
            done = edited(document, wanted, chance)
        except ProjectError:
            search.counts["edits refused"] += 1
            assert document.text == before, search.about(before)
            continue
        except KeyError:
            search.counts["edits of nothing"] += 1
            assert document.text == before, search.about(before)
            continue
        if done is None:
            continue
        search.counts[done[0]] += 1
        about = search.about((done, before))
        assert same(document.plain(), wanted), about
        assert same(YamlDocument(document.text).plain(), wanted), about
        took = time.process_time() - begun
        assert took < PROCESSOR_SECONDS, about
        search.took(took, repr(done))
        checked = done[0] not in ("set", "remove", "exchange") and " #" not in str(wanted)
        if checked and notes(before) - notes(document.text):
            search.counts["comments lost"] += 1
            if search.counts["comments lost"] < 6:
                print("comments lost:", about)


ENV = '# keys\nexport A=1\nB = \'two words\' # note\nC="a\\nb \\" c"\n\nD=\nE=x#y # z\n'
ENV_ODD = ["'", '"', "\\", "\n", "=", "#", " ", "\t", "export ", "A", "é", "\r\n", "\x00", "${A}",
           "   \n", "\ufeff", "A=1\n"]  # fmt: skip


def one_env(search: Search) -> None:
    """Spoil a `.env` text; setting a variable in it sets that one and keeps the others."""
    text = spoiled_text(ENV * search.chance.choice((1, 3, 40)), search.chance, ENV_ODD)
    begun = time.process_time()
    try:
        found = parse_env(text, ".env")
    except UsageError:
        search.counts["refused"] += 1
        return
    finally:
        search.took(time.process_time() - begun, repr(text[:80]))
    value = spoiled_text("v", search.chance, ENV_ODD)
    name = search.chance.choice(["A", "C", "NEW"])
    try:
        changed = with_variables(text, {name: value}, ".env")
    except UsageError:
        assert text.count('"') + text.count("'"), search.about(text)
        search.counts["not set behind an open quote"] += 1
        return
    assert parse_env(changed, ".env") == {**found, name: value}, search.about((text, value))
    search.counts["read"] += 1


ROW = (
    b'{"action":"insert","record":{"id":1,"name":"Zo\xc3\xab, \\"x\\""},'
    b'"metadata":{"table_name":"t"}}\n'
)
SAMPLES = {
    ".jsonl": ROW * 3,
    ".json": b"[" + b",".join([ROW] * 3) + b"]",
    ".csv": b'id,name,total\n1,"a, ""b""",1.5\n2,,\n3,\xc3\xab,x\n',
    ".tsv": b"id\tname\n1\ta\n2\t\n",
}
SAMPLE_ODD = [b'"', b"\n", b"\r", b",", b";", b"\t", b"{", b"[" * 40, b"]", b"\\", b"\0", b"\xff",
              b"\xef\xbb\xbf", b"null", b"NaN", b"1e999", b"9" * 5000, b"\\ud800", b'{"id":1}',
              b"\x1f\x8b", b"PAR1"]  # fmt: skip


def one_sample(search: Search, folder: Path) -> None:
    """Spoil a sample file; reading it gives messages and faults, or one refusal."""
    suffix = search.chance.choice(list(SAMPLES))
    data = SAMPLES[suffix]
    for _ in range(search.chance.choice((1, 2, 6))):
        data = spoiled_bytes(data, search.chance, SAMPLE_ODD)
    path = folder / f"rows{suffix}"
    path.write_bytes(data)
    about = search.about((suffix, data))
    begun = time.process_time()
    try:
        rows = list(RowReader().read_all(files.read_file(path)))
        assert files.count_rows(path) >= 0, about
        pasted = list(RowReader().read_all(files.read_text(data.decode("utf-8", "replace"))))
    except UsageError:
        search.counts["refused"] += 1
        return
    for row in [*rows, *pasted]:
        if isinstance(row, Fault):
            assert row.message, about
            search.counts["faults"] += 1
        else:
            assert isinstance(row, Message), about
            jsonio.dump_bytes(row.as_json())
            search.counts["messages"] += 1
    took = time.process_time() - begun
    assert took < PROCESSOR_SECONDS, about
    search.took(took, repr(data[:80]))


def test_edits_of_spoiled_yaml() -> None:
    search, texts = Search("yaml", rounds=SHORT), yaml_texts()
    for _ in search.rounds():
        one_yaml(search, texts)
    assert search.counts["read"] > SHORT / 10


def test_spoiled_env_files() -> None:
    search = Search("env", rounds=10 * SHORT)
    for _ in search.rounds():
        one_env(search)
    assert search.counts["read"] > SHORT


def test_spoiled_samples(tmp_path: Path) -> None:
    search = Search("samples", rounds=10 * SHORT)
    for _ in search.rounds():
        one_sample(search, tmp_path)
    assert search.counts["messages"] > SHORT


@long_search
def test_edits_of_spoiled_yaml_for_long() -> None:
    search, texts = Search("yaml"), yaml_texts()
    for _ in search.rounds():
        one_yaml(search, texts)


@long_search
def test_spoiled_env_files_for_long() -> None:
    search = Search("env")
    for _ in search.rounds():
        one_env(search)


@long_search
def test_spoiled_samples_for_long(tmp_path: Path) -> None:
    search = Search("samples")
    for _ in search.rounds():
        one_sample(search, tmp_path)
