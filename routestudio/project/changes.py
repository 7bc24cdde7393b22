"""What differs between two configurations: items, and settings of items, with old and new."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from routestudio.model import jsonio
from routestudio.project.canonical import RANDOM_SITE, SECTIONS, Configuration, Item, Setting
from routestudio.project.secrets import mask
from routestudio.project.server_keys import KEPT
from routestudio.project.yamldata import same
from routestudio.sinks import server

Action = Literal["added", "removed", "changed"]
DOTS: Final = "••••"
"""What is shown of a secret."""

_ALIKE: Final = 0.8
"""From which likeness of two items on a name is suspected to have changed."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting that differs. A `secret` is shown as dots on both sides.

    `kept` marks what the new side does not set and a server keeps as it is when the file is
    applied: `new` is the default that the file would mean on a new server.
    """

    name: str
    old: Any
    new: Any
    secret: bool = False
    kept: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"field": self.name, "old": self.old, "new": self.new, "secret": self.secret,
                "kept": self.kept}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One item that differs, with its settings.

    `renamed` is the name that an added item probably had before; its settings are then those that
    differ from the old item's, which is also listed as removed.
    """

    section: str
    name: str
    action: Action
    settings: tuple[SettingChange, ...] = ()
    renamed: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"section": self.section, "name": self.name, "action": self.action,
                "renamed_from": self.renamed,
                "fields": [item.as_json() for item in self.settings]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A setting of which nobody can know here whether it differs, and why."""

    section: str
    name: str
    field: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"section": self.section, "name": self.name, "field": self.field,
                "reason": self.reason}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Differences:
    """All changes in the order of the file's sections, and what could not be compared."""

    changes: tuple[Change, ...]
    uncompared: tuple[Uncompared, ...]


def differences(old: Configuration, new: Configuration) -> Differences:
    """What changes when `new` takes the place of `old`."""
    changes: list[Change] = []
    uncompared: list[Uncompared] = []
    for section in SECTIONS:
        before, after = old.get(section, {}), new.get(section, {})
        added = [item for name, item in after.items() if name not in before]
        removed = [item for name, item in before.items() if name not in after]
        renamed = _renamed(removed, added)
        for name, item in after.items():
            if name in before:
                found = tuple(_settings(before[name], item, uncompared))
                if found:
                    changes.append(Change(section, name, "changed", found))
            else:
                was = renamed.get(name)
                found = tuple(
                    _settings(before[was], item, uncompared) if was else _all(item, removed=False)
                )
                changes.append(Change(section, name, "added", found, was))
        changes += [
            Change(section, item.name, "removed", tuple(_all(item, removed=True)))
            for item in removed
        ]
    return Differences(tuple(changes), tuple(uncompared))


def _all(item: Item, *, removed: bool) -> Iterator[SettingChange]:
    for name, setting in item.settings.items():
        if setting.written and setting.value not in (None, [], {}):
            value = DOTS if setting.secret else setting.value
            old, new = (value, None) if removed else (None, value)
            yield SettingChange(name, old, new, setting.secret)


_NOTHING: Final = Setting(None, written=False)


def _settings(old: Item, new: Item, uncompared: list[Uncompared]) -> Iterator[SettingChange]:
    unknown = [n for i in (old, new) for n, s in i.settings.items() if s.missing]
    for name in dict.fromkeys([*old.settings, *new.settings]):
        before = old.settings.get(name, _NOTHING)
        after = new.settings.get(name, _NOTHING)
        if _same(before.value, after.value) and not (before.missing or after.missing):
            continue
        reason = _reason(name, before, after, old, new, unknown)
        if reason is not None:
            if reason:
                uncompared.append(Uncompared(new.section, new.name, name, reason))
            continue
        secret = before.secret or after.secret
        values = [DOTS if secret and s.value is not None else s.value for s in (before, after)]
        kept = not after.written and _kept(new, name)
        yield SettingChange(name, values[0], values[1], secret, kept)


def _reason(
    name: str, before: Setting, after: Setting, old: Item, new: Item, unknown: list[str]
) -> str | None:
    """Why a setting is not compared; empty when there is nothing to report, `None` when it is."""
    missing = before.missing or after.missing
    if missing:
        if before.value == after.value:
            return ""  # The same reference on both sides is the same value.
        plural = "variables" if len(missing) > 1 else "variable"
        return f"{plural} {', '.join(missing)} not set"
    if any(name.startswith(f"{other}.") for other in unknown):
        return ""
    if RANDOM_SITE in (before.value, after.value) and all(
        str(s.value).startswith("https://webhook.site/") for s in (before, after)
    ):
        return ""
    if before.secret or after.secret:
        for hidden, real in ((before.value, after.value), (after.value, before.value)):
            texts = isinstance(real, str) and isinstance(hidden, str)
            if texts and "*" in hidden and mask(real) == hidden:
                return "a server hides it; what it shows agrees"
    if name.startswith("destination.") and old.kind is not None and old.kind == new.kind:
        key = name.split(".")[1]
        keys = server.of(old.kind)
        unread = keys is not None and key not in keys.read and key != "type"
        left_out = unread or (keys is not None and key in keys.hidden)
        if left_out and not before.written:
            return "a server's export never contains it"
    return None


def _kept(item: Item, name: str) -> bool:
    """Whether a server keeps what the file leaves out (docs/reference/sequin.md#keys-of-a-sink)."""
    if item.section == "sinks":
        return name.split(".")[0] in KEPT
    if item.section == "functions":
        return name == "description"
    return item.section == "databases" or name.split(".")[0] in ("headers", "encrypted_headers")


def _same(one: Any, other: Any) -> bool:
    if same(one, other) or {type(one), type(other)} == {int, float}:
        return same(one, other) or bool(one == other)
    return one in (None, [], {}, "") and other in (None, [], {}, "")


def _renamed(removed: list[Item], added: list[Item]) -> dict[str, str]:
    """For added items the removed ones that they most resemble, each used once."""
    pairs = sorted(
        ((_likeness(old, new), old.name, new.name) for old in removed for new in added),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for likeness, old, new in pairs:
        if likeness >= _ALIKE and new not in found and old not in taken:
            found[new] = old
            taken.add(old)
    return found


def _likeness(old: Item, new: Item) -> float:
    """How alike the written settings of two items are, from 0 to 1; long texts count by parts."""
    if old.kind != new.kind:
        return 0.0
    names = [n for n in dict.fromkeys([*old.settings, *new.settings])
             if any(i.settings.get(n, _NOTHING).written for i in (old, new))]  # fmt: skip
    if not names:
        return 0.0
    total = weights = 0.0
    for name in names:
        one = old.settings.get(name, _NOTHING).value
        other = new.settings.get(name, _NOTHING).value
        # A function is its code, a sink its destination.
        weight = 4.0 if name == "code" else 2.0 if name.startswith("destination.") else 1.0
        weights += weight
        if _same(one, other):
            total += weight
        elif name == "code" and isinstance(one, str) and isinstance(other, str):
            total += weight * difflib.SequenceMatcher(None, one[:4000], other[:4000]).ratio()
    return total / weights


def shown(value: Any) -> str:
    """A value in one line, as people read it."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) and value else jsonio.dumps(value)


def summary(changes: Mapping[str, int]) -> str:
    """Counts in words, e.g. `1 added, 2 changed`."""
    order = ("added", "removed", "changed")
    return ", ".join(f"{changes[name]} {name}" for name in order if changes.get(name)) or "nothing"
