"""Edits of a project as plain data, applied to its texts. Every edit is undone by old texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from routestudio.errors import ProjectError, UsageError
from routestudio.project import draft, environments, sample_lines
from routestudio.project.document import YamlDocument
from routestudio.project.parse import NAME
from routestudio.project.secrets import unmasked
from routestudio.project.tables import KEY as TABLES
from routestudio.project.test_files import FOLDER, renamed

ROLES: Final = ("filter", "transform", "routing", "enrichment")

Texts = dict[str, str | None]
"""Files of a project that an edit concerns, by path relative to it; `None` removes the file."""


def apply_edit(
    edit: Mapping[str, Any],
    document: YamlDocument,
    read: Callable[[str], str | None],
    files: Callable[[str], list[str]] = lambda folder: [],
) -> tuple[str, Texts]:
    """Apply one edit to `document` in place; returns its label and the changed other files.

    `read` gives the current text of a file of the project, `files` those of a folder. Raises
    `UsageError` and `ProjectError`.
    """
    operation = str(edit.get("op"))
    handler = _HANDLERS.get(operation)
    if handler is None:
        raise UsageError(f"unknown edit `{operation}`")
    try:
        label, texts = handler(edit, document, read)
        if operation == "rename" and edit["kind"] in ("sinks", "samples"):
            texts |= _renamed_tests(edit, read, files(FOLDER))
        return label, texts
    except KeyError as error:
        raise UsageError(f"edit `{operation}`: there is no {error}") from None
    except (TypeError, AttributeError, ValueError) as error:
        # Edits come from another process, and the file may hold anything where they point.
        raise UsageError(f"edit `{operation}` cannot be applied: {error}") from None


def files_of(edit: Mapping[str, Any], document: YamlDocument, yaml: str) -> set[str]:
    """The files that an edit would change, as far as the edit itself names them."""
    operation, name = edit.get("op"), edit.get("name")
    if operation == "patch":
        patches = edit.get("patches")
        paths = {str(p.get("path")) for p in patches or () if isinstance(p, dict)}
        return {sample_lines.file_of(path) or path for path in paths}
    if operation in ("add_sample", "set_sample", "set_sample_line", "remove_sample"):
        return {f"samples/{name}{edit.get('ending', sample_lines.ENDINGS[0])}"}
    if operation == "rename" and edit.get("kind") == "samples":
        return {f"samples/{name}.jsonl", f"samples/{edit.get('to')}.jsonl"}
    if operation in ("set_code", "convert"):
        found = [document.plain((key, str(name))) for key in ("functions", "transforms")]
        files = {file for item in found if isinstance(item, dict) and (file := file_of(item))}
        return files or {yaml}
    item = edit.get("item")
    file = item.get("file") if isinstance(item, Mapping) else None
    return {yaml, file} if isinstance(file, str) else {yaml}


def file_of(function: Mapping[str, Any]) -> str | None:
    """The file that holds a function's code, if it is not inline."""
    inner = function.get("function") or function.get("transform")
    body = {**function, **inner} if isinstance(inner, dict) else function
    return body.get("file") if isinstance(body.get("file"), str) else None


Read = Callable[[str], str | None]


def _set(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    path = [str(part) for part in edit["path"]]
    if not path:
        raise UsageError("an edit needs a path")
    if edit.get("value") is None and not edit.get("keep_null"):
        document.remove(path)
    else:
        document.set(path, unmasked(edit["value"], document.plain(path)))
    return f"Change {path[-1]}", {}


def _remove(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    path = [str(part) for part in edit["path"]]
    if len(path) == 2 and path[0] == "functions":
        users = _users(document, path[1])
        if users:
            raise UsageError(
                f"function `{path[1]}` is used by {', '.join(users)}",
                hint="choose another function there first",
            )
    document.remove(path)
    return f"Delete {path[-1]}", {}


def _add_item(key: str, what: str) -> Callable[..., tuple[str, Texts]]:
    def add(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
        item = dict(edit["item"])
        name = _checked(str(item.get("name", "")))
        _refuse_taken(document, key, name)
        files: Texts = {}
        code = item.pop("code", None)
        if key == "functions" and code is not None:
            if item.get("file"):
                files[_inside(str(item["file"]))] = str(code)
            else:
                item["code"] = str(code)
        document.add_item((key,), item)
        return f"Add {what} {name}", files

    return add


def _rename(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    key, old, new = str(edit["kind"]), str(edit["name"]), _checked(str(edit["to"]))
    if key == "samples":
        path = _sample(old, read)
        if read(sample_lines.beside(path)) is not None:
            raise UsageError(f"{path} has changed messages", hint="save the project first")
        target = path.replace(f"samples/{old}", f"samples/{new}")
        _refuse_sample(new, read)
        return f"Rename {old}", {path: None, target: read(path)}
    _refuse_taken(document, key, new)
    if document.plain((key, old, "name")) != old:
        raise KeyError(old)
    document.set((key, old, "name"), new)
    for sink in document.plain(("sinks",)) or []:
        if key == "functions":
            for role in ROLES:
                if sink.get(role) == old:
                    document.set(("sinks", sink["name"], role), new)
        elif key == "databases":
            if sink.get("database") == old:
                document.set(("sinks", sink["name"], "database"), new)
        elif key == "http_endpoints":
            destination = sink.get("destination") or {}
            if destination.get("http_endpoint") == old:
                document.set(("sinks", sink["name"], "destination", "http_endpoint"), new)
    return f"Rename {old}", {}


def _renamed_tests(edit: Mapping[str, Any], read: Read, paths: list[str]) -> Texts:
    """Files of route tests that name what is renamed, with the new name."""
    found: Texts = {}
    for path in paths:
        text = read(path) if path.endswith((".yaml", ".yml")) else None
        if text is None or str(edit["name"]) not in text:
            continue
        try:
            new = renamed(text, path, str(edit["kind"]), str(edit["name"]), str(edit["to"]))
        except ProjectError:
            continue  # a file that cannot be read is reported where its tests are run
        if new != text:
            found[path] = new
    return found


def _set_test_file(
    edit: Mapping[str, Any], document: YamlDocument, read: Read
) -> tuple[str, Texts]:
    path = _inside(str(edit["path"]))
    if not path.startswith(f"{FOLDER}/") or not path.endswith((".yaml", ".yml")):
        raise UsageError(f"{path} is not a file of route tests")
    return str(edit.get("label") or "Edit tests"), {path: str(edit["text"])}


def _duplicate(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    key, old, new = str(edit["kind"]), str(edit["name"]), _checked(str(edit["to"]))
    _refuse_taken(document, key, new)
    item = {**document.plain((key, old)), "name": new}
    files: Texts = {}
    file = file_of(item) if key == "functions" else None
    if file:
        item["file"] = str(PurePosixPath(file).with_name(new + PurePosixPath(file).suffix))
        files[item["file"]] = read(file) or ""
    document.add_item((key,), item)
    return f"Duplicate {old}", files


def _set_code(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    name, code = str(edit["name"]), str(edit["code"])
    key = "functions" if document.plain(("functions",)) else "transforms"
    function = document.plain((key, name))
    if function is None:
        raise UsageError(f"there is no function `{name}`")
    file = file_of(function)
    if file is not None:
        inside = _inside(file)
        return f"Edit {name}", {inside: sample_lines.with_ends_of(read(inside), code)}
    inner = next((k for k in ("function", "transform") if isinstance(function.get(k), dict)), None)
    path = (key, name, inner, "code") if inner else (key, name, "code")
    document.set(path, code)
    return f"Edit {name}", {}


def _convert(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    """Other code in the other language: language, file and text in one step."""
    name, code, language = str(edit["name"]), str(edit["code"]), str(edit["language"])
    suffix = {"python": ".py", "elixir": ".ex"}[language]
    key = "functions" if document.plain(("functions",)) else "transforms"
    function = document.plain((key, name))
    if function is None:
        raise UsageError(f"there is no function `{name}`")
    inner = next((k for k in ("function", "transform") if isinstance(function.get(k), dict)), None)
    body = (key, name, inner) if inner else (key, name)
    holds = (key, name) if "language" in function else body
    if language == "python":
        document.set((*holds, "language"), language)
    elif "language" in document.plain(holds):
        document.remove((*holds, "language"))
    label = f"Convert {name}"
    file = file_of(function)
    if file is None:
        document.set((*body, "code"), code)
        return label, {}
    old = PurePosixPath(_inside(file))
    new = old.with_suffix(suffix)
    number = 2
    while new != old and read(str(new)) is not None:
        new, number = old.with_name(f"{old.stem}_{number}{suffix}"), number + 1
    document.set((*((key, name) if "file" in function else body), "file"), str(new))
    return label, {str(old): None, str(new): code} if new != old else {str(old): code}


def _set_yaml(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    """The whole text of the YAML file, as it was typed."""
    return draft.take_text(edit, document)


def _set_key(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    """The key of a table in RouteStudio's own `tables`; an empty one is taken out."""
    table, key = str(edit["table"]), [str(column) for column in edit["key"]]
    if not table.strip() or not all(key):
        raise UsageError("a key needs a table and names of columns")
    name = _table_entry(table, document)
    if name is None and key:
        document.add_item((TABLES,), {"name": table, "key": key})
    elif name is not None and key:
        document.set((TABLES, name, "key"), key)
    elif name is not None and document.plain((TABLES, name, "key")) is not None:
        document.remove((TABLES, name, "key"))
    return f"Key of {table}", {}


def _set_column_types(
    edit: Mapping[str, Any], document: YamlDocument, read: Read
) -> tuple[str, Texts]:
    """The types of a table's columns in RouteStudio's own `tables`; an empty one is taken out."""
    table = str(edit["table"])
    given = {str(name): str(type_).strip() for name, type_ in edit["columns"].items()}
    if not table.strip() or not all(given):
        raise UsageError("types need a table and names of columns")
    name = _table_entry(table, document)
    before = (document.plain((TABLES, name, "columns")) or {}) if name is not None else {}
    changed = {**before, **given}
    columns = {column: type_ for column, type_ in changed.items() if type_}
    if name is None and columns:
        document.add_item((TABLES,), {"name": table, "columns": columns})
    elif name is not None and columns:
        document.set((TABLES, name, "columns"), columns)
    elif name is not None and before:
        document.remove((TABLES, name, "columns"))
    return f"Column types of {table}", {}


def _table_entry(table: str, document: YamlDocument) -> str | None:
    """The name under which `tables` has a table: with its schema, or without."""
    items = document.plain((TABLES,)) or []
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return next((n for n in (table, table.partition(".")[2]) if n and n in names), None)


def _mark_environment(
    edit: Mapping[str, Any], document: YamlDocument, read: Read
) -> tuple[str, Texts]:
    return environments.mark(edit, document), {}


def _add_sample(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    name = _checked(str(edit["name"]))
    _refuse_sample(name, read)
    return f"Add samples {name}", {f"samples/{name}.jsonl": str(edit["text"])}


def _set_sample(edit: Mapping[str, Any], document: YamlDocument, read: Read) -> tuple[str, Texts]:
    name = _checked(str(edit["name"]))
    if read(f"samples/{name}.jsonl") is None and _sample_files(name, read):
        file = _sample_files(name, read)[0]
        raise UsageError(f"{file} is not edited here", hint="convert it to JSON lines")
    path = f"samples/{name}.jsonl"
    text = sample_lines.with_ends_of(read(path), str(edit["text"]))
    return f"Edit samples {name}", {path: text, **_forget_lines(path, read)}


def _set_sample_line(
    edit: Mapping[str, Any], document: YamlDocument, read: Read
) -> tuple[str, Texts]:
    name, ending = _checked(str(edit["name"])), str(edit.get("ending", sample_lines.ENDINGS[0]))
    if ending not in sample_lines.ENDINGS:
        raise UsageError(f"messages of {name}{ending} are not edited", hint="use JSON lines")
    kept = sample_lines.beside(f"samples/{name}{ending}")
    return f"Edit samples {name}", {kept: sample_lines.changed(read(kept), edit)}


def _forget_lines(path: str, read: Read) -> Texts:
    kept = sample_lines.beside(path)
    return {} if read(kept) is None else {kept: None}


def _remove_sample(
    edit: Mapping[str, Any], document: YamlDocument, read: Read
) -> tuple[str, Texts]:
    name = _checked(str(edit["name"]))
    path = _sample(name, read)
    return f"Delete samples {name}", {path: None, **_forget_lines(path, read)}


def _sample_files(name: str, read: Read) -> list[str]:
    paths = [f"samples/{name}{ending}" for ending in (".jsonl", ".ndjson", ".json", ".csv")]
    return [path for path in paths if read(path) is not None]


def _sample(name: str, read: Read) -> str:
    found = _sample_files(_checked(name), read)
    if not found:
        raise UsageError(f"there is no sample `{name}`")
    return found[0]


def _refuse_sample(name: str, read: Read) -> None:
    if _sample_files(name, read):
        raise UsageError(f"there is a sample `{name}` already", hint="choose another name")


def _checked(name: str) -> str:
    if not NAME.fullmatch(name) or name in ("none", "null", "nil", ".", ".."):
        raise UsageError(f"`{name[:40]}` is not a name", hint="letters, digits, `_`, `-` and `.`")
    return name


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise UsageError(f"{path} is outside of the project", hint="choose a path inside of it")
    return str(pure)


def _refuse_taken(document: YamlDocument, key: str, name: str) -> None:
    if any(item.get("name") == name for item in document.plain((key,)) or []):
        raise UsageError(f"`{name}` is already in `{key}`", hint="choose another name")


def _users(document: YamlDocument, function: str) -> list[str]:
    sinks = document.plain(("sinks",)) or []
    return [s["name"] for s in sinks if any(s.get(role) == function for role in ROLES)]


_HANDLERS: Final[Mapping[str, Callable[..., tuple[str, Texts]]]] = {
    "set": _set,
    "remove": _remove,
    "rename": _rename,
    "duplicate": _duplicate,
    "add_sink": _add_item("sinks", "sink"),
    "add_function": _add_item("functions", "function"),
    "add_endpoint": _add_item("http_endpoints", "endpoint"),
    "add_database": _add_item("databases", "database"),
    "set_code": _set_code,
    "set_yaml": _set_yaml,
    "convert": _convert,
    "set_key": _set_key,
    "set_column_types": _set_column_types,
    "mark_environment": _mark_environment,
    "add_sample": _add_sample,
    "set_sample": _set_sample,
    "set_sample_line": _set_sample_line,
    "remove_sample": _remove_sample,
    "set_test_file": _set_test_file,
}
