"""Writes route tests: a row's outcome becomes a test, and a test takes a new outcome.

The files keep their comments, order and everything that an edit does not concern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from routestudio.engine.expectations import expectation
from routestudio.engine.route_tests import FOLDER, document_of, files, load
from routestudio.engine.rows import message_of
from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.model.message import Message
from routestudio.project.document import YamlDocument
from routestudio.project.files import inside, write_own
from routestudio.samples.variants import table_of

HEADER: Final = "# Route tests: run them with `routestudio test PROJECT`.\n"


async def pin(
    workspace: Workspace,
    sink: str,
    message: Message,
    *,
    sample: tuple[str, int] | None = None,
    name: str | None = None,
    variants: Sequence[str] = (),
) -> dict[str, Any]:
    """Add a test that expects of `message` what becomes of it now; tell its file, line and name.

    `sample` (name and row) makes the test refer to the sample instead of repeating the message.
    Raises `UsageError` when there already is a test of this name in the file.
    """
    prepared = workspace.prepare(sink)
    staged = (await prepared.stages.apply([message]))[0]
    root = workspace.project.root
    title = name or _free(_title(message, expectation(staged, prepared.sink)), load(root))
    test: dict[str, Any] = {"name": title, "sink": sink}
    if sample is not None:
        test["sample"] = {"name": sample[0], "row": sample[1]}
    else:
        test["message"] = _short(message_of(message))
    if variants:
        test["variants"] = list(variants)
    test["expect"] = expectation(staged, prepared.sink)
    path = inside(root, f"{FOLDER}/{_file_name(sink)}.yaml")
    shown = path.relative_to(root).as_posix()
    if path.exists():
        document, before = document_of(path, shown)
        if any(item.get("name") == title for item in document.plain(("tests",)) or ()):
            raise UsageError(f"there is a test `{title}` in {shown}", hint="choose another name")
    else:
        document, before = YamlDocument("tests: []\n", name=shown), 0
    document.add_item(("tests",), test)
    text = document.text
    if before:
        text = text.split("\n", before)[before]
    elif not path.exists():
        text = HEADER + text
    write_own(root, shown, text)
    made = next(item for item in load(root) if item.file == shown and item.body["name"] == title)
    return {"file": shown, "line": made.line, "name": title}


def accept(workspace: Workspace, file: str, index: int, expect: Mapping[str, Any],
           variant: str | None = None) -> dict[str, Any]:  # fmt: skip
    """Let the test with number `index` of `file` expect `expect` from now on.

    For one of its variants, only what is expected of that one changes. Raises `UsageError` when
    there is no such test.
    """
    root = workspace.project.root
    path = next((p for p in files(root) if p.relative_to(root).as_posix() == file), None)
    if path is None:
        raise UsageError(f"there is no test file `{file}`")
    document, before = document_of(path, file)
    tests = document.plain(("tests",))
    if not isinstance(tests, list) or not 0 <= index < len(tests):
        raise UsageError(f"there is no test number {index + 1} in `{file}`", hint="read it again")
    place = ("tests", str(index))
    if variant is None:
        document.set((*place, "expect"), dict(expect))
    else:
        given = tests[index].get("variants")
        own = dict(given) if isinstance(given, dict) else dict.fromkeys(given or (variant,))
        document.set((*place, "variants"), {**own, variant: dict(expect)})
    text = document.text
    write_own(root, file, text.split("\n", before)[before] if before else text)
    return {"file": file, "index": index}


def _title(message: Message, expect: Mapping[str, Any]) -> str:
    """What a test says in words: action, table, key, and what becomes of it."""
    key = ":".join(message.record_pks)
    row = f"{message.action} of {table_of(message).removeprefix('public.')} {key}".strip()
    if "filtered" in expect:
        return f"{row} is filtered"
    if "error" in expect:
        return f"{row} fails: {expect['error']}"
    return f"{row} goes to {expect['destination']}"[:120]


def _free(title: str, tests: Sequence[Any]) -> str:
    taken = {test.body.get("name") for test in tests}
    number, found = 1, title
    while found in taken:
        number += 1
        found = f"{title} ({number})"
    return found


def _file_name(sink: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", sink).strip(".-") or "tests"


_DEFAULTS: Final = ("transaction_annotations", "enrichment", "consumer", "database")


def _short(message: dict[str, Any]) -> dict[str, Any]:
    """A message without metadata that says nothing of its own."""
    metadata = {
        key: value
        for key, value in message["metadata"].items()
        if not (key in _DEFAULTS and (value is None or value.get("id") == "sample"))
    }
    short = {**message, "metadata": metadata}
    if short["changes"] is None:
        del short["changes"]
    return short
