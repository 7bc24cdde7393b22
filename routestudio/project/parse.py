"""From a YAML document to a `Project`: what can be read is read, the rest becomes problems."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from routestudio.errors import Place, ProjectError
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.project import (
    LEGACY_KEYS,
    SHARED_KEYS,
    Project,
    ProjectProblem,
    SharedKey,
    SinkSpec,
)
from routestudio.project import environments, tables
from routestudio.project.document import YamlDocument
from routestudio.project.environment import Environment, references
from routestudio.project.kept_sinks import Found, KeptSinks
from routestudio.project.secrets import masked_secrets
from routestudio.project.server_keys import SERVER_ONLY

T = TypeVar("T")
NAME: Final = re.compile(r"[a-zA-Z0-9_\-.]+")
_RESERVED: Final = ("none", "null", "nil")
_TOP: Final = ("databases", "http_endpoints", "functions", "transforms", "sinks", tables.KEY,
              environments.KEY)  # fmt: skip
_FUNCTION_KEYS: Final = frozenset(
    {"name", "description", "type", "sink_type", "code", "path", "file", "language", "function",
     "transform", "id", "inserted_at", "updated_at", "account_id"}
)  # fmt: skip
ReadFile = Callable[[str], str]


def parse(
    document: YamlDocument,
    root: Path,
    file: Path,
    sink_types: Mapping[str, str],
    read_file: ReadFile,
    samples: Iterable[str],
    environment: Environment | None = None,
    kept: KeptSinks | None = None,
) -> Project:
    """The project that a document describes. `sink_types` maps YAML types to sink keys.

    `read_file` gives the text of a function's file and raises `ProjectError`. With `environment`,
    the shared keys of sinks may hold references, as on a server.
    """
    reader = _Reader(document, file.name, sink_types, read_file, environment)
    functions = reader.functions()
    endpoints = reader.endpoints()
    databases = {str(item["name"]): item for item in reader.databases()}
    sinks = reader.sinks({f.name: f for f in functions}, kept or KeptSinks())
    described = reader.own(tables.KEY, tables.read)
    marks = reader.own(environments.KEY, environments.read)
    return Project(root, file, sinks, functions, endpoints, databases, tuple(samples),
                   tuple(reader.problems), described, marks)  # fmt: skip


class _Reader:
    def __init__(
        self,
        document: YamlDocument,
        name: str,
        sink_types: Mapping[str, str],
        read_file: ReadFile,
        environment: Environment | None,
    ) -> None:
        self._environment = environment
        self._document = document
        self._file = name
        self._types = sink_types
        self._read_file = read_file
        self._data = document.plain() or {}
        self.problems: list[ProjectProblem] = []
        self._noted: list[Found] = []

    def named(self, key: str) -> list[dict[str, Any]]:
        """The well-formed items of a top-level list; the others become problems."""
        items = self._data.get(key)
        if items is None:
            return []
        if not isinstance(items, list):
            self._error(
                "wrong_type", f"`{key}` must be a list", (key,), "start each entry with `-`"
            )
            return []
        found: list[dict[str, Any]] = []
        names: set[str] = set()
        for index, item in enumerate(items):
            path = (key, str(index))
            if not isinstance(item, dict):
                self._error("wrong_type", f"an entry of `{key}` must be a map", path)
                continue
            name = item.get("name")
            if not isinstance(name, str) or not NAME.fullmatch(name) or name in _RESERVED:
                text = "has no name" if name is None else f"has an invalid name: {str(name)[:40]!r}"
                self._error(
                    "name", f"an entry of `{key}` {text}", path, "letters, digits, `_`, `-` and `.`"
                )
                continue
            if name in names:
                self._error("duplicate", f"`{name}` is twice in `{key}`", path, "rename one")
                continue
            names.add(name)
            found.append(item)
        return found

    def own(self, key: str, read: Callable[[Any, tables.Report], T]) -> T:
        return read(self._data.get(key), lambda text, path, hint, severity: self._add(
            severity, key, text, path, hint))  # fmt: skip

    def functions(self) -> tuple[Function, ...]:
        if self._data.get("functions") and self._data.get("transforms"):
            text = "`functions` and `transforms` cannot both be given"
            self._error("both", text, ("transforms",), "move the entries to `functions`")
        key = "functions" if self._data.get("functions") else "transforms"
        for name in self._data:
            near = difflib.get_close_matches(str(name), _TOP, n=1, cutoff=0.8)
            if near and name not in _TOP:
                hint = f"did you mean `{near[0]}`?"
                self._add("warning", "unknown_key", f"unknown key `{name}`", (name,), hint)
        return tuple(self._function(key, item) for item in self.named(key))

    def _function(self, key: str, item: dict[str, Any]) -> Function:
        name = item["name"]
        if item.get("function") is not None and item.get("transform") is not None:
            text = f"function `{name}` has both `function` and `transform`"
            self._error("both", text, (key, name, "transform"), "keep `function`")
        inner = item.get("function") or item.get("transform") or {}
        body = {**item, **inner} if isinstance(inner, dict) else item
        for unknown in [k for k in item if k not in _FUNCTION_KEYS]:
            near = difflib.get_close_matches(str(unknown), _FUNCTION_KEYS, n=1)
            text = f"function `{name}` has an unknown key `{unknown}`"
            hint = f"did you mean `{near[0]}`?" if near else None
            self._error("unknown_key", text, (key, name, unknown), hint)
        kind_name = str(body.get("type", "transform" if key == "transforms" else ""))
        kind_name = {"function": "transform"}.get(kind_name, kind_name)
        try:
            kind = FunctionKind(kind_name)
        except ValueError:
            self._error(
                "function_type",
                f"function `{name}` has no valid `type`",
                (key, name),
                "types: " + ", ".join(FunctionKind),
            )
            kind = FunctionKind.TRANSFORM
        language = Language.ELIXIR
        if body.get("language") is not None:
            try:
                language = Language(body["language"])
            except ValueError:
                text = f"function `{name}`: unknown language"
                self._error("language", text, (key, name, "language"), "languages: python, elixir")
        code = body.get("code")
        file = body.get("file")
        if isinstance(file, str):
            code = self._code_of(key, name, file)
        if kind is FunctionKind.PATH:
            if not isinstance(body.get("path"), str):
                self._error("path", f"path function `{name}` has no `path`", (key, name))
        elif not isinstance(code, str):
            self._error(
                "code", f"function `{name}` has no `code`", (key, name), "add `code: |` or `file:`"
            )
        return Function(
            name, kind, language, code if isinstance(code, str) else "",
            body.get("path") if isinstance(body.get("path"), str) else None,
            self._types.get(body["sink_type"], body["sink_type"])
            if isinstance(body.get("sink_type"), str) else None,
            body.get("description") if isinstance(body.get("description"), str) else None,
            file if isinstance(file, str) else None,
        )  # fmt: skip

    def _code_of(self, key: str, name: str, file: str) -> str | None:
        try:
            return self._read_file(file)
        except ProjectError as error:
            self._error(
                "file",
                f"function `{name}`: {file} {error.message}",
                (key, name, "file"),
                "correct the path, or create the file",
            )
            return None

    def databases(self) -> list[dict[str, Any]]:
        items = self.named("databases")
        for item in items:
            secret = {key: item.get(key) for key in ("password", "primary")}
            self._masked(("databases", item["name"]), secret)
        return items

    def endpoints(self) -> dict[str, dict[str, Any]]:
        items = self.named("http_endpoints")
        for item in items:
            path = ("http_endpoints", item["name"], "encrypted_headers")
            self._masked(path, item.get("encrypted_headers"))
        return {
            item["name"]: {k: v for k, v in item.items() if k not in ("name", "id", "inserted_at",
                                                                       "updated_at", "account_id")}
            for item in items
        }  # fmt: skip

    def sinks(self, functions: Mapping[str, Function], kept: KeptSinks) -> tuple[SinkSpec, ...]:
        token = self._environment.token if self._environment is not None else None
        around = ([(f.name, f.kind) for f in functions.values()], token)
        known, found = kept.start(around), []
        for item in self.named("sinks"):
            old = known.get(id(item))
            if old is not None and old[0] is item:
                spec, problems = old[1], old[2]
                for problem in problems:
                    self._add(*problem)
            else:
                self._noted = problems = []
                spec = self._sink(item, functions)
            kept.keep(item, spec, problems)
            if spec is not None:
                found.append(spec)
        self._noted = []
        return tuple(found)

    def _sink(self, item: dict[str, Any], functions: Mapping[str, Function]) -> SinkSpec | None:
        name = item["name"]
        known = {key.name for key in SHARED_KEYS}
        for unknown in [k for k in item if k not in known and k not in LEGACY_KEYS]:
            near = difflib.get_close_matches(str(unknown), known, n=1)
            text = f"sink `{name}` has an unknown key `{unknown}`"
            hint = f"did you mean `{near[0]}`?" if near else None
            self._error("unknown_key", text, ("sinks", name, unknown), hint)
        values = {key.name: self._value(key, item, functions) for key in SHARED_KEYS}
        destination = item.get("destination")
        if not isinstance(destination, dict):
            self._error(
                "destination",
                f"sink `{name}` has no `destination`",
                ("sinks", name),
                "add `destination:` with a `type`",
            )
            return None
        self._masked(("sinks", name, "destination"), destination)
        type_name = destination.get("type")
        if isinstance(type_name, str) and type_name in SERVER_ONLY:
            text = f"sink `{name}`: RouteStudio does not deliver to `{type_name}`"
            path = ("sinks", name, "destination", "type")
            self._add("warning", "server_only", text, path, "it is kept as it is")
            return None
        if not isinstance(type_name, str) or type_name not in self._types:
            near = difflib.get_close_matches(str(type_name), self._types, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"types: {', '.join(self._types)}"
            shown = "has no type" if type_name is None else f"has the unknown type `{type_name}`"
            self._error(
                "sink_type", f"sink `{name}` {shown}", ("sinks", name, "destination", "type"), hint
            )
            return None
        return SinkSpec(
            name=name,
            type=self._types[type_name],
            yaml_type=type_name,
            database=values["database"],
            status=values["status"],
            actions=tuple(values["actions"]),
            batch_size=values["batch_size"],
            filter=values["filter"],
            transform=values["transform"],
            routing=values["routing"],
            enrichment=values["enrichment"],
            timestamp_format=values["timestamp_format"],
            max_retry_count=values["max_retry_count"],
            load_shedding_policy=values["load_shedding_policy"],
            message_grouping=values["message_grouping"],
            annotations=values["annotations"] or {},
            source=values["source"] or {},
            tables=self._tables(name, values["tables"] or []),
            destination={k: v for k, v in destination.items() if k != "type"},
        )

    def _value(
        self, key: SharedKey, item: dict[str, Any], functions: Mapping[str, Function]
    ) -> Any:
        """The value of a shared key; a wrong one is a problem and gives the default."""
        value, path = item.get(key.name), ("sinks", item["name"], key.name)
        resolved = key.kind != "integer" and key.name not in ("name", "destination")
        if self._environment is not None and resolved and references(value):
            missing = sorted(self._environment.missing(value))
            if missing:
                text = f"`{key.name}`: variable `{missing[0]}` is not set"
                self._add("warning", "unset", text, path, "its default is taken")
            value = None if missing else self._environment.resolve(value)
            if missing or value == "":
                return key.default
        if value is None:
            if key.required and key.name not in ("name", "destination"):
                self._add(
                    "warning",
                    "missing",
                    f"sink `{item['name']}` has no `{key.name}`",
                    ("sinks", item["name"]),
                    "a Sequin server demands it",
                )
            return key.default
        match key.kind:
            case "function":
                return self._function_name(key, value, item["name"], path, functions)
            case "integer":
                if not isinstance(value, int) or isinstance(value, bool):
                    self._error(
                        "wrong_type",
                        f"`{key.name}` must be a whole number",
                        path,
                        "a reference such as ${SIZE} stays text and is refused by a server"
                        if isinstance(value, str) and "$" in value
                        else None,
                    )
                    return key.default
                if (key.minimum is not None and value < key.minimum) or (
                    key.maximum is not None and value > key.maximum
                ):
                    self._error(
                        "range", f"`{key.name}` must be {key.minimum} to {key.maximum}", path
                    )
                    return key.default
            case "flag":
                if isinstance(value, str) and value.lower() in ("true", "false"):
                    return value.lower() == "true"
                if not isinstance(value, bool):
                    self._error("wrong_type", f"`{key.name}` must be true or false", path)
                    return key.default
            case "choice":
                if value not in key.choices:
                    self._error(
                        "choice", f"`{key.name}` must be one of {', '.join(key.choices)}", path
                    )
                    return key.default
            case "choices":
                if not isinstance(value, list) or not set(map(str, value)) <= set(key.choices):
                    self._error(
                        "choice", f"`{key.name}` must be a list of {', '.join(key.choices)}", path
                    )
                    return key.default
            case "text":
                if not isinstance(value, str):
                    self._error("wrong_type", f"`{key.name}` must be text", path)
                    return key.default
            case "map" | "list":
                kind = dict if key.kind == "map" else list
                if not isinstance(value, kind):
                    self._error("wrong_type", f"`{key.name}` must be a {key.kind}", path)
                    return key.default
        return value

    def _function_name(
        self,
        key: SharedKey,
        value: Any,
        sink: str,
        path: tuple[str, ...],
        functions: Mapping[str, Function],
    ) -> str | None:
        if value == "none":
            return None
        function = functions.get(value) if isinstance(value, str) else None
        if function is None:
            near = difflib.get_close_matches(str(value), functions, n=1)
            self._error(
                "missing_function",
                f"sink `{sink}`: there is no function `{value}`",
                path,
                f"did you mean `{near[0]}`?" if near else "add it under `functions`",
            )
            return None
        if function.kind.value not in key.choices:
            self._error(
                "function_kind",
                f"`{value}` is a {function.kind.value} function, not {' or '.join(key.choices)}",
                path,
                "choose another function",
            )
            return None
        return function.name

    def _tables(self, sink: str, items: list[Any]) -> dict[str, tuple[str, ...]]:
        found = {}
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                self._error(
                    "tables", "an entry of `tables` needs a name", ("sinks", sink, "tables")
                )
                continue
            columns = item.get("group_column_names") or []
            name = item["name"] if "." in item["name"] else f"public.{item['name']}"
            found[name] = tuple(map(str, columns)) if isinstance(columns, list) else ()
        return found

    def _masked(self, path: tuple[str, ...], value: Any) -> None:
        for found in masked_secrets(path, value):
            self._error(
                "masked_secret",
                f"`{found[-1]}` holds a masked secret, not the real one",
                found,
                "export with the sensitive values, or write a reference like ${NAME}",
            )

    def _error(
        self, code: str, message: str, path: tuple[Any, ...], hint: str | None = None
    ) -> None:
        self._add("error", code, message, path, hint)

    def _add(
        self, severity: Any, code: str, message: str, path: tuple[Any, ...], hint: str | None
    ) -> None:
        self._noted.append((severity, code, message, path, hint))
        names = tuple(str(part) for part in path)
        line, column = self._document.position(names)
        place = Place(self._file, line, column, names)
        self.problems.append(ProjectProblem(severity, code, message, place, hint))
