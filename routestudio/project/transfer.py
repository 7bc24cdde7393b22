"""To and from servers: import a `sequin.yaml`, export one, export a folder for the runner.

A secret is never written: literal secrets become references on import, and exports keep
references as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from routestudio.errors import ConfigError, FieldProblem, Place, ProjectError, UsageError
from routestudio.model.function import Language
from routestudio.model.project import Project
from routestudio.project.document import YamlDocument
from routestudio.project.environment import Environment, is_reference, references
from routestudio.project.files import read_text, write_text
from routestudio.project.store import FILE, MAX_FILE, OpenProject

SecretKeys = Callable[[str], Collection[str]]
WriteAlways = Callable[[str], Mapping[str, Any]]
"""For a sink type: the configuration keys that an export must write, with their defaults."""

_FUNCTION_ROLES = ("filter", "transform", "routing", "enrichment")

__all__ = ["export_routestudio", "export_sequin", "import_file", "write_text"]


def import_file(
    source: Path, output: Path, sink_types: Mapping[str, str], secret_keys: SecretKeys
) -> list[Path]:
    """Make a project folder from a server's YAML. Returns the written files.

    Literal secrets move to `.env` and become references. Raises `ProjectError` for an unreadable
    source, an output that is not empty, and masked secrets.
    """
    if output.exists() and any(output.iterdir()):
        raise ProjectError("is not empty", place=Place(str(output)), hint="name a new folder")
    document = YamlDocument(read_text(source, limit=MAX_FILE), name=str(source))
    opened = OpenProject(source.absolute().parent, source.absolute(), sink_types)
    masked = [p for p in opened.project.problems if p.code == "masked_secret"]
    if masked:
        raise ProjectError(masked[0].message, place=masked[0].place, hint=masked[0].hint)
    environment = Environment(output)
    secrets: dict[str, str] = {}
    for path, value in _literal_secrets(opened.project, secret_keys):
        name = _variable(path)
        secrets[name] = value
        document.set(path, "${" + name + "}")
    written = [output / FILE]
    write_text(output / FILE, document.text)
    for function in opened.project.functions:
        if function.file is not None:
            text = opened.read(function.file)
            if text is not None and not Path(function.file).is_absolute():
                write_text(output / function.file, text)
                written.append(output / function.file)
    for name, value in secrets.items():
        environment.store.put(name, value, where="env")
    if secrets:
        written.append(output / ".env")
    (output / "samples").mkdir(exist_ok=True)
    return written


def export_sequin(opened: OpenProject, write_always: WriteAlways | None = None) -> str:
    """The YAML that a Sequin server accepts. Raises `ConfigError` that lists what it refuses.

    Comments and order are kept; RouteStudio's own keys are removed; function files are inlined;
    the keys whose absence defeats a server's defaults are written (sinks.md, YML-06, YML-07).
    """
    project = opened.project
    refused = [
        FieldProblem(
            f.name,
            "is a Python function, and a Sequin server runs Elixir only",
            "give it an Elixir form, or export with `--target routestudio`",
        )
        for f in project.functions
        if f.language is Language.PYTHON
    ]
    refused += [
        FieldProblem(".".join(p.place.path) or "file", p.message, p.hint)
        for p in project.problems
        if p.severity == "error"
    ]
    if refused:
        raise ConfigError("cannot be exported for a Sequin server", refused)
    document = YamlDocument(opened.document.text, name=FILE)
    key = "functions" if document.plain(("functions",)) else "transforms"
    for function in project.functions:
        item = document.plain((key, function.name)) or {}
        if "language" in item:
            document.remove((key, function.name, "language"))
        if function.file is not None:
            document.remove((key, function.name, "file"))
            document.set((key, function.name, "code"), function.code)
        if item.get("sink_type") == "http_push":
            document.set((key, function.name, "sink_type"), "webhook")
    for sink in project.sinks:
        written = document.plain(("sinks", sink.name)) or {}
        for role in _FUNCTION_ROLES:
            if written.get(role) is None:
                document.set(("sinks", sink.name, role), "none")
        for name, default in (write_always(sink.type) if write_always else {}).items():
            if sink.destination.get(name) is None:
                document.set(("sinks", sink.name, "destination", name), default)
    return document.text


def export_routestudio(opened: OpenProject, folder: Path) -> list[Path]:
    """A self-contained folder for `routestudio run` on a server. Returns the written files.

    Holds the YAML, functions, samples and route tests; `.env.example` names the variables that
    must be set there, without values.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="name a new folder")
    written: list[Path] = []

    def put(relative: str, text: str) -> None:
        write_text(folder / relative, text)
        written.append(folder / relative)

    put(FILE, opened.document.text)
    for function in opened.project.functions:
        if function.file is not None:
            put(function.file, function.code)
    for kind in ("samples", "tests"):
        source = opened.root / kind
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if path.is_file():
                    relative = path.relative_to(opened.root).as_posix()
                    text = opened.read(relative)
                    if text is not None:
                        put(relative, text)
    needed = sorted(references(opened.document.plain()))
    if needed:
        head = "# Variables that this project needs. Copy to .env and fill in.\n"
        put(".env.example", head + "".join(f"{name}=\n" for name in needed))
        put(".gitignore", ".env\n.routestudio/\n")
    put("README.md", _readme(opened.project, needed))
    return written


def _readme(project: Project, needed: list[str]) -> str:
    lines = [f"# {project.root.name}", "", "A RouteStudio project for the headless runner.", ""]
    if needed:
        lines += ["Set these variables, or copy `.env.example` to `.env`:", ""]
        lines += [f"- `{name}`" for name in needed] + [""]
    lines += ["Deliver messages (JSON lines) from standard input:", ""]
    for sink in project.sinks:
        lines.append(f"    routestudio run . {sink.name} --input - --dead-letters dead.jsonl")
    return "\n".join([*lines, "", "Check the connections first: `routestudio check .`", ""])


def _literal_secrets(
    project: Project, secret_keys: SecretKeys
) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    for sink in project.sinks:
        for key in secret_keys(sink.type):
            value = sink.destination.get(key)
            if isinstance(value, str) and value and not is_reference(value):
                found.append((("sinks", sink.name, "destination", key), value))
    for name, endpoint in project.http_endpoints.items():
        headers = endpoint.get("encrypted_headers")
        if isinstance(headers, Mapping):
            for key, value in headers.items():
                if isinstance(value, str) and not is_reference(value):
                    found.append((("http_endpoints", name, "encrypted_headers", key), value))
        elif isinstance(headers, list):
            for index, item in enumerate(headers):
                if isinstance(item, Mapping) and not is_reference(item.get("value")):
                    place = ("http_endpoints", name, "encrypted_headers", str(index), "value")
                    found.append((place, str(item.get("value"))))
    return found


def _variable(path: tuple[str, ...]) -> str:
    parts = [part for part in path[1:] if part not in ("destination", "encrypted_headers", "value")]
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")
    return name if name[:1].isalpha() else f"S_{name}"
