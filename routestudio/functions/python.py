"""The Python subset of user functions: an allow-list of syntax, names and attributes.

Whatever is not listed is refused, so a new Python version opens nothing. Attribute names are
decided here, once, instead of at run time: no listed name leads from plain data to anything else.
The worker process is the second wall. All problems are reported, with their place.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from routestudio.functions import advice, library
from routestudio.functions.metadata import METADATA_FIELDS
from routestudio.functions.tracing import Instrument, Recorder
from routestudio.model.analysis import Point
from routestudio.model.function import Diagnostic, FunctionKind

MAX_BYTES: Final = 10_000
"""Longest accepted code in bytes of UTF-8, as on a Sequin server.

docs/reference/sequin.md#functions
"""

PARAMETERS: Final = ("action", "record", "changes", "metadata")
FILENAME: Final = "<function>"
MAX_GUESSES: Final = 20
ELIXIR_HINT: Final = "this looks like Elixir, and the function is Python: add one in Elixir for it"
_ELIXIR: Final = re.compile(r"^def \w+\([^()]*\) +do *(?:#.*)?$", re.MULTILINE)
"""Names for which a similar one is looked up: that search is slow, a text may hold thousands."""

_ALLOWED: Final[tuple[type[ast.AST], ...]] = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Expr, ast.Pass,
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Delete,
    ast.If, ast.IfExp, ast.For, ast.While, ast.Break, ast.Continue,
    ast.Match, ast.match_case, ast.MatchValue, ast.MatchSingleton, ast.MatchSequence,
    ast.MatchMapping, ast.MatchStar, ast.MatchAs, ast.MatchOr, ast.MatchClass,
    ast.Try, ast.ExceptHandler, ast.Raise, ast.Assert,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Lambda,
    ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Attribute, ast.Subscript, ast.Slice,
    ast.Starred, ast.Name, ast.List, ast.Tuple, ast.Dict, ast.Set,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
    ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def check(code: str, kind: FunctionKind) -> list[Diagnostic]:
    """All problems of a function's text, by line; an empty list means that it may run."""
    return inspected(code, kind)[1]


def compile_function(
    code: str, kind: FunctionKind, *, recorder: Recorder | None = None
) -> Callable[..., Any]:
    """The function, ready to be called with action, record, changes and metadata.

    With `recorder` its calls are noted there. Raises `ValueError` when `check` finds an error.
    For the worker process only.
    """
    tree, found = inspected(code, kind)
    errors = [item for item in found if item.severity == "error"]
    if tree is None or errors:
        first = errors[0]
        raise ValueError(f"line {first.line}: {first.message}")
    entry = _entry(tree, kind)
    assert entry is not None
    aliases = [arg.arg for arg in entry.args.args if arg.arg.startswith("_")]
    for node in ast.walk(tree):
        # Annotations of a signature would run when it is defined, before any time limit.
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    for name in reversed(aliases):
        alias = ast.Assign([ast.Name(name.lstrip("_"), ast.Store())], ast.Name(name, ast.Load()))
        entry.body.insert(0, ast.fix_missing_locations(ast.copy_location(alias, entry.body[0])))
    ast.fix_missing_locations(tree)
    if recorder is not None:
        characters = partial(column, code)
        tree = Instrument(recorder, branches=True, column=characters).whole(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = compile(tree, FILENAME, "exec", dont_inherit=True)
    names = library.environment()
    if recorder is not None:
        names.update(recorder.names())
    exec(compiled, names)  # noqa: S102 - checked against the allow-list, in the worker only
    function: Callable[..., Any] = names[entry.name]
    return function


def points(code: str, tree: ast.Module) -> list[Point]:
    """The ways that a call may take, numbered as `compile_function` does. Changes the tree."""
    recorder = Recorder()
    Instrument(recorder, branches=True, column=partial(column, code)).whole(tree)
    return recorder.points


def inspected(code: str, kind: FunctionKind) -> tuple[ast.Module | None, list[Diagnostic]]:
    """The tree of a text (`None` if it cannot be read), and all problems, by line."""
    size = len(code.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        text = f"the code has {size} bytes; at most {MAX_BYTES} are allowed"
        return None, [Diagnostic(1, 1, "too_long", text)]
    bad = next((i for i, c in enumerate(code) if c == "\0" or "\ud800" <= c <= "\udfff"), None)
    if bad is not None:
        line = code.count("\n", 0, bad) + 1
        column = bad - code.rfind("\n", 0, bad)
        return None, [Diagnostic(line, column, "character", "a character is not allowed here")]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            tree = ast.parse(code, FILENAME)
            late = _compile_error(tree, code)
        checker = _Checker(code, kind)
        checker.check(tree)
    except SyntaxError as error:
        return None, [_syntax(error, code)]
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return None, [Diagnostic(1, 1, "too_deep", "the code is nested too deeply")]
    found = checker.found
    if late is not None and not any(item.line == late.line for item in found):
        found.append(late)
    found += [
        Diagnostic(w.lineno, 1, "syntax_warning", str(w.message), severity="warning")
        for w in caught
    ]
    return tree, sorted(found, key=lambda item: (item.line, item.column))


def _compile_error(tree: ast.Module, code: str) -> Diagnostic | None:
    """What only the compiler finds, such as `break` outside a loop; it counts columns in bytes."""
    try:
        compile(tree, FILENAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = error.lineno or 1
        for name in ("offset", "end_offset"):
            offset = getattr(error, name)
            if offset is not None and offset > 0:
                setattr(error, name, column(code, line, offset - 1))
        return _syntax(error, code)
    return None


def column(code: str, line: int, offset: int) -> int:
    """The column in characters, from 1, of a byte offset in a line of the code."""
    lines = _lines_of(code)
    if not 1 <= line <= len(lines):
        return 1
    return len(lines[line - 1].encode()[:offset].decode(errors="replace")) + 1


def _lines_of(code: str) -> list[str]:
    """Lines as Python counts them: a form feed or U+2028 does not end one."""
    return re.split("\r\n|\r|\n", code)


def _syntax(error: SyntaxError, code: str) -> Diagnostic:
    lines = _lines_of(code)
    line = min(max(1, error.lineno or 1), len(lines))
    column = max(1, error.offset or 1)
    end = error.end_offset if error.end_lineno == error.lineno else None
    text = (error.msg or "invalid syntax").split(" (<", 1)[0]
    return Diagnostic(
        line, column, "syntax", text, line, end if end and end > column else column + 1,
        hint=ELIXIR_HINT if _ELIXIR.search(code) else None,
    )  # fmt: skip


def _entry(tree: ast.Module, kind: FunctionKind) -> ast.FunctionDef | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == kind.entry_point:
            return node
    return None


class _Checker:
    """Walks the tree and collects every problem."""

    def __init__(self, code: str, kind: FunctionKind) -> None:
        self.found: list[Diagnostic] = []
        self._lines = _lines_of(code)
        self._kind = kind
        self._names: set[str] = set()
        self._guesses = MAX_GUESSES

    def check(self, tree: ast.Module) -> None:
        self._top_level(tree)
        self._names = set(_bound(tree)) | library.builtin_names()
        entry = _entry(tree, self._kind)
        if entry is not None:
            self._names |= {arg.arg.lstrip("_") for arg in entry.args.args}
        for node in ast.walk(tree):
            self._visit(node)

    def _top_level(self, tree: ast.Module) -> None:
        name = self._kind.entry_point
        signature = f"def {name}({', '.join(PARAMETERS)}):"
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        for node in tree.body:
            doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not isinstance(node, ast.FunctionDef) and not doc and _listed(node):
                self._add(
                    node,
                    "top_level",
                    "only a function definition is allowed at top level",
                    f"move it into `{signature}`",
                )
        matching = [node for node in functions if node.name == name]
        if not matching:
            at = functions[0] if functions else None
            text = f"a {self._kind.value} function must define `{name}`"
            if at is None:
                self.found.append(
                    Diagnostic(1, 1, "entry_point", text, hint=f"write `{signature}`")
                )
            else:
                self._add(at, "entry_point", text, f"rename `{at.name}` to `{name}`")
            return
        for extra in [node for node in functions if node is not matching[0]]:
            self._add(
                extra,
                "top_level",
                "only one function is allowed at top level",
                f"define `{extra.name}` inside `{name}`",
            )
        arguments = matching[0].args
        given = [arg.arg for arg in arguments.args]
        plain = not (
            arguments.posonlyargs
            or arguments.kwonlyargs
            or arguments.vararg
            or arguments.kwarg
            or arguments.defaults
        )
        if [item.removeprefix("_") for item in given] != list(PARAMETERS) or not plain:
            self._add(
                matching[0],
                "parameters",
                f"the parameters must be {', '.join(PARAMETERS)}, in this order",
                f"write `{signature}`",
                header=True,
            )

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, (ast.alias, ast.withitem)):
            return  # parts of statements that are refused as a whole
        if not _listed(node):
            kind = type(node).__name__
            text, hint = advice.NOT_ALLOWED.get(
                kind, (f"`{kind}` is not allowed in a function", None)
            )
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                modules = {alias.name for alias in node.names} & library.MODULES
                if modules:
                    hint = f"`{sorted(modules)[0]}` is already there; remove the import"
            self._add(node, "not_allowed", text, hint)
            return
        match node:
            case ast.Name():
                self._name(node, node.id, isinstance(node.ctx, ast.Load))
            case ast.arg():
                self._name(node, node.arg, False)
            case ast.Attribute():
                self._attribute(node)
            case ast.FunctionDef():
                self._function(node)
            case ast.ExceptHandler():
                if node.type is None:
                    self._add(
                        node,
                        "bare_except",
                        "`except` must name an error",
                        "write `except Exception:`",
                        header=True,
                    )
                if node.name:
                    self._name(node, node.name, False)
            case ast.Delete():
                for target in node.targets:
                    if not isinstance(target, ast.Subscript):
                        self._add(
                            target,
                            "not_allowed",
                            "only entries can be deleted",
                            'write `del data["key"]`',
                        )
            case ast.MatchClass():
                if node.kwd_attrs or len(node.patterns) > 1:
                    self._add(
                        node,
                        "not_allowed",
                        "patterns must not read attributes",
                        "write `case str():` or `case str(name):`",
                    )
            case ast.MatchAs() | ast.MatchStar() if node.name:
                self._name(node, node.name, False)
            case ast.MatchMapping() if node.rest:
                self._name(node, node.rest, False)
            case ast.keyword() if node.arg and node.arg.startswith("__"):
                self._add(node, "private_name", f"`{node.arg}` is not allowed")

    def _function(self, node: ast.FunctionDef) -> None:
        self._name(node, node.name, False)
        for decorator in node.decorator_list:
            self._add(decorator, "not_allowed", "decorators are not allowed")
        if getattr(node, "type_params", None):
            self._add(node, "not_allowed", "type parameters are not allowed", header=True)

    def _name(self, node: ast.AST, name: str, load: bool) -> None:
        if name.startswith("__") or (name.startswith("_") and name.endswith("_") and name != "_"):
            self._add(node, "private_name", f"the name `{name}` is not allowed")
        elif load and name not in self._names:
            if hasattr(builtins, name):
                text = f"`{name}` is not available to functions"
                self._add(node, "not_available", text, advice.INSTEAD.get(name))
            else:
                text = f"`{name}` is not defined"
                self._add(node, "undefined_name", text, self._guess(name, self._names))
        elif not load and name in library.MODULES:
            self._add(
                node, "reserved_name", f"`{name}` is part of the library", "choose another name"
            )

    def _guess(self, name: str, names: Iterable[str]) -> str | None:
        self._guesses -= 1
        near = difflib.get_close_matches(name, names, n=1) if self._guesses >= 0 else None
        return f"did you mean `{near[0]}`?" if near else None

    def _attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        owner = node.value.id if isinstance(node.value, ast.Name) else None
        end = (node.end_lineno or node.lineno, (node.end_col_offset or 0) - len(name.encode()))
        if not isinstance(node.ctx, ast.Load):
            self._add(
                node,
                "not_allowed",
                "attributes cannot be set or deleted",
                'write `data["key"] = value`',
            )
        elif name.startswith("_"):
            self._at(node, end, "private_attribute", f"the attribute `{name}` is not allowed")
        elif owner in ("record", "changes") and name not in library.DICT_METHODS:
            self._at(
                node,
                end,
                "record_attribute",
                f"columns of `{owner}` are read by name",
                f'write `{owner}["{name}"]`',
            )
        elif owner == "metadata" and name not in METADATA_FIELDS | library.DICT_METHODS:
            self._at(
                node,
                end,
                "metadata_field",
                f"`metadata` has no field `{name}`",
                self._guess(name, METADATA_FIELDS),
            )
        elif name not in library.ALLOWED_ATTRIBUTES:
            hint = self._guess(name, library.ALLOWED_ATTRIBUTES) or "read entries with `[...]`"
            if name in ("format", "format_map"):
                hint = 'use an f-string: f"{value}"'
            self._at(node, end, "attribute", f"the attribute `{name}` is not allowed", hint)

    def _at(
        self, node: ast.Attribute, start: tuple[int, int], code: str, text: str,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        line, offset = start
        self.found.append(
            Diagnostic(line, self._column(line, offset), code, text, line,
                       self._column(line, offset + len(node.attr.encode())), hint=hint)
        )  # fmt: skip

    def _add(
        self, node: ast.AST, code: str, text: str, hint: str | None = None, *, header: bool = False
    ) -> None:
        line = getattr(node, "lineno", 1)
        column = self._column(line, getattr(node, "col_offset", 0))
        end_line = getattr(node, "end_lineno", None) or line
        end_column = self._column(end_line, getattr(node, "end_col_offset", 0) or 0)
        if header or end_line != line:
            text_of_line = self._lines[line - 1] if line <= len(self._lines) else ""
            end_line, end_column = line, len(text_of_line) + 1
        self.found.append(
            Diagnostic(line, column, code, text, end_line, max(end_column, column + 1), hint=hint)
        )

    def _column(self, line: int, offset: int) -> int:
        """Characters, from 1, for a byte offset in a line."""
        if line > len(self._lines):
            return 1
        return len(self._lines[line - 1].encode()[:offset].decode(errors="replace")) + 1


def _listed(node: ast.AST) -> bool:
    return isinstance(node, _ALLOWED)


def _bound(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            if node.name:
                yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
