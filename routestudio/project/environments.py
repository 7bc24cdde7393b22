"""Named environments of a project: `.env.NAME` over `.env`, and what the project states of each.

An environment is there when its file is, or when the project names it under its own key
`environments`. The file is each user's own and git ignores it; what everybody who delivers from
the project must know (its colour, whether it is read-only) is in the project (decision 0025).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import RouteStudioError, UsageError
from routestudio.model.project import ENVIRONMENT_COLOURS as COLOURS
from routestudio.model.project import ENVIRONMENT_NAME, EnvironmentMark
from routestudio.project import tables

if TYPE_CHECKING:
    from routestudio.project.document import YamlDocument
    from routestudio.project.store import OpenProject

KEY: Final = "environments"
COMMON: Final = ".env"
"""The file of the variables that all environments share."""
IGNORED: Final = (COMMON, f"{COMMON}.*", f"!{COMMON}.example", ".routestudio/")
"""What git ignores in a project that RouteStudio makes."""

_NAME: Final = re.compile(ENVIRONMENT_NAME)
_OTHER: Final = frozenset({"example", "sample", "template", "dist", "bak", "old", "orig", "swp",
                           "tmp"})  # fmt: skip
"""What follows `.env.` in names of files that hold no environment."""
_PRODUCTION: Final = re.compile(r"(^|[_-])(prod|production|live)($|[_-])")
_KEYS: Final = frozenset({"name", "colour", "read_only"})
_ALLOWED: Final = "up to 40 lower-case letters, digits, `_` and `-`, no sign first"

Report = Callable[[str, tuple[str, ...], str | None], None]
"""Takes a fault, the path to it, and a hint."""


def usual(name: str) -> EnvironmentMark:
    """Without anything in the project: what is called production is read-only."""
    if _PRODUCTION.search(name):
        return EnvironmentMark(name, "red", read_only=True)
    return EnvironmentMark(name)


def is_name(name: str) -> bool:
    """Whether an environment may be called so. Capitals are not: some systems' files ignore them,
    and one file would be two environments with two marks."""
    return _NAME.fullmatch(name) is not None and name not in _OTHER


def refuse_name(name: str) -> None:
    """Raise `UsageError` for what cannot be the name of an environment."""
    if name in _OTHER:
        raise UsageError(f"`{file_of(name)}` is not a file of an environment",
                         hint="it counts as a template or a copy; take another name")  # fmt: skip
    if not is_name(name):
        shown = name[:40]
        raise UsageError(f"`{shown}` is not a name of an environment", hint=f"use {_ALLOWED}")


def file_of(name: str | None) -> str:
    """The file of an environment's variables, or of the shared ones."""
    return COMMON if name is None else f"{COMMON}.{name}"


def found(root: Path) -> tuple[str, ...]:
    """The environments that have a file in a project's folder, sorted."""
    start = f"{COMMON}."
    try:
        names = [p.name.removeprefix(start) for p in root.iterdir() if p.name.startswith(start)]
    except OSError:
        return ()
    return tuple(sorted(name for name in names if is_name(name)))


def read(value: Any, note: tables.Report) -> tuple[EnvironmentMark, ...]:
    """The environments that a project names; what is not well-formed is reported and left out."""

    def report(text: str, path: tuple[str, ...], hint: str | None) -> None:
        note(text, path, hint, "error")

    if value is None:
        return ()
    if not isinstance(value, list):
        report(f"`{KEY}` must be a list", (KEY,), "start each entry with `-`")
        return ()
    marks: dict[str, EnvironmentMark] = {}
    for index, item in enumerate(value):
        path = (KEY, str(index))
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or not is_name(name):
            report(f"an entry of `{KEY}` must be a map with a `name`", path,
                   f"name: production ({_ALLOWED})")  # fmt: skip
            continue
        for unknown in [str(key) for key in item if key not in _KEYS]:
            report(f"environment `{name}` has an unknown key `{unknown}`", path,
                   "known: name, colour, read_only")  # fmt: skip
        if name in marks:
            report(f"`{name}` is twice in `{KEY}`", path, "put the entries together")
            continue
        marks[name] = _mark(name, item, path, report)
    return tuple(marks.values())


def _mark(
    name: str, item: Mapping[str, Any], path: tuple[str, ...], report: Report
) -> EnvironmentMark:
    mark = usual(name)
    colour, read_only = item.get("colour", mark.colour), item.get("read_only", mark.read_only)
    if colour not in COLOURS:
        report(f"the `colour` of environment `{name}` is not one of them", path,
               f"colours: {', '.join(COLOURS)}")  # fmt: skip
        colour = mark.colour
    if not isinstance(read_only, bool):
        report(f"`read_only` of environment `{name}` must be true or false", path, None)
        read_only = True  # unsure means that nothing is written there
    return EnvironmentMark(name, colour, read_only)


def marks_of(named: Iterable[EnvironmentMark], root: Path) -> tuple[EnvironmentMark, ...]:
    """Every environment of a project: those that it names, then those that have a file only."""
    named = tuple(named)
    known = {mark.name for mark in named}
    return (*named, *(usual(name) for name in found(root) if name not in known))


def as_json(mark: EnvironmentMark) -> dict[str, Any]:
    """Plain data, with the environment's file."""
    return {"name": mark.name, "colour": mark.colour, "read_only": mark.read_only,
            "file": file_of(mark.name)}  # fmt: skip


def all_of(project: OpenProject) -> tuple[EnvironmentMark, ...]:
    """Every environment of an open project."""
    return marks_of(project.project.environments, project.root)


def current(project: OpenProject) -> EnvironmentMark | None:
    """The environment that an open project's variables are taken from."""
    name = project.environment.name
    if name is None:
        return None
    return next((mark for mark in all_of(project) if mark.name == name), usual(name))


def use(project: OpenProject, name: str | None) -> None:
    """Take the variables of another environment.

    Raises `UsageError` for one that is not there, `ProjectError` for a file that cannot be read;
    the environment is the same as before then.
    """
    if name is not None:
        refuse_name(name)
        known = [mark.name for mark in all_of(project)]
        if name not in known:
            shown = f"known: {', '.join(known)}" if known else "the project has none"
            raise UsageError(
                f"there is no environment `{name}`",
                hint=f"{shown}; make the file {file_of(name)}, or name it under `{KEY}`",
            )
    before = project.environment.name
    project.environment.use(name)
    try:
        project.environment.written()
    except RouteStudioError:
        project.environment.use(before)
        raise
    project.reread()


def mark(edit: Mapping[str, Any], document: YamlDocument) -> str:
    """Set colour and `read_only` of an environment in a project's YAML; returns the label."""
    name = str(edit["name"])
    refuse_name(name)
    item = {"name": name, "colour": str(edit["colour"]), "read_only": bool(edit["read_only"])}
    known = [i.get("name") for i in document.plain((KEY,)) or [] if isinstance(i, dict)]
    if name not in known:
        document.add_item((KEY,), item)
        return f"Mark {name}"
    for key in ("colour", "read_only"):
        if document.plain((KEY, name, key)) != item[key]:
            document.set((KEY, name, key), item[key])
    return f"Mark {name}"
