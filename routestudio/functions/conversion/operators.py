"""Python operators and comparisons as Elixir."""

from __future__ import annotations

import ast
from typing import Final

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.common import (
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
    indented,
)
from routestudio.functions.conversion.literals import JOIN
from routestudio.functions.conversion.scope import Values

AND, OR, EQUAL, ORDER, IN, ADD, MULTIPLY = 40, 30, 45, 50, 60, 70, 80
_EMPTY: Final = {"": STR, "[]": LIST, "{}": DICT}


class Operators:
    """Operators, and what counts as true."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.walk = values.walk

    def negated(self, found: Code) -> Code:
        """The opposite of something that is true or false."""
        for plain, other in ((" == ", " != "), (" != ", " == ")):
            if found.power == EQUAL and found.text.count(plain) == 1 and '"' not in found.text:
                return Code(found.text.replace(plain, other), EQUAL, BOOL)
        return Code(f"not {found.inside(UNARY)}", UNARY, BOOL)

    def truth(self, found: Code, wanted: bool) -> Code:
        """Whether a value counts as true in Python."""
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
        text = self.walk.help("truthy", found.text)
        return Code(text if wanted else f"not {text}", ATOM if wanted else UNARY, BOOL)

    def conditions(self, node: ast.BoolOp, wanted: bool) -> Code:
        """`and`, `or` of which only matters whether they hold."""
        both = isinstance(node.op, ast.And) == wanted
        word, power = ("and", AND) if both else ("or", OR)
        before = self.walk.names.copy()
        parts = []
        for item in node.values:
            parts.append(self.values.condition(item, wanted=wanted).inside(power + 1))
            narrowing.apply(self.walk.names.facts, item, isinstance(node.op, ast.And))
        self.walk.names = before
        return Code(f" {word} ".join(parts), power, BOOL)

    def unary(self, node: ast.UnaryOp) -> Code:
        """An operator before its operand."""
        if isinstance(node.op, ast.Not):
            return self.values.condition(node)
        if isinstance(node.op, ast.USub):
            found = self.values.value(node.operand)
            if isinstance(node.operand, ast.Constant):
                return Code(f"-{found.text}", UNARY, found.kinds)
            kinds = found.kinds & NUMBER or NUMBER
            return Code(f"-{found.inside(ATOM)}", UNARY, kinds)
        self.walk.refuse(node, "this operator has no equal form in Elixir")

    def binary(self, node: ast.BinOp) -> Code:
        """Arithmetic."""
        left, right = self.values.value(node.left), self.values.value(node.right)
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
                    return Code(self.walk.help("plus", left.text, right.text), kinds=LIST)
                if a <= NUMBER or b <= NUMBER:
                    return Code(f"{left.inside(ADD)} + {right.inside(ADD + 1)}", ADD, number)
                return Code(
                    self.walk.help("plus", left.text, right.text), kinds=STR | NUMBER | LIST
                )
            case ast.Sub():
                return Code(f"{left.inside(ADD)} - {right.inside(ADD + 1)}", ADD, number)
            case ast.Mult():
                if a <= NUMBER and b <= NUMBER:
                    text = f"{left.inside(MULTIPLY)} * {right.inside(MULTIPLY + 1)}"
                    return Code(text, MULTIPLY, number)
                if STR in (a, b) or LIST in (a, b):
                    self.walk.refuse(node, "repeating text or a list has no equal form in Elixir")
                return Code(self.walk.help("times", left.text, right.text), kinds=number)
            case ast.Div():
                if FLOAT in (a, b) and a | b <= NUMBER:
                    text = f"{left.inside(MULTIPLY)} / {right.inside(MULTIPLY + 1)}"
                    return Code(text, MULTIPLY, FLOAT)
                return Code(self.walk.help("quotient", left.text, right.text), kinds=FLOAT)
            case ast.FloorDiv():
                return Code(f"Integer.floor_div({left.text}, {right.text})", kinds=INT)
            case ast.Mod():
                if a == STR:
                    self.walk.refuse(node, "formatting with % has no equal form", "use an f-string")
                return Code(f"Integer.mod({left.text}, {right.text})", kinds=INT)
            case ast.Pow() if a == INT and isinstance(node.right, ast.Constant) and b == INT:
                return Code(f"Integer.pow({left.text}, {right.text})", kinds=INT)
        self.walk.refuse(node, "this operator has no equal form in Elixir")

    def choice(self, node: ast.BoolOp) -> Code:
        """`and`, `or` give one of their operands."""
        first, rest = node.values[0], node.values[1:]
        is_and = isinstance(node.op, ast.And)
        before = self.walk.names.copy()
        left = self.values.value(first)
        narrowing.apply(self.walk.names.facts, first, is_and)
        other = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        right = self.values.value(ast.copy_location(other, rest[0]))
        self.walk.names = before
        if left.kinds == BOOL:
            word, power = ("and", AND) if is_and else ("or", OR)
            text = f"{left.inside(power)} {word} {right.inside(power + 1)}"
            return Code(
                text, power, BOOL | right.kinds if right.kinds != BOOL else BOOL, right.items
            )
        kinds = (left.kinds if is_and else left.kinds - NONE) | right.kinds
        items = left.items | right.items
        empty = _EMPTY.get(ast.unparse(rest[-1]).strip("'\"") if len(rest) == 1 else "-")
        always = left.kinds - NONE
        if not is_and and (not always or (empty is not None and always == empty)):
            return Code(f"{left.inside(OR)} || {right.inside(OR + 1)}", OR, kinds, items)
        test = self.truth(left, True)
        yes, no = (right, left) if is_and else (left, right)
        if not (yes.flat and no.flat):
            text = f"if {test.text} do\n{indented(yes.text)}\nelse\n{indented(no.text)}\nend"
            return Code(text, BLOCK, kinds, items)
        return Code(f"if({test.text}, do: {yes.text}, else: {no.text})", ATOM, kinds, items)

    def comparisons(self, node: ast.Compare) -> Code:
        """A chain of comparisons."""
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
        left, right = self.values.value(left_node), self.values.value(right_node)
        equal = isinstance(op, (ast.Eq, ast.Is))
        sign = "==" if equal else "!="
        plain = Code(f"{left.inside(EQUAL + 1)} {sign} {right.inside(EQUAL + 1)}", EQUAL, BOOL)
        if isinstance(op, (ast.Is, ast.IsNot)):
            if right.text == "nil":
                test = f"is_nil({left.text})"
                return Code(test if equal else f"not {test}", ATOM if equal else UNARY, BOOL)
            if right.text in ("true", "false"):
                return plain
            self.walk.refuse(
                node, "`is` compares identities, which Elixir does not have", "write =="
            )
        if isinstance(op, (ast.Eq, ast.NotEq)):
            if self.same_as_elixir(left, right):
                return plain
            text = self.walk.help("same", left.text, right.text)
            return Code(text if equal else f"not {text}", ATOM if equal else UNARY, BOOL)
        signs: dict[type[ast.cmpop], tuple[str, str]] = {
            ast.Lt: ("<", "== :lt"),
            ast.LtE: ("<=", "!= :gt"),
            ast.Gt: (">", "== :gt"),
            ast.GtE: (">=", "!= :lt"),
        }
        sign, verdict = signs[type(op)]
        if left.kinds | right.kinds <= NUMBER or left.kinds == right.kinds == STR:
            return Code(f"{left.inside(ORDER + 1)} {sign} {right.inside(ORDER + 1)}", ORDER, BOOL)
        return Code(f"{self.walk.help('compare', left.text, right.text)} {verdict}", EQUAL, BOOL)

    @staticmethod
    def same_as_elixir(left: Code, right: Code) -> bool:
        """Whether `==` gives the same for these values in both languages."""
        return (
            any(kinds <= STR | NONE for kinds in (left.kinds, right.kinds))
            or left.kinds | right.kinds <= NUMBER
            or left.kinds == right.kinds == BOOL
            or any(code.text in ("[]", "%{}") for code in (left, right))
        )

    def _membership(self, item_node: ast.expr, node: ast.expr) -> Code:
        item = self.values.value(item_node)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            choices = [self.values.value(choice) for choice in node.elts]
            strict = all(
                choice.kinds <= STR | NONE
                or choice.kinds == item.kinds == INT
                or (item.kinds <= STR | NONE)
                for choice in choices
            )
            if strict:
                listed = f"[{', '.join(choice.text for choice in choices)}]"
                return Code(f"{item.inside(IN + 1)} in {listed}", IN, BOOL)
            tests = [self.walk.help("same", item.text, choice.text) for choice in choices]
            return Code(" or ".join(tests), OR if len(tests) > 1 else ATOM, BOOL)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".keys"):
            assert isinstance(node.func, ast.Attribute)
            node = node.func.value
        whole = self.values.value(node)
        if whole.kinds == DICT and item.kinds == STR:
            return Code(f"Map.has_key?({whole.text}, {item.text})", kinds=BOOL)
        if whole.kinds == STR and item.kinds == STR:
            return Code(f"String.contains?({whole.text}, {item.text})", kinds=BOOL)
        if whole.kinds == LIST and item.kinds == STR:
            return Code(f"{item.inside(IN + 1)} in {whole.inside(IN + 1)}", 59, BOOL)
        return Code(self.walk.help("contains", whole.text, item.text), kinds=BOOL)
