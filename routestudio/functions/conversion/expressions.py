"""Python expressions as Elixir: operators, literals, conditions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Final

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    BLOCK,
    BOOL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NONE,
    NUMBER,
    STR,
    UNARY,
    Code,
    Kinds,
    indented,
)
from routestudio.functions.conversion.scope import Walk

WIDTH: Final = 92
AND, OR, EQUAL, ORDER, IN, JOIN, ADD, MULTIPLY = 40, 30, 45, 50, 60, 65, 70, 80
_KEY: Final = re.compile(r"[a-z_][a-zA-Z0-9_]*\Z")
_TEXTS: Final = {
    "table_schema": STR, "table_name": STR, "database_name": STR, "idempotency_key": STR,
    "commit_lsn": INT, "commit_idx": INT,
}  # fmt: skip
_MAPS: Final = NONE | DICT
_EMPTY: Final = {"": STR, "[]": LIST, "{}": DICT}


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


class Expressions(Walk):
    """Turns expressions into Elixir; calls are the matter of a class below."""

    def value(self, node: ast.expr) -> Code:
        """An expression as a value."""
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            kind = type(node).__name__
            self.refuse(node, f"`{kind}` has no equal form in Elixir", "write it another way")
        found: Code = method(node)
        known = self.names.facts.get(ast.dump(node))
        if known is not None and found.kinds & known:
            return Code(found.text, found.power, found.kinds & known, found.items)
        return found

    def condition(self, node: ast.expr, *, wanted: bool = True) -> Code:
        """Whether an expression counts as true in Python; always true or false in Elixir."""
        if isinstance(node, ast.BoolOp):
            return self._conditions(node, wanted)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.condition(node.operand, wanted=not wanted)
        found = self.value(node)
        if found.kinds == BOOL:
            return found if wanted else self._negated(found)
        return self._truth(found, wanted)

    def _negated(self, found: Code) -> Code:
        for plain, other in ((" == ", " != "), (" != ", " == ")):
            if found.power == EQUAL and found.text.count(plain) == 1 and '"' not in found.text:
                return Code(found.text.replace(plain, other), EQUAL, BOOL)
        return Code(f"not {found.inside(UNARY)}", UNARY, BOOL)

    def _truth(self, found: Code, wanted: bool) -> Code:
        kinds, sign = found.kinds, "!=" if wanted else "=="
        empty = {STR: '""', LIST: "[]", DICT: "%{}", INT: "0", FLOAT: "0"}.get(kinds)
        if empty is not None:
            return Code(f"{found.inside(EQUAL + 1)} {sign} {empty}", EQUAL, BOOL)
        if kinds == NONE:
            return Code("false" if wanted else "true", ATOM, BOOL)
        for kind, falsy in ((STR, '""'), (LIST, "[]"), (DICT, "%{}")):
            if kinds == kind | NONE:
                word = "not in" if wanted else "in"
                return Code(f"{found.inside(IN + 1)} {word} [nil, {falsy}]", IN, BOOL)
        text = self.help("truthy", found.text)
        return Code(text if wanted else f"not {text}", ATOM if wanted else UNARY, BOOL)

    def _conditions(self, node: ast.BoolOp, wanted: bool) -> Code:
        both = isinstance(node.op, ast.And) == wanted
        word, power = ("and", AND) if both else ("or", OR)
        before = self.names.copy()
        parts = []
        for item in node.values:
            parts.append(self.condition(item, wanted=wanted).inside(power + 1))
            narrowing.apply(self.names.facts, item, isinstance(node.op, ast.And))
        self.names = before
        return Code(f" {word} ".join(parts), power, BOOL)

    # Literals and names

    def _constant(self, node: ast.Constant) -> Code:
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
        self.refuse(node, "bytes have no equal form in Elixir", "use text")

    def _float(self, node: ast.AST, value: float) -> str:
        text = repr(value)
        if text in ("inf", "nan"):
            self.refuse(node, "Elixir has no infinite numbers")
        if "e" in text and "." not in text:
            text = text.replace("e", ".0e")
        return text

    def _name(self, node: ast.Name) -> Code:
        if node.id == "action" and "action" not in self.names.called:
            return Code("action", kinds=STR)
        if node.id == "record" and "record" not in self.names.called:
            return Code("record", kinds=DICT)
        if node.id == "changes" and "changes" not in self.names.called:
            return Code("changes", kinds=NONE | DICT)
        if node.id in self.names.called:
            return self.names.called[node.id]
        if node.id == "metadata":
            self.refuse(node, "`metadata` as a whole has other keys in Elixir",
                        "read its fields: metadata.table_name")  # fmt: skip
        self.refuse(node, f"`{node.id}` may have no value here, or is no value in Elixir",
                    "give it a value before, in every branch")  # fmt: skip

    def _attribute(self, node: ast.Attribute) -> Code:
        path = dotted(node)
        if path[:1] == ["metadata"] and "metadata" not in self.names.called:
            return self.metadata(node, path[1:])
        if node.attr in ("year", "month", "day", "hour", "minute", "second"):
            owner = self.value(node.value)
            return Code(f"Map.fetch!({owner.text}, :{node.attr})", kinds=INT)
        self.refuse(node, f"`.{node.attr}` has no equal form in Elixir")

    def metadata(self, node: ast.AST, path: Sequence[str]) -> Code:
        """A field of the metadata."""
        name = path[0]
        nested = name in ("consumer", "database")
        if len(path) > 2 or (len(path) == 2 and not nested) or (len(path) == 1 and nested):
            self.refuse(node, f"`metadata.{'.'.join(path)}` is another thing in Elixir",
                        'read entries by name: metadata.enrichment["plan"], '
                        "or one field: metadata.database.name")  # fmt: skip
        if len(path) == 2:
            kinds = _MAPS if path[1] == "annotations" else STR | NONE
            return Code(f"metadata.{name}.{path[1]}", kinds=kinds)
        text = f"metadata.{name}"
        if name == "commit_timestamp":
            return Code(self.help("timestamp", text), kinds=STR)
        if name == "record_pks":
            return Code(text, kinds=LIST, items=STR)
        return Code(text, kinds=_TEXTS.get(name, _MAPS))

    def _joinedstr(self, node: ast.JoinedStr) -> Code:
        parts = []
        for item in node.values:
            if isinstance(item, ast.Constant):
                parts.append(escaped(str(item.value)))
                continue
            assert isinstance(item, ast.FormattedValue)
            if item.format_spec is not None or item.conversion not in (-1, 115):
                self.refuse(item, "formats inside of braces have no equal form in Elixir",
                            "write the value alone: {value}")  # fmt: skip
            inner = self.value(item.value)
            parts.append(f"#{{{self.as_text(inner)}}}")
        return Code('"' + "".join(parts) + '"', kinds=STR)

    def as_text(self, found: Code) -> str:
        """The value as Python's `str` writes it, ready to be interpolated."""
        if found.kinds <= STR | INT:
            return found.text
        return self.help("text", found.text)

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Code:
        if not any(isinstance(item, ast.Starred) for item in node.elts):
            items = [self.value(item) for item in node.elts]
            kinds: Kinds = frozenset().union(*(item.kinds for item in items)) if items else ANY
            return Code(f"[{', '.join(item.text for item in items)}]", kinds=LIST, items=kinds)
        parts = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                parts.append(self.listed(self.value(item.value)))
            else:
                parts.append(f"[{self.value(item).text}]")
        return Code(" ++ ".join(parts), JOIN, LIST)

    _tuple = _list

    def listed(self, found: Code) -> str:
        """A value that is a list, or it fails."""
        return found.inside(JOIN + 1) if found.kinds == LIST else self.help("list", found.text)

    def _dict(self, node: ast.Dict) -> Code:
        return self.mapping(node, atoms=False)

    def mapping(self, node: ast.Dict, *, atoms: bool) -> Code:
        """A map; with `atoms` its keys are written as names where all of them are."""
        plain = [k.value for k in node.keys if isinstance(k, ast.Constant)]
        atoms = atoms and len(plain) == len(node.keys) and all(
            isinstance(k, str) and _KEY.match(k) for k in plain
        )  # fmt: skip
        spread = node.end_lineno != node.lineno
        entries: list[str] = []
        merged: list[str] = []
        notes: list[str] = []
        for key, item in zip(node.keys, node.values, strict=True):
            above = self.comments_before(item.lineno + 1) if spread else []
            notes += above
            value = self.value(item)
            if key is None:
                if notes:
                    entries += notes
                    notes = []
                if [e for e in entries if not e.startswith("#")]:
                    merged.append(_braces(entries, [], spread))
                    entries = []
                merged.append(value.text if value.kinds == DICT else self.help("map", value.text))
                continue
            if atoms:
                name = f"{plain[len([e for e in entries if not e.startswith('#')])]}: "
            else:
                name_code = self.value(key)
                if name_code.kinds != STR:
                    self.refuse(key, "keys of a map must be text in both languages",
                                'write a text, such as "id" or f"{key}"')  # fmt: skip
                name = f"{name_code.text} => "
            entries += notes
            notes = []
            entries.append(name + value.text)
        last = self.comments_before(node.end_lineno or 0) if spread else []
        if merged:
            if [e for e in entries if not e.startswith("#")]:
                merged.append(_braces(entries, last, spread))
            text = merged[0]
            for other in merged[1:]:
                text = f"Map.merge({text}, {other})"
            return Code(text, kinds=DICT)
        return Code(_braces(entries, last, spread), kinds=DICT)

    def _subscript(self, node: ast.Subscript) -> Code:
        if isinstance(node.value, ast.Name) and node.value.id == "metadata":
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.metadata(node, [node.slice.value])
            self.refuse(node, "only fields of `metadata` that are named can be read")
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._slice(node, owner, node.slice)
        key = self.value(node.slice)
        if key.kinds == STR:
            return Code(f"Map.fetch!({owner.text}, {key.text})")
        if key.kinds == INT:
            if owner.kinds == LIST:
                return Code(f"Enum.fetch!({owner.text}, {key.text})", kinds=owner.items)
            return Code(self.help("at", owner.text, key.text),
                        kinds=STR if owner.kinds == STR else ANY)  # fmt: skip
        self.refuse(node.slice, "whether this is a key or a position is not known here",
                    "write a constant, or str(...) or int(...) around it")  # fmt: skip

    def _slice(self, node: ast.AST, owner: Code, cut: ast.Slice) -> Code:
        low, high = _constant_int(cut.lower), _constant_int(cut.upper)
        if cut.step is not None or low is False or high is False:
            self.refuse(node, "slices need constant ends and no step")
        steps = _cuts(low, high)
        if steps is None:
            self.refuse(node, "a slice from the end up to a position has no short equal form",
                        "cut in two steps")  # fmt: skip
        if owner.kinds == LIST:
            text = owner.inside(56) + "".join(f" |> {step}" for step in steps)
            return Code(text, 55 if steps else owner.power, LIST, owner.items)
        if owner.kinds == STR:
            chain = " |> ".join([owner.inside(56), "String.codepoints()", *steps, "Enum.join()"])
            return Code(chain, 55, STR)
        chain = " |> ".join(["items", *steps])
        return Code(self.help("part", owner.text, f"fn items -> {chain} end"),
                    kinds=owner.kinds & (STR | LIST) or STR | LIST)  # fmt: skip

    # Operators

    def _unaryop(self, node: ast.UnaryOp) -> Code:
        if isinstance(node.op, ast.Not):
            return self.condition(node)
        if isinstance(node.op, ast.USub):
            found = self.value(node.operand)
            if isinstance(node.operand, ast.Constant):
                return Code(f"-{found.text}", UNARY, found.kinds)
            kinds = found.kinds & NUMBER or NUMBER
            return Code(f"-{found.inside(ATOM)}", UNARY, kinds)
        self.refuse(node, "this operator has no equal form in Elixir")

    def _binop(self, node: ast.BinOp) -> Code:
        left, right = self.value(node.left), self.value(node.right)
        a, b = left.kinds, right.kinds
        number = (a & NUMBER or NUMBER) | (b & NUMBER or NUMBER)
        if a == b == INT:
            number = INT
        elif FLOAT in (a, b):
            number = FLOAT
        match node.op:
            case ast.Add():
                if a == STR or b == STR:
                    return Code(f"{left.inside(JOIN + 1)} <> {right.inside(JOIN)}", JOIN, STR)
                if a == b == LIST:
                    text = f"{left.inside(JOIN + 1)} ++ {right.inside(JOIN)}"
                    return Code(text, JOIN, LIST, left.items | right.items)
                if LIST in (a, b):
                    return Code(self.help("plus", left.text, right.text), kinds=LIST)
                if a <= NUMBER or b <= NUMBER:
                    return Code(f"{left.inside(ADD)} + {right.inside(ADD + 1)}", ADD, number)
                return Code(self.help("plus", left.text, right.text), kinds=STR | NUMBER | LIST)
            case ast.Sub():
                return Code(f"{left.inside(ADD)} - {right.inside(ADD + 1)}", ADD, number)
            case ast.Mult():
                if a <= NUMBER and b <= NUMBER:
                    text = f"{left.inside(MULTIPLY)} * {right.inside(MULTIPLY + 1)}"
                    return Code(text, MULTIPLY, number)
                if STR in (a, b) or LIST in (a, b):
                    self.refuse(node, "repeating text or a list has no equal form in Elixir")
                return Code(self.help("times", left.text, right.text), kinds=number)
            case ast.Div():
                if FLOAT in (a, b) and a | b <= NUMBER:
                    text = f"{left.inside(MULTIPLY)} / {right.inside(MULTIPLY + 1)}"
                    return Code(text, MULTIPLY, FLOAT)
                return Code(self.help("quotient", left.text, right.text), kinds=FLOAT)
            case ast.FloorDiv():
                return Code(f"Integer.floor_div({left.text}, {right.text})", kinds=INT)
            case ast.Mod():
                if a == STR:
                    self.refuse(node, "formatting with % has no equal form", "use an f-string")
                return Code(f"Integer.mod({left.text}, {right.text})", kinds=INT)
            case ast.Pow() if a == INT and isinstance(node.right, ast.Constant) and b == INT:
                return Code(f"Integer.pow({left.text}, {right.text})", kinds=INT)
        self.refuse(node, "this operator has no equal form in Elixir")

    def _boolop(self, node: ast.BoolOp) -> Code:
        """`and`, `or` give one of their operands."""
        first, rest = node.values[0], node.values[1:]
        is_and = isinstance(node.op, ast.And)
        before = self.names.copy()
        left = self.value(first)
        narrowing.apply(self.names.facts, first, is_and)
        other = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        right = self.value(ast.copy_location(other, rest[0]))
        self.names = before
        if left.kinds == BOOL:
            word, power = ("and", AND) if is_and else ("or", OR)
            text = f"{left.inside(power)} {word} {right.inside(power + 1)}"
            return Code(text, power, BOOL | right.kinds if right.kinds != BOOL else BOOL,
                        right.items)  # fmt: skip
        kinds = (left.kinds if is_and else left.kinds - NONE) | right.kinds
        items = left.items | right.items
        empty = _EMPTY.get(ast.unparse(rest[-1]).strip("'\"") if len(rest) == 1 else "-")
        always = left.kinds - NONE
        if not is_and and (not always or (empty is not None and always == empty)):
            return Code(f"{left.inside(OR)} || {right.inside(OR + 1)}", OR, kinds, items)
        test = self._truth(left, True)
        yes, no = (right, left) if is_and else (left, right)
        if not (yes.flat and no.flat):
            text = f"if {test.text} do\n{indented(yes.text)}\nelse\n{indented(no.text)}\nend"
            return Code(text, BLOCK, kinds, items)
        return Code(f"if({test.text}, do: {yes.text}, else: {no.text})", ATOM, kinds, items)

    def _ifexp(self, node: ast.IfExp) -> Code:
        raise NotImplementedError

    def _compare(self, node: ast.Compare) -> Code:
        operands = [node.left, *node.comparators]
        parts = [
            self._comparison(node, left, op, right)
            for left, op, right in zip(operands, node.ops, operands[1:], strict=False)
        ]
        if len(parts) == 1:
            return parts[0]
        return Code(" and ".join(part.inside(AND + 1) for part in parts), AND, BOOL)

    def _comparison(
        self, node: ast.AST, left_node: ast.expr, op: ast.cmpop, right_node: ast.expr
    ) -> Code:
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self._membership(left_node, right_node)
            if isinstance(op, ast.In):
                return found
            if found.power == IN:
                return Code(found.text.replace(" in [", " not in [", 1), IN, BOOL)
            return Code(f"not {found.inside(UNARY)}", UNARY, BOOL)
        left, right = self.value(left_node), self.value(right_node)
        equal = isinstance(op, (ast.Eq, ast.Is))
        sign = "==" if equal else "!="
        plain = Code(f"{left.inside(EQUAL + 1)} {sign} {right.inside(EQUAL + 1)}", EQUAL, BOOL)
        if isinstance(op, (ast.Is, ast.IsNot)):
            if right.text == "nil":
                test = f"is_nil({left.text})"
                return Code(test if equal else f"not {test}", ATOM if equal else UNARY, BOOL)
            if right.text in ("true", "false"):
                return plain
            self.refuse(node, "`is` compares identities, which Elixir does not have", "write ==")
        if isinstance(op, (ast.Eq, ast.NotEq)):
            if self.same_as_elixir(left, right):
                return plain
            text = self.help("same", left.text, right.text)
            return Code(text if equal else f"not {text}", ATOM if equal else UNARY, BOOL)
        signs: dict[type[ast.cmpop], tuple[str, str]] = {
            ast.Lt: ("<", "== :lt"), ast.LtE: ("<=", "!= :gt"),
            ast.Gt: (">", "== :gt"), ast.GtE: (">=", "!= :lt"),
        }  # fmt: skip
        sign, verdict = signs[type(op)]
        if left.kinds | right.kinds <= NUMBER or left.kinds == right.kinds == STR:
            return Code(f"{left.inside(ORDER + 1)} {sign} {right.inside(ORDER + 1)}", ORDER, BOOL)
        return Code(f"{self.help('compare', left.text, right.text)} {verdict}", EQUAL, BOOL)

    @staticmethod
    def same_as_elixir(left: Code, right: Code) -> bool:
        """Whether `==` says of these values the same in both languages."""
        return (
            any(kinds <= STR | NONE for kinds in (left.kinds, right.kinds))
            or left.kinds | right.kinds <= NUMBER
            or left.kinds == right.kinds == BOOL
            or any(code.text in ("[]", "%{}") for code in (left, right))
        )

    def _membership(self, item_node: ast.expr, node: ast.expr) -> Code:
        item = self.value(item_node)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            choices = [self.value(choice) for choice in node.elts]
            strict = all(
                choice.kinds <= STR | NONE or choice.kinds == item.kinds == INT
                or (item.kinds <= STR | NONE) for choice in choices
            )  # fmt: skip
            if strict:
                listed = f"[{', '.join(choice.text for choice in choices)}]"
                return Code(f"{item.inside(IN + 1)} in {listed}", IN, BOOL)
            tests = [self.help("same", item.text, choice.text) for choice in choices]
            return Code(" or ".join(tests), OR if len(tests) > 1 else ATOM, BOOL)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".keys"):
            assert isinstance(node.func, ast.Attribute)
            node = node.func.value
        whole = self.value(node)
        if whole.kinds == DICT and item.kinds == STR:
            return Code(f"Map.has_key?({whole.text}, {item.text})", kinds=BOOL)
        if whole.kinds == STR and item.kinds == STR:
            return Code(f"String.contains?({whole.text}, {item.text})", kinds=BOOL)
        if whole.kinds == LIST and item.kinds == STR:
            return Code(f"{item.inside(IN + 1)} in {whole.inside(IN + 1)}", 59, BOOL)
        return Code(self.help("contains", whole.text, item.text), kinds=BOOL)


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


def as_json(text: str) -> str:
    """A text in double quotes."""
    return json.dumps(text, ensure_ascii=False)
