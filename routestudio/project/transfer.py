"""To and from servers: import a `sequin.yaml`, export one, export a folder for the runner.

A secret is never written: literal secrets become references on import, and exports keep
references as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from routestudio.errors import ConfigError, FieldProblem, Place, ProjectError, UsageError
from routestudio.model.function import Language
from routestudio.model.project import Project
from routestudio.project import environments
from routestudio.project.carried import Carried
from routestudio.project.document import YamlDocument
from routestudio.project.environment import Environment, references
from routestudio.project.files import inside, read_text, write_parts, write_text
from routestudio.project.sample_lines import lines_with
from routestudio.project.secrets import (
    SecretKeys,
    literal_secrets,
    secret_variables,
    with_reference,
)
from routestudio.project.server_form import ServerExport, WriteAlways, refusals, rewrite
from routestudio.project.splicing import Change
from routestudio.project.store import FILE, MAX_YAML, OpenProject

__all__ = [
    "ServerExport", "export_for_server", "export_routestudio", "export_sequin", "import_file",
    "write_text",
]  # fmt: skip


def import_file(
    source: Path, output: Path, sink_types: Mapping[str, str], secret_keys: SecretKeys
) -> list[Path]:
    """Make a project folder from a server's YAML. Returns the written files.

    Literal secrets move to `.env` and become references. Raises `ProjectError` for an unreadable
    source, an output that is not empty, and masked secrets.
    """
    if output.exists() and any(output.iterdir()):
        raise ProjectError("is not empty", place=Place(str(output)), hint="name a new folder")
    document = YamlDocument(read_text(source, limit=MAX_YAML), name=str(source))
    opened = OpenProject(source.absolute().parent, source.absolute(), sink_types)
    masked = [p for p in opened.project.problems if p.code == "masked_secret"]
    if masked:
        raise ProjectError(masked[0].message, place=masked[0].place, hint=masked[0].hint)
    taken = references(document.plain())
    secrets: dict[str, str] = {}
    changes: list[Change] = []
    for path, value in list(literal_secrets(document.plain(), sink_types, secret_keys)):
        name = _variable(path, taken)
        taken.add(name)
        secrets[name] = value
        reference = "${" + name + "}"
        text = with_reference(str(document.plain(path)), value, reference)
        changes.append(Change(path, text))
    document.change_all(changes)
    files = _function_files(opened)
    output.mkdir(parents=True, exist_ok=True)
    if secrets:
        Environment(output).store.put_all(secrets)
    written = [output / ".env"] if secrets else []
    for relative, text in {FILE: document.text, **files}.items():
        write_text(inside(output, relative), text)
        written.append(output / relative)
    (output / "samples").mkdir(exist_ok=True)
    return written


def export_sequin(
    opened: OpenProject,
    write_always: WriteAlways | None = None,
    secret_keys: SecretKeys | None = None,
) -> str:
    """The YAML that a Sequin server accepts. Raises `ConfigError` that lists what it refuses."""
    return export_for_server(opened, write_always, secret_keys).text


def export_for_server(
    opened: OpenProject,
    write_always: WriteAlways | None = None,
    secret_keys: SecretKeys | None = None,
    converted: Mapping[str, str] | None = None,
) -> ServerExport:
    """The YAML that a Sequin server accepts, with notes. Raises `ConfigError`.

    Comments and order are kept; RouteStudio's own keys are removed; function files are inlined;
    the keys whose absence defeats a server's defaults are written (YML-06, YML-07);
    Google's credentials become a map. An export of an export is the same text. `converted` holds
    the Elixir code of Python functions, by name; those without it are refused.
    """
    project = opened.project
    converted = converted or {}
    refused = _literals(opened, secret_keys)
    refused += [
        FieldProblem(
            f.name,
            "is a Python function, and a Sequin server runs Elixir only",
            "give it an Elixir form, or export with `--target routestudio`",
        )
        for f in project.functions
        if f.language is Language.PYTHON and f.name not in converted
    ]
    refused += [
        FieldProblem(".".join(p.place.path) or "file", p.message, p.hint)
        for p in project.problems
        if p.severity == "error"
    ]
    refused += refusals(project, opened.document.plain())
    if refused:
        raise ConfigError("cannot be exported for a Sequin server", refused)
    document = YamlDocument(opened.document.text, name=FILE)
    notes = rewrite(document, project, write_always, converted)
    carried = _carried(opened, secret_keys).in_yaml(document.text, document.plain())
    if carried:
        raise ConfigError("cannot be exported for a Sequin server", carried)
    return ServerExport(document.text, tuple(notes))


def export_routestudio(
    opened: OpenProject, folder: Path, secret_keys: SecretKeys | None = None
) -> list[Path]:
    """A self-contained folder for `routestudio run` on a server. Returns the written files.

    Holds the YAML, functions, samples and route tests; `.env.example` names the variables that
    must be set there, without values. Raises `ConfigError` that lists what it refuses.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder", hint="name a new folder")
    refused = _literals(opened, secret_keys)
    refused += [
        FieldProblem(".".join(p.place.path), p.message, p.hint)
        for p in opened.project.problems
        if p.code == "file"
    ]
    if refused:
        raise ConfigError("cannot be exported", refused)
    carried = _carried(opened, secret_keys)
    refused = carried.in_yaml(opened.document.text, opened.document.plain())
    for relative, lines in _contents(opened):
        shown = (line.decode("utf-8", "replace") for line in lines)
        code = not relative.startswith(("samples/", "tests/"))
        refused += carried.in_lines(relative, shown, code=code)
    if refused:
        raise ConfigError("cannot be exported", refused)
    written = _copied(opened, folder)

    def put(relative: str, text: str) -> None:
        write_text(folder / relative, text)
        written.append(folder / relative)

    needed = sorted(references(opened.document.plain()))
    if needed:
        head = "# Variables that this project needs. Copy to .env and fill in.\n"
        put(".env.example", head + "".join(f"{name}=\n" for name in needed))
        put(".gitignore", "".join(f"{entry}\n" for entry in environments.IGNORED))
    put("README.md", _readme(opened.project, needed))
    return written


def _copied(opened: OpenProject, folder: Path) -> list[Path]:
    written = [folder / FILE]
    write_text(folder / FILE, opened.document.text)
    for relative, lines in _contents(opened):
        write_parts(inside(folder, relative), lines)
        written.append(folder / relative)
    return written


def _contents(opened: OpenProject) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The project's other files with their lines as they would be saved."""
    for relative, text in _function_files(opened).items():
        yield relative, _lines(text)
    for relative in [*opened.files("samples"), *opened.files("tests")]:
        source = inside(opened.root, relative)
        changes = opened.changed_lines(relative)
        if relative in opened.dirty and not changes:
            yield relative, _lines(opened.read(relative) or "")
        else:
            yield relative, lines_with(source, changes)


def _lines(text: str) -> list[bytes]:
    return text.encode("utf-8", "surrogatepass").splitlines(keepends=True)


def _carried(opened: OpenProject, secret_keys: SecretKeys | None) -> Carried:
    data = opened.document.plain()
    known = secret_variables(data, opened.sink_types, secret_keys)
    return Carried(opened.environment.secrets(references(data), known))


def _function_files(opened: OpenProject) -> dict[str, str]:
    """The texts of function files, by relative path; broken ones are left out."""
    found = {}
    for function in opened.project.functions:
        if function.file is not None:
            try:
                text = opened.read(function.file)
            except ProjectError:
                text = None
            if text is not None:
                found[function.file] = text
    return found


def _literals(opened: OpenProject, secret_keys: SecretKeys | None) -> list[FieldProblem]:
    found = literal_secrets(opened.document.plain(), opened.sink_types, secret_keys)
    return [
        FieldProblem(
            ".".join(path), "holds a secret itself, and exports never do",
            "store the secret: the YAML then holds a reference like ${NAME}",
        )
        for path, _ in found
    ]  # fmt: skip


def _readme(project: Project, needed: list[str]) -> str:
    lines = [f"# {project.root.name}", "", "A RouteStudio project for the headless runner.", ""]
    if needed:
        lines += ["Set these variables, or copy `.env.example` to `.env`:", ""]
        lines += [f"- `{name}`" for name in needed] + [""]
    lines += ["Deliver messages (JSON lines) from standard input:", ""]
    for sink in project.sinks:
        lines.append(f"    routestudio run . {sink.name} --input - --dead-letters dead.jsonl")
    return "\n".join([*lines, "", "Check the connections first: `routestudio check .`", ""])


def _variable(path: tuple[str, ...], taken: Collection[str]) -> str:
    generic = ("destination", "headers", "encrypted_headers", "value")
    parts = [part for part in path[1:] if part not in generic]
    if path[0] == "http_endpoints" and path[-1] == "url":
        parts[-1] = "user_info"
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")
    name = name if name[:1].isalpha() else f"S_{name}"
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free
