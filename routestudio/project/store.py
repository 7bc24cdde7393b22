"""An open project: its texts, edits with undo and redo, atomic saving, recovery after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import Place, ProjectError, RouteStudioError, UsageError
from routestudio.model.project import Project
from routestudio.project import draft, sample_lines
from routestudio.project.disk import (
    MAX_FILE,
    MAX_YAML,
    SAMPLE_ENDINGS,
    Disk,
    code_file,
    encodable,
    function_files,
    refuse_edit,
)
from routestudio.project.document import YamlDocument
from routestudio.project.environment import Environment
from routestudio.project.files import inside, listed, remove_own, sweep, write_own
from routestudio.project.journal import Journal, patch_of, patched
from routestudio.project.kept_sinks import KeptSinks
from routestudio.project.parse import parse
from routestudio.project.sample_counts import SampleCounts
from routestudio.project.sample_state import FileStates, hash_of
from routestudio.project.snapshot import snapshot
from routestudio.project.yamldata import same
from routestudio.project_names import YAML_FILE

if TYPE_CHECKING:
    from routestudio.project.edits import Texts

__all__ = ["FILE", "MAX_FILE", "MAX_YAML", "OpenProject"]

FILE: Final = YAML_FILE
_COALESCE_SECONDS: Final = 2.0
_UNDO_STEPS: Final = 500
_TYPING: Final = frozenset({"set", "set_code", "set_yaml", "set_sample", "set_sample_line"})
"""Edits that come in numbers while somebody types."""


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
        self.sink_types = sink_types
        self.environment = Environment(root)
        self._yaml = file.relative_to(root).as_posix()
        self._draft = draft.draft_of(self._yaml)
        self._disk = Disk(root, self._yaml)
        self._texts: Texts = {}
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._counts = SampleCounts()
        self._states = FileStates()
        self.journal_problem: str | None = None
        self._kept = KeptSinks()
        self._shown: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._document = self._read_document()
        self._journal = Journal(root, file.name)
        self._project = self._parse()

    def _read_document(self) -> YamlDocument:
        text = self._disk.text(self._yaml)
        if text is None:
            raise ProjectError("does not exist", place=Place(str(self.file)))
        return YamlDocument(text, name=str(self.file))

    @classmethod
    def open(cls, path: Path, sink_types: Mapping[str, str]) -> OpenProject:
        """Open a folder with a `sequin.yaml`, or a YAML file. Raises `ProjectError`."""
        path = path.absolute()
        if path.is_dir():
            file = path / FILE
            if not file.is_file() and not file.is_symlink():
                raise ProjectError(
                    f"holds no {FILE}", place=Place(str(path)),
                    hint="make a project with `routestudio new`, or name a YAML file",
                )  # fmt: skip
            sweep(path)
            return cls(path, file, sink_types)
        if not path.exists():
            raise ProjectError("does not exist", place=Place(str(path)))
        sweep(path.parent)
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
        return tuple(dict.fromkeys(sample_lines.file_of(path) or path for path in self._changed))

    @property
    def _changed(self) -> list[str]:
        changed = [p for p, text in self._texts.items() if text != self._disk.text(p)]
        if self._document.text != self._disk.text(self._yaml):
            changed.insert(0, self._yaml)
        return changed

    @property
    def yaml_text(self) -> str:
        """The text of the YAML file as it was typed, also while it cannot be read."""
        typed = self._texts.get(self._draft)
        return self._document.text if typed is None else typed

    def refuse_draft(self, what: str) -> None:
        """Raise `ProjectError` while the YAML text cannot be read: `what` has to wait."""
        draft.refuse(self._texts.get(self._draft), str(self.file), what)

    def sample_path(self, name: str) -> Path:
        """The file of a sample set. Raises `UsageError` that lists the known ones."""
        for suffix in SAMPLE_ENDINGS:
            relative = f"samples/{name}{suffix}"
            if name in self._project.samples and inside(self.root, relative).is_file():
                return self.root / relative
        known = ", ".join(self._project.samples) or "the project has none"
        raise UsageError(f"there is no sample `{name}`", hint=f"known: {known}")

    def unsaved_sample(self, name: str) -> str | None:
        """The text of a sample set while it differs from its file."""
        return self._texts.get(f"samples/{name}.jsonl")

    def changed_lines(self, relative: str) -> sample_lines.Changes:
        """Lines of a sample file that are to be others, while its text is not held as a whole."""
        return sample_lines.changes_of(self._texts.get(sample_lines.beside(relative)))

    def read(self, relative: str) -> str | None:
        """The current text of a file of the project; `None` when there is none."""
        if relative in self._texts:
            return self._texts[relative]
        return self._disk.text(relative)

    def files(self, folder: str) -> list[str]:
        """Relative paths of the files in a folder of the project, as they would be saved."""
        found = set(listed(self.root, folder))
        for path, text in self._texts.items():
            if path.startswith(f"{folder}/") and sample_lines.file_of(path) is None:
                (found.add if text is not None else found.discard)(path)
        return sorted(found)

    # --- editing -----------------------------------------------------------------------------

    def apply(self, edit: Mapping[str, Any]) -> None:
        """Apply one edit (see `project.edits`). It is in the recovery journal on return.

        A refused edit raises and changes nothing. Where the journal cannot be written the edit
        stays, and `journal_problem` explains why it would not survive a crash.
        """
        yaml = [(p, self.read(p)) for p in (self._yaml, self._draft)]
        self._change(edit)
        if edit.get("op") == "set_yaml":  # the journal gets what differs from the disk only
            now = (self._document.text, self._texts.get(self._draft))
            edit = {"op": "patch", "patches": [
                patch_of(path, old, new) for (path, old), new in zip(yaml, now, strict=True)
            ]}  # fmt: skip
        self._keep(edit)

    def _keep(self, edit: Mapping[str, Any]) -> None:
        try:
            self._journal.append(edit)
            self.journal_problem = None
        except ProjectError as error:
            self.journal_problem = str(error)

    def _change(self, edit: Mapping[str, Any]) -> None:
        trial = self._document.fork()
        if edit.get("op") == "set_sample_line":
            text = self.unsaved_sample(str(edit.get("name")))
            if text is not None:
                text = sample_lines.with_line(text, int(edit["line"]), str(edit["text"]))
                edit = {"op": "set_sample", "name": edit["name"], "text": text}
        from routestudio.project.edits import apply_edit

        label, files = apply_edit(edit, trial, self.read, self.files)
        if trial.text != self._document.text and edit.get("op") != "set_yaml":
            self.refuse_draft("it cannot be changed elsewhere")
        before: Texts = {path: self.read(path) for path in files}
        after: Texts = dict(files)
        if trial.text != self._document.text:
            before[self._yaml], after[self._yaml] = self._document.text, trial.text
        if before == after:
            return
        self._restore(after, trial)
        key = f"{edit.get('op')}:{edit.get('name')}:{edit.get('path')}"
        self._push(_Step(label, before, after, key, time.monotonic()), edit.get("op") in _TYPING)

    def _push(self, step: _Step, typing: bool) -> None:
        last = self._undo[-1] if self._undo else None
        if (
            typing
            and last
            and last.key == step.key
            and last.before.keys() == step.before.keys()
            and step.time - last.time < _COALESCE_SECONDS
            and not self._redo
        ):
            self._undo[-1] = _Step(step.label, last.before, step.after, step.key, step.time)
        else:
            self._undo.append(step)
            del self._undo[:-_UNDO_STEPS]
        self._redo.clear()

    def undo(self) -> str | None:
        """Undo the last edit; returns its label."""
        if not self._undo:
            return None
        step = self._undo.pop()
        self._redo.append(step)
        self._swap(step.before)
        return step.label

    def redo(self) -> str | None:
        """Redo the last undone edit; returns its label."""
        if not self._redo:
            return None
        step = self._redo.pop()
        self._undo.append(step)
        self._swap(step.after)
        return step.label

    def _swap(self, texts: Texts) -> None:
        """Take texts of the undo stack; the journal gets what differs only."""
        patches = [patch_of(path, self.read(path), text) for path, text in texts.items()]
        self._restore(texts)
        if self._changed:
            self._keep({"op": "patch", "patches": patches})
        else:  # all is as it is on the disk: there is nothing to recover
            self._journal.saved()
            self.journal_problem = None

    def _patch(self, edit: Mapping[str, Any]) -> None:
        """Do again what an undo or redo of an earlier run did."""
        after = {str(p["path"]): patched(self.read(str(p["path"])), p) for p in edit["patches"]}
        before = {path: self.read(path) for path in after}
        self._restore(after)
        self._push(_Step("Recovered change", before, after, "patch", time.monotonic()), False)

    def _restore(self, texts: Texts, document: YamlDocument | None = None) -> None:
        """Take new texts of files; `document` is the YAML text's content, if it was read."""
        changed = texts.get(self._yaml)
        if changed is not None and document is None:
            document = YamlDocument(changed, name=str(self.file))
        others = {path: text for path, text in texts.items() if path != self._yaml}
        if others:
            named = function_files(self._document.plain())
            named |= function_files(document.plain()) if document else set()
        for path, text in others.items():
            if path != self._draft:
                refuse_edit(self.root, path, named)
            self._disk.text(path)
            if text is not None and not encodable(text):
                raise UsageError(
                    f"the text for {path} contains an invalid character (an unpaired surrogate)"
                )
        if changed is not None and document is not None:
            self._document = document
        self._texts |= others
        self._project = self._parse()

    # --- saving ------------------------------------------------------------------------------

    def save(self, *, overwrite: bool = False) -> list[Path]:
        """Write every changed file atomically; returns what was written.

        Raises `ProjectError` when one of them changed on disk meanwhile, or a file that was read is
        gone. With `overwrite` they are written as they are here.
        """
        self.refuse_draft("nothing was saved")
        dirty = self._changed
        for path, now in self.changed_outside().items():
            if now is None and overwrite and path not in dirty:
                dirty.append(path)
            elif not overwrite and (now is None or path in dirty):
                how = "removed" if now is None else "changed"
                raise ProjectError(
                    f"was {how} by another program since it was opened",
                    place=Place(str(self.root / path)),
                    hint="save the project to another folder, or reload it",
                )
        self._prove()
        written = []
        for path in dirty:
            text = self.texts()[path]
            file = sample_lines.file_of(path)
            target = self.root / (file or path)
            if file is not None:
                self._save_lines(path, target)
            elif text is None:
                remove_own(self.root, path)
            else:
                write_own(self.root, path, text)
            self._disk.keep(path, text if file is None else None)
            self._texts.pop(path, None)
            written.append(target)
        self._texts.clear()
        self._journal.saved()
        self.journal_problem = None
        self._project = self._parse()
        return written

    def _prove(self) -> None:
        """Read the whole text once more before it is written: edits read their block only."""
        again = YamlDocument(self._document.text, name=str(self.file))
        if not same(again.plain(), self._document.plain()):
            raise ProjectError(
                "was not written: the text would not match the edit",
                place=Place(str(self.file)), hint="save a copy to another folder, and report this",
            )  # fmt: skip

    def _save_lines(self, kept: str, target: Path) -> None:
        """Write changed lines into their file; the steps of undo are then about the new file."""
        changes = sample_lines.changes_of(self._texts[kept])
        relative = target.relative_to(self.root).as_posix()
        lines = sample_lines.lines_with(inside(self.root, relative), changes)
        write_own(self.root, relative, lines)
        self._disk.forget(relative)
        for steps in (self._undo, self._redo):
            for number, step in enumerate(steps):
                if kept in step.before:
                    before = {kept: sample_lines.rebased(step.before[kept], changes)}
                    after = {kept: sample_lines.rebased(step.after[kept], changes)}
                    steps[number] = replace(step, before=step.before | before,
                                            after=step.after | after)  # fmt: skip

    # --- other programs ----------------------------------------------------------------------

    def texts(self) -> Texts:
        """Every text of the project that is held here, by relative path, as it is now."""
        found = {**self._disk.known, **self._texts, self._yaml: self.yaml_text}
        found.pop(self._draft, None)
        return found

    def changed_outside(self, only: Collection[str] | None = None) -> Texts:
        """Files that are not as they were read or saved last, with what the disk has now."""
        here = self.texts()
        return {
            path: now
            for path, now in self._disk.differing().items()
            if now != here[path] and (only is None or path in only)
        }

    def take_outside(self, paths: Collection[str]) -> None:
        """Take what the disk has of these files; their edits and steps of undo are forgotten."""
        texts = {path: self._disk.read(path) for path in paths}
        yaml = texts.get(self._yaml)
        if yaml is not None:
            self._document = YamlDocument(yaml, name=str(self.file))
            self._texts.pop(self._draft, None)
        for path, text in texts.items():
            self._disk.keep(path, text)
            self._texts.pop(path, None)
        for steps in (self._undo, self._redo):
            steps[:] = [step for step in steps if step.before.keys().isdisjoint(paths)]
        self.reread()
        if not self._changed:
            self._journal.saved()

    def reread(self) -> None:
        """Look again at what is not held here: samples on the disk, variables."""
        self._project = self._parse()

    # --- recovery ----------------------------------------------------------------------------

    @property
    def recoverable(self) -> dict[str, Any]:
        """Count, time and files of edits that an earlier run journaled but did not save."""
        from routestudio.project.edits import files_of

        edits = self._journal.pending
        files = {file for entry in edits
                 for file in files_of(entry["edit"], self._document, self._yaml)}  # fmt: skip
        return {"count": len(edits), "time": edits[-1].get("time") if edits else None,
                "files": sorted(files)}  # fmt: skip

    def recover(self) -> int:
        """Apply the journaled edits again; returns how many could be applied."""
        count = 0
        for edit in self._journal.take():
            try:
                (self._patch if edit.get("op") == "patch" else self._change)(edit)
                count += 1
            except (RouteStudioError, KeyError, TypeError, ValueError, AttributeError):
                continue
        return count

    def discard_recovery(self, *, own: bool = False) -> None:
        """Forget the edits that an earlier run journaled; with `own`, those of this run."""
        (self._journal.drop if own else self._journal.discard)()

    # --- the snapshot ------------------------------------------------------------------------

    def snapshot(self, secret_keys: Callable[[str], Collection[str]]) -> dict[str, Any]:
        """The project as plain data for the window; literal secrets become `{"$secret": true}`."""
        found = snapshot(self._project, secret_keys, self._shown)
        found["problems"] += draft.shown(self._texts.get(self._draft), str(self.file))
        return {
            **found,
            "samples": [
                {"name": n, **self._counts.of(n, self), "state": self.sample_state(n)}
                for n in self._project.samples
            ],
            "yaml": hash_of(self.yaml_text),
            "dirty": list(self.dirty),
            "undo": self._undo[-1].label if self._undo else None,
            "redo": self._redo[-1].label if self._redo else None,
            "recoverable": self.recoverable,
            "journal_problem": self.journal_problem,
        }

    def sample_state(self, name: str) -> str:
        """What changes when the messages of a sample set do."""
        unsaved = self.unsaved_sample(name)
        if unsaved is not None:
            return hash_of(unsaved)
        try:
            path = self.sample_path(name)
            beside = sample_lines.beside(path.relative_to(self.root).as_posix())
            return self._states.of(path) + hash_of(self._texts.get(beside) or "")
        except (RouteStudioError, OSError):
            return ""

    # --- files -------------------------------------------------------------------------------

    def _parse(self) -> Project:
        samples = self._samples()
        return parse(
            self._document, self.root, self.file, self.sink_types, self._code, samples,
            self.environment, self._kept,
        )  # fmt: skip

    def _code(self, relative: str) -> str:
        relative = self.environment.resolve(relative)
        code_file(self.root, relative)
        text = self.read(relative)
        if text is None:
            raise ProjectError("does not exist")
        return text

    def _samples(self) -> list[str]:
        names = {Path(path).stem for path in listed(self.root, "samples", depth=0)
                 if path.endswith(SAMPLE_ENDINGS)}  # fmt: skip
        for path, text in self._texts.items():
            if path.startswith("samples/") and sample_lines.file_of(path) is None:
                (names.add if text is not None else names.discard)(Path(path).stem)
        return sorted(names)
