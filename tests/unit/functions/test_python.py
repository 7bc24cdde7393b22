"""The Python subset: what is accepted, what is refused, and where the refusal points."""

from __future__ import annotations

import ast
import sys
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.functions import library, python
from routestudio.model.function import Diagnostic, FunctionKind
from tests.unit.functions.helpers import HEAD, source

ROUTING = FunctionKind.ROUTING

ACCEPTED = [
    'return {"topic": metadata.table_name}',
    'return {"topic": metadata["table_name"], "key": metadata.database.name}',
    'return metadata.consumer.annotations["team"]',
    'if action == "insert":\n    return 1\nelif action != "delete":\n    return 2\nelse:\n    pass',
    'match action:\n    case "insert" | "update":\n        return 1\n    case _:\n        return 2',
    'match record:\n    case {"id": int(n), **rest}:\n        return n\n    case [1, *others]:\n'
    "        return others",
    "match record:\n    case str():\n        return 1\n    case dict() as found if found:\n"
    "        return found",
    "total = 0\nfor key, item in record.items():\n    total += len(str(item))\nreturn total",
    "n = 3\nwhile n:\n    n -= 1\n    if n == 1:\n        break\n    continue\nreturn n",
    "return [x for x in [1, 2] if x], {x for x in [1]}, {k: v for k, v in record.items()}",
    "return sum(x for x in range(3))",
    "return sorted(record, key=lambda name: name.lower(), reverse=True)",
    'return f"{record["id"]:>5}" if False else f"{action!r:>{len(action)}}"'
    if sys.version_info >= (3, 12)
    else "return f\"{record['id']:>5}\" if False else f'{action!r:>{len(action)}}'",
    "first, *rest = [1, 2, 3]\nreturn rest[::-1][0:1]",
    "try:\n    return int(record['x'])\nexcept (KeyError, ValueError) as error:\n"
    "    return str(error.args)\nexcept Exception:\n    return None\nelse:\n    pass\nfinally:\n"
    "    pass",
    'raise ValueError("no topic") from None',
    'assert record["id"], "no id"',
    "def name(of, default=None, *more, key=None):\n    return of.get(key, default)\n"
    "return name(record, key='id')",
    "if (n := len(record)) > 3:\n    return n",
    "x: int = 1\nx **= 2\nreturn x if not x else -x",
    "return dict(**record), [*record], max(*[1, 2])",
    'data = {}\ndata["a"] = {}\ndata["a"]["b"] = 1\ndel data["a"]["b"]\nreturn data',
    'return re.sub(r"\\d+", "#", "a1", flags=re.IGNORECASE), re.search("(a)", "a").group(1)',
    "return json.loads(json.dumps(record))",
    "return datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc).isoformat()",
    "return datetime.date.fromisoformat('2024-01-02') + datetime.timedelta(days=1)",
    "return decimal.Decimal('1.50').quantize(Decimal('1'))",
    "return math.floor(1.5), hashlib.sha256(b'x').hexdigest(), base64.b64encode(b'x').decode()",
    "return str(uuid.uuid5(uuid.NAMESPACE_URL, 'x')), url.quote('a b'), url.urlencode({'a': 1})",
    "_ = 1\n_private = 2\nreturn _private",
    "return isinstance(record, dict) and ord('a') < 98 and chr(97) is not None",
]

# Body; code of the first refusal; its line and column; a word of its hint.
REFUSED: list[tuple[str, str, int, int, str]] = [
    ("import re", "not_allowed", 2, 5, "`re` is already there"),
    ("import os", "not_allowed", 2, 5, "without an import"),
    ("from os import path", "not_allowed", 2, 5, "without an import"),
    ("class A:\n    pass", "not_allowed", 2, 5, "map"),
    ("async def f():\n    pass", "not_allowed", 2, 5, "without `async`"),
    ("yield 1", "not_allowed", 2, 5, "list"),
    ("yield from record", "not_allowed", 2, 5, "list"),
    ("global x", "not_allowed", 2, 5, "local"),
    ("def f():\n    nonlocal record\n    return 1", "not_allowed", 3, 9, "return"),
    ("with record as x:\n    pass", "not_allowed", 2, 5, "nothing to open"),
    ("try:\n    pass\nexcept* ValueError:\n    pass", "not_allowed", 2, 5, "`except`"),
    ("try:\n    pass\nexcept:\n    pass", "bare_except", 4, 5, "except Exception"),
    ("try:\n    pass\nexcept BaseException:\n    pass", "not_available", 4, 12, "Exception"),
    ("@len\ndef f():\n    pass", "not_allowed", 2, 6, ""),
    ("del record", "not_allowed", 2, 9, "del data"),
    ("record.id = 1", "not_allowed", 2, 5, 'data["key"]'),
    ("for record.x in [1]:\n    pass", "not_allowed", 2, 9, 'data["key"]'),
    ("return record.status", "record_attribute", 2, 19, 'record["status"]'),
    ("return changes.status", "record_attribute", 2, 20, 'changes["status"]'),
    ("return metadata.table_nam", "metadata_field", 2, 21, "`table_name`"),
    ('return "{}".format(1)', "attribute", 2, 17, "f-string"),
    ('return "{}".format_map(record)', "attribute", 2, 17, "f-string"),
    ('return "a".uper()', "attribute", 2, 16, "`upper`"),
    ("return record.__class__", "private_attribute", 2, 19, ""),
    ("return action._x", "private_attribute", 2, 19, ""),
    ("return __import__('os')", "private_name", 2, 12, ""),
    ("__x = 1", "private_name", 2, 5, ""),
    ("return topc", "undefined_name", 2, 12, ""),
    ("topic = 1\nreturn topc", "undefined_name", 3, 12, "`topic`"),
    ("print(1)", "not_available", 2, 5, "preview"),
    ("return type(record)", "not_available", 2, 12, "isinstance"),
    ("re = 1", "reserved_name", 2, 5, "another name"),
    ("return dict(__class__=1)", "private_name", 2, 17, ""),
    ("match record:\n    case str(real=x):\n        pass", "not_allowed", 3, 14, "case str"),
    ("break", "syntax", 2, 5, ""),
    ("return (1", "syntax", 2, 12, ""),
]


def check(code: str, kind: FunctionKind = ROUTING) -> list[Diagnostic]:
    return python.check(code, kind)


@pytest.mark.parametrize("body", ACCEPTED)
def test_accepted(body: str) -> None:
    assert check(source(body)) == []
    assert callable(python.compile_function(source(body), ROUTING))


@pytest.mark.parametrize(("body", "code", "line", "column", "hint"), REFUSED)
def test_refused_with_its_place(body: str, code: str, line: int, column: int, hint: str) -> None:
    first = check(source(body))[0]
    assert (first.code, first.line, first.column) == (code, line, column)
    assert first.end_line is not None
    assert first.end_column is not None
    assert (first.end_line, first.end_column) > (first.line, first.column)
    assert hint in (first.hint or "")
    assert first.message[0] in "`'" or first.message[0].isalpha()
    with pytest.raises(ValueError, match=f"line {line}"):
        python.compile_function(source(body), ROUTING)


def test_all_problems_are_reported_in_order() -> None:
    body = "import os\nx = record.a + record.b\neval('1')\nreturn x.__class__"
    found = [(item.line, item.code) for item in check(source(body))]
    assert found == [
        (2, "not_allowed"),
        (3, "record_attribute"),
        (3, "record_attribute"),
        (4, "not_available"),
        (5, "private_attribute"),
    ]


def test_what_only_the_compiler_finds_comes_with_the_rest() -> None:
    found = check(source("import os\nbreak\nreturn nothing"))
    assert [(item.line, item.code) for item in found] == [
        (2, "not_allowed"),
        (3, "syntax"),
        (4, "undefined_name"),
    ]


@pytest.mark.parametrize("space", ["é€𝄞", "\u2028", "\x0c", "\x85"])
def test_columns_count_characters_and_lines_are_python_lines(space: str) -> None:
    (found,) = check(source(f'x = "{space}"; return unknown'))
    assert (found.line, found.column) == (2, 5 + len(f'x = "{space}"; return '))
    (late,) = check(source(f'x = "{space}"; break'))
    assert (late.line, late.column) == (2, 5 + len(f'x = "{space}"; '))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    (found,) = check(source("x = 1\nreturn unknown").replace("\n", end))
    assert (found.line, found.column) == (3, 12)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", "entry_point"),
        ("x = 1", "top_level"),
        ("def filter(action, record, changes, metadata):\n    return 1", "entry_point"),
        ("def route(record, action, changes, metadata):\n    return 1", "parameters"),
        ("def route(action, record, changes):\n    return 1", "parameters"),
        ("def route(action, record, changes, metadata=1):\n    return 1", "parameters"),
        ("def route(action, record, changes, metadata, *x):\n    return 1", "parameters"),
        ("def route(action, record, changes, /, metadata):\n    return 1", "parameters"),
        ("def route(action, record, changes, *, metadata):\n    return 1", "parameters"),
        ("def route(__action, record, changes, metadata):\n    return 1", "parameters"),
        (source("return 1") + "x = 1\n", "top_level"),
        (source("return 1") + "def other():\n    return 1\n", "top_level"),
        (source("return 1") + source("return 2"), "top_level"),
        ("async " + source("return 1"), "entry_point"),
    ],
)
def test_shape_of_the_text(code: str, expected: str) -> None:
    assert expected in [item.code for item in check(code)]


@pytest.mark.parametrize("kind", [FunctionKind.FILTER, FunctionKind.TRANSFORM, ROUTING])
def test_entry_point_of_each_kind(kind: FunctionKind) -> None:
    assert check(source("return True", kind), kind) == []
    other = FunctionKind.FILTER if kind is not FunctionKind.FILTER else ROUTING
    (found,) = check(source("return True", kind), other)
    assert found.code == "entry_point"
    assert found.hint == f"rename `{kind.entry_point}` to `{other.entry_point}`"


def test_parameters_with_underscore_are_known_by_both_names() -> None:
    code = "def route(_action, _record, changes, metadata):\n    return record, _record, action"
    assert check(code) == []
    assert python.compile_function(code, ROUTING)("insert", {"id": 1}, None, {}) == (
        {"id": 1},
        {"id": 1},
        "insert",
    )


def test_docstring_and_comments_are_fine() -> None:
    assert check('# before\n"""Doc."""\n' + source('"""Doc."""\nreturn 1  # after')) == []


def test_length_is_counted_in_bytes() -> None:
    code = source("return 1")
    assert check(code + "#" * (10_000 - len(code))) == []
    (found,) = check(code + "#" * (9_999 - len(code)) + "é")
    assert found.code == "too_long"
    assert "10001 bytes" in found.message


def test_a_doubtful_escape_is_a_warning_given_once() -> None:
    (found,) = check(source('return "\\d"'))
    assert (found.severity, found.line) == ("warning", 2)
    assert callable(python.compile_function(source('return "\\d"'), ROUTING))


RETURN = HEAD.format("route") + "    return "
AWKWARD = {
    "NUL": "a\0b",
    "a surrogate": RETURN + "'\ud800'",
    "a megabyte": "x" * 1_000_000,
    "a hundred thousand brackets": "(" * 100_000,
    "brackets": "(" * 9_000,
    "closed brackets": RETURN + "(" * 190 + "1" + ")" * 190,
    "minus": RETURN + "-" * 9_900 + "1",
    "not": RETURN + "not " * 2_400 + "1",
    "additions": RETURN + "1+" * 4_900 + "1",
    "powers": RETURN + "2**" * 3_000 + "1",
    "calls": RETURN + "a" + "()" * 4_900,
    "attributes": RETURN + "action" + ".lower" * 1_600,
    "subscripts": RETURN + "a" + "[0]" * 3_000,
    "lambdas": RETURN + "lambda:" * 1_390 + "1",
    "conditions": RETURN + "1 if 1 else " * 800 + "1",
    "comparisons": RETURN + "1<" * 4_900 + "1",
    "elif": HEAD.format("route") + " if 1: pass\n" + " elif 1: pass\n" * 690,
    "indents": "".join(" " * i + "if 1:\n" for i in range(95)),
    "comprehensions": RETURN + "[x for x in " * 180 + "1" + "]" * 180,
    "f-strings": RETURN + "f'{" * 100 + "1" + "}'" * 100,
    "format specs": RETURN + "f'{1:" + "{1:" * 50 + "}" * 51 + "'",
    "patterns": "match a:\n case " + "[" * 190 + "]" * 190 + ":\n  pass",
    "a huge number": RETURN + "9" * 9_000,
    "folded constants": RETURN + "10**10**8, 'a' * 10**9, (1,) * 10**9, 1 << 10**9",
    "unclosed dicts": "{a:" * 190,
    "a cookie": "# coding: no-such\n" + source("return 1"),
    "a byte order mark": "\ufeff" + source("return 1"),
}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_text_gives_an_answer_soon(text: str) -> None:
    begun = process_time()
    assert all(isinstance(item, Diagnostic) for item in check(text))
    assert process_time() - begun < 10


def test_thousands_of_unknown_names_do_not_take_long() -> None:
    # A similar name for each of these would cost about a second; only the first few get one.
    code = HEAD.format("route") + "".join(f" a{i:03}=b{i:03}\n" for i in range(800))
    found = check(code)
    assert len(found) == 800
    assert 0 < sum(item.hint is not None for item in found) <= python.MAX_GUESSES


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.sampled_from([ROUTING, FunctionKind.FILTER]))
def test_any_text_gives_diagnostics(text: str, kind: FunctionKind) -> None:
    _well_formed(text, check(text, kind))


WORDS = """
return if else for in while def lambda class import match case try: except: ( ) [ ] { } : , . =
== := + - * ** @ ; 1 'a' f'{ }' x record metadata len __class__ é \\ # not and await async yield
del global None
"""


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n", "\n\t", ""]), max_size=40))
def test_any_words_give_diagnostics(words: list[str]) -> None:
    code = source(" ".join(words).replace("\n", "\n    "))
    _well_formed(code, check(code))


def _well_formed(code: str, found: list[Diagnostic]) -> None:
    lines = python._lines_of(code)
    for item in found:
        assert 1 <= item.line <= len(lines)
        assert item.column >= 1
        assert item.message
        if item.end_line is not None and item.end_column is not None:
            assert (item.end_line, item.end_column) > (item.line, item.column)


# The allow-list, spelled out once more: a change of it must be wanted twice.
ALLOWED = """
Module FunctionDef arguments arg Return Expr Pass Assign AugAssign AnnAssign NamedExpr Delete If
IfExp For While Break Continue Match match_case MatchValue MatchSingleton MatchSequence
MatchMapping MatchStar MatchAs MatchOr MatchClass Try ExceptHandler Raise Assert BoolOp BinOp
UnaryOp Compare Call keyword Lambda Constant JoinedStr FormattedValue Attribute Subscript Slice
Starred Name List Tuple Dict Set ListComp SetComp DictComp GeneratorExp comprehension
And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv Invert Not UAdd
USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn Load Store Del
"""


def test_allowed_nodes_are_exactly_the_listed_ones() -> None:
    # Classes that old versions had; no parser makes them.
    gone = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "AugLoad", "AugStore", "Param"}
    nodes = [
        item
        for item in vars(ast).values()
        if isinstance(item, type) and issubclass(item, ast.AST) and item.__name__ not in gone
        if not {part.__name__ for part in item.__subclasses__()} - gone
    ]
    allowed = {item.__name__ for item in nodes if issubclass(item, python._ALLOWED)}
    assert allowed == set(ALLOWED.split())


def test_a_node_of_a_later_python_is_refused() -> None:
    class Later(ast.stmt):
        _fields = ()

    tree = ast.parse(source("pass"))
    entry = tree.body[0]
    assert isinstance(entry, ast.FunctionDef)
    entry.body.append(ast.copy_location(Later(), entry.body[0]))
    checker = python._Checker(source("pass"), ROUTING)
    checker.check(tree)
    assert [(item.code, item.message) for item in checker.found] == [
        ("not_allowed", "`Later` is not allowed in a function")
    ]


def test_no_allowed_attribute_leads_out_of_data() -> None:
    forbidden = {
        *("format", "format_map", "gi_frame", "gi_code", "cr_frame", "ag_frame", "tb_frame"),
        *("tb_next", "f_globals", "f_builtins", "f_locals", "f_back", "f_code", "func_globals"),
        *("mro", "with_traceback", "add_note", "modules", "compile", "system", "open", "read"),
    }
    assert not forbidden & library.ALLOWED_ATTRIBUTES
    assert not [name for name in library.ALLOWED_ATTRIBUTES if name.startswith("_")]
