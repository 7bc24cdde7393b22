"""Writes route tests: a row's outcome becomes a test, and a test takes a new outcome.

The files keep their comments, order and everything that an edit does not concern.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from routestudio.engine.expectations import expectation
from routestudio.engine.route_tests import check, current, files, load
from routestudio.engine.route_tests import message_of as route_message
from routestudio.engine.rows import message_of
from routestudio.engine.workspace import Workspace
from routestudio.errors import Place, RouteStudioError, UsageError
from routestudio.model.message import Message, MessageError, table_of
from routestudio.model.wording import counted
from routestudio.project.document import YamlDocument
from routestudio.project.test_files import FOLDER, document_of, text_of

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
    """Add a test that expects of `message` what becomes of it now; report its file, line and name.

    `sample` (name and row) makes the test refer to the sample instead of repeating the message.
    Raises `UsageError` when there already is a test of this name in the file.
    """
    given = [(message, sample)]
    [made] = await pin_all(workspace, sink, given, name=name, variants=variants)
    return made


async def pin_all(
    workspace: Workspace,
    sink: str,
    given: Sequence[tuple[Message, tuple[str, int] | None]],
    *,
    name: str | None = None,
    variants: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The same for several messages, each with its `sample`, as one edit. A `name` is for one."""
    prepared = workspace.prepare(sink)
    outcomes = await prepared.stages.apply([message for message, _ in given])
    project = workspace.project
    taken = {test.body.get("name") for test in load(project)}
    path = f"{FOLDER}/{_file_name(sink)}.yaml"
    if path in files(project):
        document, before = document_of(current(project, path), path)
        head = ""
    else:
        document, before, head = YamlDocument("tests: []\n", name=path), 0, HEADER
    titles = []
    for (message, sample), staged in zip(given, outcomes, strict=True):
        expect = expectation(staged, prepared.sink)
        title = name or _free(_title(message, expect), taken)
        if any(item.get("name") == title for item in document.plain(("tests",)) or ()):
            raise UsageError(f"there is a test `{title}` in {path}", hint="choose another name")
        document.add_item(("tests",), _pinned(title, sink, message, sample, variants, expect))
        taken.add(title)
        titles.append(title)
    label = f"Pin {titles[0]}" if len(titles) == 1 else f"Pin {len(titles)} rows as tests"
    _write(workspace, path, head + text_of(document, before), label)
    lines = {item.body["name"]: item.line for item in load(project) if item.file == path}
    return [{"file": path, "line": lines[title], "name": title} for title in titles]


def _pinned(
    title: str, sink: str, message: Message, sample: tuple[str, int] | None,
    variants: Sequence[str], expect: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """A test as it is written."""
    test: dict[str, Any] = {"name": title, "sink": sink}
    if sample is not None:
        test["sample"] = {"name": sample[0], "row": sample[1]}
    else:
        test["message"] = _short(message_of(message))
        if message.types:
            test["message"]["types"] = dict(message.types)
    if variants:
        test["variants"] = list(variants)
    return {**test, "expect": expect}


async def accept(
    workspace: Workspace,
    file: str,
    index: int,
    expect: Mapping[str, Any],
    variant: str | None = None,
) -> dict[str, Any]:
    """Let the test with number `index` of `file` expect `expect` from now on.

    For one of its variants, only what is expected of that one changes. A test that is named after
    its outcome gets a new name. Raises `UsageError` when there is no such test.
    """
    document, before, test = _test(workspace, file, index)
    place = ("tests", str(index))
    if variant is None:
        document.set((*place, "expect"), dict(expect))
        name = await _name_after(workspace, file, index, test, expect)
        if name is not None:
            document.set((*place, "name"), name)
    else:
        given = test.get("variants")
        own = dict(given) if isinstance(given, dict) else dict.fromkeys(given or (variant,))
        document.set((*place, "variants"), {**own, variant: dict(expect)})
    text = text_of(document, before)
    _write(workspace, file, text, f"Accept the outcome of {test.get('name')}")
    return {"file": file, "index": index}


def rename(workspace: Workspace, file: str, index: int, name: str) -> dict[str, Any]:
    """Give a test another name. Raises `UsageError`."""
    document, before, test = _test(workspace, file, index)
    taken = {item.get("name") for item in document.plain(("tests",)) if item is not test}
    if not name.strip() or name in taken - {test.get("name")}:
        raise UsageError(f"there is a test `{name}` in {file}" if name.strip() else
                         "a test needs a name", hint="choose another name")  # fmt: skip
    document.set(("tests", str(index), "name"), name.strip())
    _write(workspace, file, text_of(document, before), f"Rename test {test.get('name')}")
    return {"file": file, "index": index}


def delete(workspace: Workspace, file: str, index: int) -> dict[str, Any]:
    """Remove a test with all its variants. Raises `UsageError`."""
    document, before, test = _test(workspace, file, index)
    document.remove(("tests", str(index)))
    _write(workspace, file, text_of(document, before), f"Delete test {test.get('name')}")
    return {"file": file, "index": index}


def delete_all(workspace: Workspace, tests: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Remove several tests, by file and number. Raises `UsageError`."""
    by_file: dict[str, set[int]] = {}
    for file, index in tests:
        by_file.setdefault(file, set()).add(index)
    for file, numbers in by_file.items():
        document, before, _ = _test(workspace, file, max(numbers))
        for index in sorted(numbers, reverse=True):
            document.remove(("tests", str(index)))
        label = f"Delete {counted(len(numbers), 'test')} of {file}"
        _write(workspace, file, text_of(document, before), label)
    return {"tests": len(set(tests))}


def body(workspace: Workspace, file: str, index: int) -> dict[str, Any]:
    """A test as it is written. Raises `UsageError`."""
    return _test(workspace, file, index)[2]


def edit(workspace: Workspace, file: str, index: int, new: Mapping[str, Any]) -> dict[str, Any]:
    """Give a test another content. Raises `UsageError` and `ProjectError`, and then the test stays.

    What does not change keeps its comments.
    """
    document, before, old = _test(workspace, file, index)
    check(new, index, Place(file, document.position(("tests", str(index)))[0] - before))
    others = [item for item in document.plain(("tests",)) if item is not old]
    if new.get("name") in {item.get("name") for item in others} - {None, old.get("name")}:
        raise UsageError(f"there is a test `{new['name']}` in {file}", hint="choose another name")
    place = ("tests", str(index))
    for key in [key for key in old if key not in new]:
        document.remove((*place, key))
    for key, value in new.items():
        if key not in old or old[key] != value:
            document.set((*place, key), value)
    _write(workspace, file, text_of(document, before), f"Edit test {new.get('name')}")
    return {"file": file, "index": index}


def _test(workspace: Workspace, file: str, index: int) -> tuple[YamlDocument, int, dict[str, Any]]:
    """The document of a file of tests, the lines before its text, and one test of it."""
    if file not in files(workspace.project):
        raise UsageError(f"there is no test file `{file}`")
    document, before = document_of(current(workspace.project, file), file)
    tests = document.plain(("tests",))
    if not isinstance(tests, list) or not 0 <= index < len(tests):
        raise UsageError(f"there is no test number {index + 1} in `{file}`", hint="run the tests")
    return document, before, tests[index]


def _write(workspace: Workspace, path: str, text: str, label: str) -> None:
    """Keep a file's text as an edit of the project: undone and saved like any other."""
    workspace.project.apply({"op": "set_test_file", "path": path, "text": text, "label": label})


async def _name_after(
    workspace: Workspace,
    file: str,
    index: int,
    test: Mapping[str, Any],
    expect: Mapping[str, Any],
) -> str | None:
    """The new name of a test that is named after what it expected; `None` for any other name."""
    made = next(t for t in load(workspace.project) if (t.file, t.index) == (file, index))
    try:
        message = route_message(workspace, made)
    except (RouteStudioError, MessageError):
        return None
    old = _title(message, test.get("expect") or {})
    if re.sub(r" \(\d+\)$", "", str(test.get("name"))) not in (old, _former(old)):
        return None
    others = [t for t in load(workspace.project) if (t.file, t.index) != (file, index)]
    return _free(_title(message, expect), {test.body.get("name") for test in others})


def _title(message: Message, expect: Mapping[str, Any]) -> str:
    """A test's name in words: action, table, key, and what becomes of it."""
    key = ":".join(message.record_pks)
    row = f"{message.action} of {table_of(message).removeprefix('public.')} {key}".strip()
    if "filtered" in expect:
        return f"{row} is filtered"
    if "error" in expect:
        return f"{row} fails" if expect["error"] == "raised" else f"{row} fails: {expect['error']}"
    if "destination" not in expect:
        return row
    return f"{row} goes to {expect['destination']}"[:120]


def _former(title: str) -> str:
    """The name that earlier versions gave a test of a function that fails."""
    return f"{title}: raised" if title.endswith(" fails") else title


def _free(title: str, taken: Collection[Any]) -> str:
    number, found = 1, title
    while found in taken:
        number += 1
        found = f"{title} ({number})"
    return found


def _file_name(sink: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", sink).strip(".-") or "tests"


_DEFAULTS: Final = ("transaction_annotations", "enrichment", "consumer", "database")


def _short(message: dict[str, Any]) -> dict[str, Any]:
    """A message without the metadata that is the same as the default."""
    metadata = {
        key: value
        for key, value in message["metadata"].items()
        if not (key in _DEFAULTS and (value is None or value.get("id") == "sample"))
    }
    short = {**message, "metadata": metadata}
    if short["changes"] is None:
        del short["changes"]
    return short
