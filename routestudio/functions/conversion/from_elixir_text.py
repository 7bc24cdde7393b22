"""Calls of String and Regex in Elixir functions as Python."""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.conversion import patterns
from routestudio.functions.conversion.common import ATOM, BOOL, INT, LIST, STR, Code
from routestudio.functions.conversion.counterparts import in_python
from routestudio.functions.conversion.python_code import ORDER, Walk, quoted
from routestudio.functions.elixir.quoted import Node, is_node

_SPACE: Final = r"[\s\x{1C}-\x{1F}\x{85}]+"
_ALONE: Final = ("upper", "lower", "strip", "lstrip", "rstrip")


class Texts:
    """Functions on text."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def module_string(self, node: Node, name: str, args: list[Any]) -> Code | None:
        """A call of a function of String."""
        if name == "match?":
            return self.module_regex(node, name, [args[1], args[0]])
        one = self.walk.value(args[0])
        method = in_python("String", name, "str")
        if name == "split" and len(args) == 3 and is_node(args[1], "sigil_r"):
            return (
                Code(f"{one.inside(ATOM)}.split()", kinds=LIST, items=STR)
                if args[1].args[0].args == [_SPACE]
                else None
            )
        if method in _ALONE and len(args) == 1:
            return Code(f"{one.inside(ATOM)}.{method}()", kinds=STR)
        constant = args[1] if len(args) > 1 else None
        if name == "split" and len(args) == 3 and constant and type(constant) is str:
            (key, count), *more = args[2]
            if key.name == "parts" and not more and type(count) is int and count > 0:
                text = f"{one.inside(ATOM)}.split({quoted(constant)}, {count - 1})"
                return Code(text, kinds=LIST, items=STR)
            return None
        if name == "codepoints":
            return Code(f"list({self.walk.texted(one)})", kinds=LIST, items=STR)
        if name in ("to_integer", "to_float"):
            return (
                Code(self.walk.help("integer", one.text), kinds=INT)
                if name == "to_integer"
                else None
            )
        if constant is None:
            return None
        two = self.walk.value(constant)
        many = two.kinds == LIST and two.items <= STR and two.text != "[]"
        if name == "contains?" and two.kinds == STR:
            return Code(f"{two.inside(ORDER + 1)} in {self.walk.texted(one)}", ORDER, BOOL)
        if method in ("startswith", "endswith") and (two.kinds == STR or many):
            found = f"({two.text[1:-1]}{',' * (',' not in two.text)})" if many else two.text
            return Code(f"{one.inside(ATOM)}.{method}({found})", kinds=BOOL)
        if not (type(constant) is str and constant):
            return None
        if method in _ALONE and len(constant) == 1:
            return Code(f"{one.inside(ATOM)}.{method}({two.text})", kinds=STR)
        if name == "split" and len(args) == 2:
            return Code(f"{one.inside(ATOM)}.split({two.text})", kinds=LIST, items=STR)
        three = self.walk.value(args[2]) if len(args) == 3 else None
        if three is None:
            return None
        if name == "replace" and three.kinds == STR:
            return Code(f"{one.inside(ATOM)}.replace({two.text}, {three.text})", kinds=STR)
        if method in ("removeprefix", "removesuffix") and three.text == '""':
            return Code(f"{one.inside(ATOM)}.{method}({two.text})", kinds=STR)
        return None

    def module_regex(self, node: Node, name: str, args: list[Any]) -> Code | None:
        """A call of a function of Regex."""
        sigil = args[0]
        if not is_node(sigil, "sigil_r") or len(sigil.args[0].args) != 1:
            self.walk.refuse(node, "a pattern must be a constant: ~r/.../u")
        pattern = str(sigil.args[0].args[0]).replace("\\/", "/").replace("[#]{", "#{")
        flags = "".join(map(chr, sigil.args[1])) if len(sigil.args) > 1 and sigil.args[1] else ""
        if "u" not in flags or set(flags) - set("uims") or len(flags) > 2:
            self.walk.refuse(
                sigil,
                "patterns without `u` look at bytes, and Python's at characters",
                "write ~r/.../u",
            )
        pattern = pattern.replace("\\z", "\\Z")
        try:
            patterns.regex(pattern, "")
        except patterns.UnequalError as error:
            self.walk.refuse(
                sigil,
                str(error).replace("Elixir", "Python"),
                "write the characters, such as [A-Za-z0-9_]",
            )
        names = {"i": "IGNORECASE", "m": "MULTILINE", "s": "DOTALL"}
        flag = "".join(f", re.{names[f]}" for f in flags if f != "u")
        subject = self.walk.value(args[1]).text
        if name == "match?":
            text = f"re.search(r{quoted(pattern)}, {subject}{flag})".replace("\\\\", "\\")
            return Code(f"{text} is not None", ORDER, BOOL)
        if patterns.can_be_empty(pattern):
            self.walk.refuse(sigil, "a pattern that may match nothing cuts differently in Python")
        shown = f"r{quoted(pattern)}".replace("\\\\", "\\")
        if name == "replace" and len(args) == 3 and type(args[2]) is str and "\\" not in args[2] \
                and not flag:  # fmt: skip
            return Code(f"re.sub({shown}, {quoted(args[2])}, {subject})", kinds=STR)
        if patterns.groups(pattern) or len(args) != 2 or name not in ("split", "scan"):
            return None
        call = "re.split" if name == "split" else "re.findall"
        return Code(f"{call}({shown}, {subject}{flag})", kinds=LIST, items=STR)
