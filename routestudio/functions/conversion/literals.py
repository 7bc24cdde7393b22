"""Python literals, names, entries and slices as Elixir."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any, Final

from routestudio.functions.conversion.common import (
    ANY,
    BOOL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NONE,
    STR,
    Code,
    Kinds,
    indented,
)
from routestudio.functions.conversion.scope import Values

WIDTH: Final = 92
JOIN: Final = 65
_KEY: Final = re.compile(r"[a-z_][a-zA-Z0-9_]*\Z")
_TEXTS: Final = {
    "table_schema": STR,
    "table_name": STR,
    "database_name": STR,
    "idempotency_key": STR,
    "commit_lsn": INT,
    "commit_idx": INT,
}
_MAPS: Final = NONE | DICT


def quoted(text: str) -> str:
    """A text as an Elixir string without interpolation."""
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """The inside of an Elixir string."""
    found = []
    for char in text:
        if char in '"\\':
            found.append("\\" + char)
        elif char in "\n\t\r":
            found.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char])
        elif ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029":
            found.append(f"\\u{{{ord(char):X}}}")
        else:
            found.append(char)
    return "".join(found).replace("#{", "\\#{")


class Literals:
    """What stands for a value by itself: literals, names, entries, slices."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.walk = values.walk

    def constant(self, node: ast.Constant) -> Code:
        """A constant."""
        value = node.value
        if value is None:
            return Code("nil", kinds=NONE)
        if value is True or value is False:
            return Code(str(value).lower(), kinds=BOOL)
        if isinstance(value, int):
            return Code(str(value), kinds=INT)
        if isinstance(value, float):
            return Code(self._float(node, value), kinds=FLOAT)
        if isinstance(value, str):
            return Code(quoted(value), kinds=STR)
        self.walk.refuse(node, "bytes have no equal form in Elixir", "use text")

    def _float(self, node: ast.AST, value: float) -> str:
        text = repr(value)
        if text in ("inf", "nan"):
            self.walk.refuse(node, "Elixir has no infinite numbers")
        if "e" in text and "." not in text:
            text = text.replace("e", ".0e")
        return text

    def name(self, node: ast.Name) -> Code:
        """A name, as it is called in Elixir."""
        if node.id == "action" and "action" not in self.walk.names.called:
            return Code("action", kinds=STR)
        if node.id == "record" and "record" not in self.walk.names.called:
            return Code("record", kinds=DICT)
        if node.id == "changes" and "changes" not in self.walk.names.called:
            return Code("changes", kinds=NONE | DICT)
        if node.id in self.walk.names.called:
            return self.walk.names.called[node.id]
        if node.id == "metadata":
            self.walk.refuse(
                node,
                "`metadata` as a whole has other keys in Elixir",
                "read its fields: metadata.table_name",
            )
        self.walk.refuse(
            node,
            f"`{node.id}` may have no value here, or is not a value in Elixir",
            "give it a value before, in every branch",
        )

    def attribute(self, node: ast.Attribute) -> Code:
        """A field of the metadata, or of a date."""
        path = dotted(node)
        if path[:1] == ["metadata"] and "metadata" not in self.walk.names.called:
            return self.metadata(node, path[1:])
        if node.attr in ("year", "month", "day", "hour", "minute", "second"):
            owner = self.values.value(node.value)
            return Code(f"Map.fetch!({owner.text}, :{node.attr})", kinds=INT)
        self.walk.refuse(node, f"`.{node.attr}` has no equal form in Elixir")

    def metadata(self, node: ast.AST, path: Sequence[str]) -> Code:
        """A field of the metadata."""
        name = path[0]
        nested = name in ("consumer", "database")
        if len(path) > 2 or (len(path) == 2 and not nested) or (len(path) == 1 and nested):
            self.walk.refuse(
                node,
                f"`metadata.{'.'.join(path)}` is another thing in Elixir",
                'read entries by name: metadata.enrichment["plan"], '
                "or one field: metadata.database.name",
            )
        if len(path) == 2:
            kinds = _MAPS if path[1] == "annotations" else STR | NONE
            return Code(f"metadata.{name}.{path[1]}", kinds=kinds)
        text = f"metadata.{name}"
        if name == "commit_timestamp":
            return Code(self.walk.help("timestamp", text), kinds=STR)
        if name == "record_pks":
            return Code(text, kinds=LIST, items=STR)
        return Code(text, kinds=_TEXTS.get(name, _MAPS))

    def interpolated(self, node: ast.JoinedStr) -> Code:
        """An f-string."""
        parts = []
        for item in node.values:
            if isinstance(item, ast.Constant):
                parts.append(escaped(str(item.value)))
                continue
            assert isinstance(item, ast.FormattedValue)
            if item.format_spec is not None or item.conversion not in (-1, 115):
                self.walk.refuse(
                    item,
                    "formats inside of braces have no equal form in Elixir",
                    "write the value alone: {value}",
                )
            inner = self.values.value(item.value)
            parts.append(f"#{{{self.as_text(inner)}}}")
        return Code('"' + "".join(parts) + '"', kinds=STR)

    def as_text(self, found: Code) -> str:
        """The value as Python's `str` writes it, ready to be interpolated."""
        if found.kinds <= STR | INT:
            return found.text
        if (
            found.text.startswith("iso.(")
            and found.text.count("(") == found.text.count("iso.(") + 1
        ):
            return self.walk.help("text", found.text[5:-1])
        return self.walk.help("text", found.text)

    def sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Code:
        """A list, or what is one in Elixir."""
        if not any(isinstance(item, ast.Starred) for item in node.elts):
            items = [self.values.value(item) for item in node.elts]
            kinds: Kinds = frozenset().union(*(item.kinds for item in items)) if items else ANY
            return Code(f"[{', '.join(item.text for item in items)}]", kinds=LIST, items=kinds)
        parts = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                parts.append(self.listed(self.values.value(item.value)))
            else:
                parts.append(f"[{self.values.value(item).text}]")
        return Code(" ++ ".join(parts), JOIN, LIST)

    def listed(self, found: Code) -> str:
        """A value that is a list, or it fails."""
        return found.inside(JOIN + 1) if found.kinds == LIST else self.walk.help("list", found.text)

    def map(self, node: ast.Dict) -> Code:
        """A map in braces, with text as keys."""
        return self.mapping(node, atoms=False)

    def mapping(self, node: ast.Dict, *, atoms: bool) -> Code:
        """A map; with `atoms` its keys are written as names where all of them are."""
        plain: list[Any] = [k.value for k in node.keys if isinstance(k, ast.Constant)]
        atoms = (
            atoms
            and len(plain) == len(node.keys)
            and all(isinstance(k, str) and _KEY.match(k) for k in plain)
        )
        spread = node.end_lineno != node.lineno
        entries: list[str] = []
        merged: list[str] = []
        notes: list[str] = []
        for key, item in zip(node.keys, node.values, strict=True):
            above = self.walk.comments_before(item.lineno + 1) if spread else []
            notes += above
            value = self.values.value(item)
            if key is None:
                if notes:
                    entries += notes
                    notes = []
                if [e for e in entries if not e.startswith("#")]:
                    merged.append(_braces(entries, [], spread))
                    entries = []
                merged.append(
                    value.text if value.kinds == DICT else self.walk.help("map", value.text)
                )
                continue
            if atoms:
                name = f"{plain[len([e for e in entries if not e.startswith('#')])]}: "
            else:
                name_code = self.values.value(key)
                if name_code.kinds != STR:
                    self.walk.refuse(
                        key,
                        "keys of a map must be text in both languages",
                        'write a text, such as "id" or f"{key}"',
                    )
                name = f"{name_code.text} => "
            entries += notes
            notes = []
            entries.append(name + value.text)
        last = self.walk.comments_before(node.end_lineno or 0) if spread else []
        if merged:
            if [e for e in entries if not e.startswith("#")]:
                merged.append(_braces(entries, last, spread))
            text = merged[0]
            for other in merged[1:]:
                text = f"Map.merge({text}, {other})"
            return Code(text, kinds=DICT)
        return Code(_braces(entries, last, spread), kinds=DICT)

    def subscript(self, node: ast.Subscript) -> Code:
        """An entry, an item or a slice."""
        if isinstance(node.value, ast.Name) and node.value.id == "metadata":
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.metadata(node, [node.slice.value])
            self.walk.refuse(node, "only fields of `metadata` that are named can be read")
        owner = self.values.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._slice(node, owner, node.slice)
        key = self.values.value(node.slice)
        if key.kinds == STR:
            name = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return Code(self.walk.timed(owner.text, name, f"Map.fetch!({owner.text}, {key.text})"))
        if key.kinds == INT:
            if owner.kinds == LIST:
                return Code(f"Enum.fetch!({owner.text}, {key.text})", kinds=owner.items)
            return Code(
                self.walk.help("at", owner.text, key.text), kinds=STR if owner.kinds == STR else ANY
            )
        self.walk.refuse(
            node.slice,
            "whether this is a key or a position is not known here",
            "write a constant, or str(...) or int(...) around it",
        )

    def _slice(self, node: ast.AST, owner: Code, cut: ast.Slice) -> Code:
        low, high = _constant_int(cut.lower), _constant_int(cut.upper)
        if cut.step is not None or low is False or high is False:
            self.walk.refuse(node, "slices need constant ends and no step")
        steps = _cuts(low, high)
        if steps is None:
            self.walk.refuse(
                node,
                "a slice from the end up to a position has no short equal form",
                "cut in two steps",
            )
        if owner.kinds == LIST:
            text = owner.inside(56) + "".join(f" |> {step}" for step in steps)
            return Code(text, 55 if steps else owner.power, LIST, owner.items)
        if owner.kinds == STR:
            chain = " |> ".join([owner.inside(56), "String.codepoints()", *steps, "Enum.join()"])
            return Code(chain, 55, STR)
        chain = " |> ".join(["items", *steps])
        return Code(
            self.walk.help("part", owner.text, f"fn items -> {chain} end"),
            kinds=owner.kinds & (STR | LIST) or STR | LIST,
        )


def dotted(node: ast.expr) -> list[str]:
    """The names of `a.b.c`; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def _constant_int(node: ast.expr | None) -> int | bool | None:
    """The integer of a constant, `None` when left out, false for anything else."""
    if node is None:
        return None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return False
    return value if type(value) is int else False


def _cuts(low: int | bool | None, high: int | bool | None) -> list[str] | None:
    """A slice as steps on a list; `None` for the one form without."""
    if low is None or low == 0:
        if high is None:
            return []
        return [f"Enum.take({high})" if high >= 0 else f"Enum.drop({high})"]
    if high is None:
        return [f"Enum.drop({low})" if low > 0 else f"Enum.take({low})"]
    if low > 0:
        if high >= 0:
            return [f"Enum.take({high})", f"Enum.drop({low})"]
        return [f"Enum.drop({high})", f"Enum.drop({low})"]
    return [f"Enum.take({low})", f"Enum.drop({high})"] if high < 0 else None


def _braces(entries: list[str], last: list[str], spread: bool) -> str:
    """A map of written entries; comments among them stand on their own lines."""
    if not entries and not last:
        return "%{}"
    flat = "%{" + ", ".join(entries) + "}"
    if not spread and len(flat) <= WIDTH and "\n" not in flat:
        return flat
    real = [at for at, entry in enumerate(entries) if not entry.startswith("#")]
    lines = [
        entry + ("," if real and at in real and at != real[-1] else "")
        for at, entry in enumerate(entries)
    ]
    return "%{\n" + indented("\n".join([*lines, *last])) + "\n}"
