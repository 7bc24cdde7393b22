"""An open project: its texts, edits with undo and redo, atomic saving, recovery after a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, ProjectError, RouteStudioError, UsageError
from routestudio.model.project import SHARED_KEYS, Project
from routestudio.project.document import YamlDocument
from routestudio.project.edits import Texts, apply_edit
from routestudio.project.environment import Environment, ignore, is_reference
from routestudio.project.files import read_text, write_text
from routestudio.project.parse import parse
from routestudio.project_names import YAML_FILE
from routestudio.samples import reader

FILE: Final = YAML_FILE
MAX_FILE: Final = 20 << 20
_STATE: Final = ".routestudio"
_COALESCE_SECONDS: Final = 2.0
_UNDO_STEPS: Final = 500


@dataclass(frozen=True, slots=True)
class _Step:
    """One undoable edit: texts before and after, by relative path."""

    label: str
    before: Texts
    after: Texts
    key: str
    time: float


class OpenProject:
    """A project folder (or one YAML file) that is open for editing."""

    def __init__(self, root: Path, file: Path, sink_types: Mapping[str, str]) -> None:
        self.root = root
        self.file = file
        self._types = sink_types
        self.environment = Environment(root)
        self._disk: dict[str, str | None] = {}
        self._texts: Texts = {}
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._counts: dict[str, tuple[tuple[int, int], int]] = {}
        text = read_text(file, limit=MAX_FILE)
        self._disk[self._yaml] = text
        self._document = YamlDocument(text, name=str(file))
        self._project = self._parse()

    @classmethod
    def open(cls, path: Path, sink_types: Mapping[str, str]) -> OpenProject:
        """Open a folder with a `sequin.yaml`, or a YAML file. Raises `ProjectError`."""
        path = path.absolute()
        if path.is_dir():
            file = path / FILE
            if not file.is_file():
                raise ProjectError(
                    f"holds no {FILE}", place=Place(str(path)),
                    hint="make a project with `routestudio new`, or name a YAML file",
                )  # fmt: skip
            return cls(path, file, sink_types)
        if not path.exists():
            raise ProjectError("does not exist", place=Place(str(path)))
        return cls(path.parent, path, sink_types)

    # --- what is there -----------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The project as it is now, with unsaved edits."""
        return self._project

    @property
    def document(self) -> YamlDocument:
        """The YAML document as it is now. Read only; edits go through `apply`."""
        return self._document

    @property
    def dirty(self) -> tuple[str, ...]:
        """Relative paths of files with unsaved edits."""
        changed = [p for p, text in self._texts.items() if text != self._on_disk(p)]
        if self._document.text != self._disk[self._yaml]:
            changed.insert(0, self._yaml)
        return tuple(changed)

    def sample_path(self, name: str) -> Path:
        """The file of a sample set. Raises `UsageError` that lists the known ones."""
        for suffix in (".jsonl", ".ndjson", ".json", ".csv"):
            path = self.root / "samples" / f"{name}{suffix}"
            if path.is_file():
                return path
        known = ", ".join(self._project.samples) or "the project has none"
        raise UsageError(f"there is no sample `{name}`", hint=f"known: {known}")

    def unsaved_sample(self, name: str) -> str | None:
        """The text of a sample set while it differs from its file."""
        return self._texts.get(f"samples/{name}.jsonl")

    def read(self, relative: str) -> str | None:
        """The current text of a file of the project; `None` when there is none."""
        if relative in self._texts:
            return self._texts[relative]
        return self._on_disk(relative)

    # --- editing -----------------------------------------------------------------------------

    def apply(self, edit: Mapping[str, Any]) -> None:
        """Apply one edit (see `project.edits`). It is in the recovery journal on return.

        A refused edit raises and changes nothing.
        """
        self._change(edit)
        self._journal(edit)

    def _change(self, edit: Mapping[str, Any]) -> None:
        old_yaml = self._document.text
        trial = YamlDocument(old_yaml, name=str(self.file))
        label, files = apply_edit(edit, trial, self.read)
        before: Texts = {path: self.read(path) for path in files}
        after: Texts = dict(files)
        if trial.text != old_yaml:
            before[self._yaml], after[self._yaml] = old_yaml, trial.text
        if before == after:
            return
        self._restore(after)
        key = f"{edit.get('op')}:{edit.get('name')}:{edit.get('path')}"
        now = time.monotonic()
        last = self._undo[-1] if self._undo else None
        if last and last.key == key and now - last.time < _COALESCE_SECONDS and not self._redo:
            self._undo[-1] = _Step(label, last.before, after, key, now)
        else:
            self._undo.append(_Step(label, before, after, key, now))
            del self._undo[:-_UNDO_STEPS]
        self._redo.clear()

    def undo(self) -> str | None:
        """Undo the last edit; returns its label."""
        if not self._undo:
            return None
        step = self._undo.pop()
        self._restore(step.before)
        self._redo.append(step)
        self._journal({"op": "restore", "texts": step.before})
        return step.label

    def redo(self) -> str | None:
        """Redo the last undone edit; returns its label."""
        if not self._redo:
            return None
        step = self._redo.pop()
        self._restore(step.after)
        self._undo.append(step)
        self._journal({"op": "restore", "texts": step.after})
        return step.label

    def _restore(self, texts: Texts) -> None:
        for path, text in texts.items():
            if path == self._yaml:
                self._document = YamlDocument(text or "", name=str(self.file))
            else:
                self._on_disk(path)
                self._texts[path] = text
        self._project = self._parse()

    # --- saving ------------------------------------------------------------------------------

    def save(self, *, overwrite: bool = False) -> list[Path]:
        """Write every changed file atomically; returns what was written.

        Raises `ProjectError` when a file changed on disk meanwhile (unless `overwrite`).
        """
        dirty = self.dirty
        if not overwrite:
            for path in dirty:
                if self._read_disk(path) != self._disk.get(path):
                    raise ProjectError(
                        "was changed by another program since it was opened",
                        place=Place(str(self.root / path)),
                        hint="save a copy elsewhere, or reopen the project",
                    )
        written = []
        for path in dirty:
            text = self._document.text if path == self._yaml else self._texts[path]
            target = self.root / path
            if text is None:
                target.unlink(missing_ok=True)
            else:
                write_text(target, text)
            self._disk[path] = text
            self._texts.pop(path, None)
            written.append(target)
        self._texts.clear()
        self.discard_recovery()
        self._project = self._parse()
        return written

    # --- recovery ----------------------------------------------------------------------------

    @property
    def recoverable(self) -> dict[str, Any]:
        """Count and time of edits that an earlier run journaled but did not save."""
        if self._undo:
            return {"count": 0, "time": None}
        edits = self._journaled()
        when = edits[-1].get("time") if edits else None
        return {"count": len(edits), "time": when}

    def recover(self) -> int:
        """Apply the journaled edits again; returns how many could be applied."""
        count = 0
        for entry in self._journaled():
            edit = entry.get("edit") or {}
            try:
                if edit.get("op") == "restore":
                    self._restore(edit["texts"])
                else:
                    self._change(edit)
                count += 1
            except (RouteStudioError, KeyError, TypeError):
                continue
        return count

    def discard_recovery(self) -> None:
        """Forget journaled edits."""
        self._journal_path.unlink(missing_ok=True)

    def _journal(self, edit: Mapping[str, Any]) -> None:
        line = json.dumps({"time": time.strftime("%Y-%m-%d %H:%M:%S"), "edit": dict(edit)})
        path = self._journal_path
        try:
            if not path.parent.exists():
                path.parent.mkdir(parents=True)
                ignore(path.parent, "*")
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise ProjectError(
                f"the recovery journal cannot be written: {error.strerror}",
                place=Place(str(path)), hint="save now; the edit itself is kept",
            ) from None  # fmt: skip

    def _journaled(self) -> list[dict[str, Any]]:
        try:
            lines = self._journal_path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []
        found = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                found.append(entry)
        return found

    @property
    def _journal_path(self) -> Path:
        return self.root / _STATE / f"recovery-{self.file.name}.jsonl"

    # --- the snapshot ------------------------------------------------------------------------

    def snapshot(self, secret_keys: Callable[[str], Collection[str]]) -> dict[str, Any]:
        """The project as plain data for the window; literal secrets become `{"$secret": true}`."""
        project = self._project
        return {
            "name": self.root.name,
            "sinks": [
                {
                    **{k.name: getattr(s, k.name) for k in SHARED_KEYS if hasattr(s, k.name)},
                    "type": s.type,
                    "yaml_type": s.yaml_type,
                    "actions": list(s.actions),
                    "annotations": dict(s.annotations),
                    "source": dict(s.source),
                    "tables": {name: list(columns) for name, columns in s.tables.items()},
                    "destination": _masked(s.destination, secret_keys(s.type)),
                }
                for s in project.sinks
            ],
            "functions": [
                {**asdict(f), "kind": f.kind.value, "language": f.language.value}
                for f in project.functions
            ],
            "http_endpoints": {
                name: _masked(values, {"encrypted_headers"})
                for name, values in project.http_endpoints.items()
            },
            "databases": list(project.databases),
            "samples": [{"name": name, "rows": self._count(name)} for name in project.samples],
            "problems": [
                {
                    "severity": p.severity,
                    "code": p.code,
                    "message": p.message,
                    "hint": p.hint,
                    "file": p.place.file,
                    "line": p.place.line,
                    "column": p.place.column,
                    "path": list(p.place.path),
                }
                for p in project.problems
            ],
            "dirty": list(self.dirty),
            "undo": self._undo[-1].label if self._undo else None,
            "redo": self._redo[-1].label if self._redo else None,
            "recoverable": self.recoverable,
        }

    def _count(self, name: str) -> int:
        unsaved = self.unsaved_sample(name)
        if unsaved is not None:
            return sum(1 for _ in reader.read_text(unsaved))
        try:
            path = self.sample_path(name)
            info = path.stat()
            stamp = (info.st_mtime_ns, info.st_size)
            if self._counts.get(name, (None, 0))[0] != stamp:
                self._counts[name] = (stamp, reader.count_rows(path))
            return self._counts[name][1]
        except (RouteStudioError, OSError):
            return 0

    # --- files -------------------------------------------------------------------------------

    @property
    def _yaml(self) -> str:
        return self.file.relative_to(self.root).as_posix()

    def _on_disk(self, relative: str) -> str | None:
        if relative not in self._disk:
            self._disk[relative] = self._read_disk(relative)
        return self._disk[relative]

    def _read_disk(self, relative: str) -> str | None:
        path = self.root / relative
        return read_text(path, limit=MAX_FILE) if path.is_file() else None

    def _parse(self) -> Project:
        return parse(self._document, self.root, self.file, self._types, self._code, self._samples())

    def _code(self, relative: str) -> str:
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ProjectError("is outside of the project folder")
        text = self.read(relative)
        if text is None:
            raise ProjectError("does not exist")
        return text

    def _samples(self) -> list[str]:
        names = set()
        folder = self.root / "samples"
        if folder.is_dir():
            names = {
                path.stem
                for path in folder.iterdir()
                if path.suffix in (".jsonl", ".ndjson", ".json", ".csv") and path.is_file()
            }
        for path, text in self._texts.items():
            if path.startswith("samples/"):
                (names.add if text is not None else names.discard)(Path(path).stem)
        return sorted(names)


def _masked(values: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    return {
        key: {"$secret": True}
        if key in secrets and value not in (None, "") and not is_reference(value)
        else value
        for key, value in values.items()
    }
