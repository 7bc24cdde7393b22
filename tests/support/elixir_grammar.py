"""Elixir expressions that a server accepts, grown by hypothesis from the grammar.

Every strategy gives the text of an expression. Most have the type that a function wants; now and
then one has not, so that errors are compared, too.
"""

from __future__ import annotations

# ruff: noqa: E501 - tables of short texts, many to a line
from collections.abc import Callable

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[str]], str]
Text = st.SearchStrategy[str]

STRINGS = [
    '""', '"a"', '"abc"', '"Hello World"', '"a,b,,c"', '" padded  "', '"é"', '"ß"', '"e\\u0301x"',
    '"10"', '"-7"', '"3.5"', '"1e3"', '"ÀÉ"', '"a\\nb"', '"日本"', '"👩‍👩‍👧"', '"x=1&y=2"', '"2024-02-29"',
    '"2024-01-31T10:00:00Z"', '"2024-01-31 10:00:00.123"', '"foo_bar-baz"', '"A"', '"aGk="', '"6869"',
    '"\\t tab"', '"a#b"', '"https://ex.com:81/p?q=1#f"', '"ab12cd"', '"%41+b"', '"\\"q\\""',
    '"\\x41\\u00e9\\u{1F600}"', '~s(a#{1 + 1}b)', '~S(a#{1}\\n)', '"""\n  x\n    y\\\n  z\n  """',
    '"a\\tb\\e\\0"', "~s|it's|", '<<97, 98>>', '<<0xC3, 0xA9>>', '"#{nil}#{:a}#{1.0}"',
]  # fmt: skip
INTEGERS = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "-5",
    "255",
    "1000",
    "123456789012345678901234",
    "31",
]
FLOATS = ["0.0", "1.0", "-1.5", "2.5", "0.1", "1000.0", "1.0e20", "123456.789", "0.00012", "3.0"]
ATOMS = [":a", ":b", ":ok", ":error", "nil", "true", "false", ":asc", ":desc", ':"x y"', "String"]
DATES = ["~D[2024-01-31]", "~D[2024-02-29]", "~D[2023-12-31]", "~D[1969-07-20]", 'record["d"]']
MOMENTS = ["~U[2024-01-31 10:00:00Z]", "~U[2023-12-31 23:59:59.999Z]", "~U[1969-12-31 23:59:59.5Z]",
           'record["u"]']  # fmt: skip
NAIVES = ["~N[2024-01-31 10:00:00]", "~N[2024-02-29 23:59:59.123456]", 'record["n"]']
REGEXES = ["~r/a/", "~r/[a-z]+/i", "~r/(\\w)(\\d)?/", "~r/\\s*,\\s*/", "~r/^b/m", "~r/./u", "~r/é/u",
           "~r/(?<x>a|b)(?<y>c)?/", "~r/\\d+/", "~r/[^a-z0-9]+/", "~r/o.?/s", "~r/a+?b*/"]  # fmt: skip

INT_FUNCTIONS = [
    ("String.length", "s"), ("byte_size", "s"), ("length", "l"), ("Enum.count", "l"), ("abs", "i"),
    ("div", "ii"), ("rem", "ii"), ("Integer.mod", "ii"), ("Integer.floor_div", "ii"), ("round", "f"),
    ("trunc", "f"), ("ceil", "f"), ("floor", "f"), ("Enum.sum", "I"), ("map_size", "m"),
    ("Integer.gcd", "ii"), ("Date.day_of_week", "d"), ("Date.diff", "dd"), ("DateTime.to_unix", "u"),
    ("NaiveDateTime.diff", "nn"), ("Date.day_of_year", "d"), ("Date.quarter_of_year", "d"),
    ("String.to_integer", "s"), ("tuple_size", "t"), ("Date.days_in_month", "d"), ("max", "ii"),
    ("min", "ii"), ("Enum.product", "I"), ("bit_size", "s"), ("Integer.undigits", "I"),
]  # fmt: skip
STRING_FUNCTIONS = [
    ("String.upcase", "s"), ("String.downcase", "s"), ("String.capitalize", "s"), ("String.trim", "s"),
    ("String.reverse", "s"), ("to_string", "a"), ("Enum.join", "S"), ("Enum.join", "Ss"),
    ("String.slice", "sii"), ("String.duplicate", "sj"), ("String.pad_leading", "sj"),
    ("String.pad_trailing", "sjs"), ("String.replace", "sss"), ("String.first", "s"),
    ("String.at", "si"), ("String.last", "s"), ("Integer.to_string", "i"), ("Base.encode64", "s"),
    ("Base.encode16", "s"), ("Base.url_encode64", "s"), ("URI.encode", "s"), ("URI.encode_www_form", "s"),
    ("URI.decode", "s"), ("Date.to_iso8601", "d"), ("DateTime.to_iso8601", "u"),
    ("NaiveDateTime.to_string", "n"), ("DateTime.to_string", "u"), ("String.replace_prefix", "sss"),
    ("String.replace_suffix", "sss"), ("String.trim", "ss"), ("String.trim_leading", "s"),
    ("Regex.replace", "rss"), ("String.replace", "srs"), ("Regex.escape", "s"), ("List.to_string", "S"),
    ("Base.decode64!", "s"), ("Base.decode16!", "s"), ("binary_part", "sij"), ("Base.encode32", "s"),
    ("String.normalize", "sN"), ("String.replace_leading", "sss"), ("String.replace_trailing", "sss"),
    ("URI.to_string", "U"), ("Integer.to_string", "iB"), ("URI.decode_www_form", "s"),
    ("URI.encode_query", "m"), ("String.trim_trailing", "ss"),
]  # fmt: skip
BOOL_FUNCTIONS = [
    ("String.contains?", "ss"), ("String.starts_with?", "ss"), ("String.ends_with?", "sS"),
    ("Enum.member?", "la"), ("Enum.empty?", "l"), ("is_nil", "a"), ("is_binary", "a"),
    ("is_integer", "a"), ("is_float", "a"), ("is_number", "a"), ("is_atom", "a"), ("is_boolean", "a"),
    ("is_list", "a"), ("is_map", "a"), ("is_tuple", "a"), ("Map.has_key?", "ma"), ("is_struct", "a"),
    ("String.match?", "sr"), ("Regex.match?", "rs"), ("Enum.any?", "l"), ("Enum.all?", "l"),
    ("Date.leap_year?", "d"), ("String.valid?", "s"), ("String.equivalent?", "ss"),
    ("String.printable?", "s"), ("is_map_key", "ma"), ("List.starts_with?", "ll"), ("Map.equal?", "mm"),
    ("List.keymember?", "Kaj"), ("is_function", "a"),
]  # fmt: skip
LIST_FUNCTIONS = [
    ("Enum.sort", "l"), ("Enum.reverse", "l"), ("Enum.uniq", "l"), ("Enum.dedup", "l"),
    ("Enum.take", "li"), ("Enum.drop", "li"), ("Enum.concat", "ll"), ("Enum.with_index", "l"),
    ("Enum.zip", "ll"), ("String.split", "s"), ("String.split", "ss"), ("String.graphemes", "s"),
    ("String.codepoints", "s"), ("Map.keys", "m"), ("Map.values", "m"), ("Map.to_list", "m"),
    ("Enum.to_list", "m"), ("List.flatten", "l"), ("List.delete", "la"), ("List.wrap", "a"),
    ("Enum.intersperse", "la"), ("Enum.chunk_every", "lj"), ("Enum.chunk_every", "ljj"),
    ("Regex.scan", "rs"), ("Regex.split", "rs"), ("String.split", "sr"), ("Enum.slice", "lij"),
    ("List.insert_at", "lia"), ("List.delete_at", "li"), ("List.replace_at", "lia"),
    ("List.duplicate", "aj"), ("Integer.digits", "i"), ("tl", "l"), ("Enum.take_every", "lj"),
    ("Enum.drop_every", "lj"), ("List.keysort", "Kj"), ("List.keydelete", "Kaj"),
    ("List.keystore", "Kajt"), ("List.zip", "L"), ("Enum.sort", "lo"), ("String.to_charlist", "s"),
    ("Enum.unzip", "K"), ("Enum.split", "li"), ("Enum.min_max", "l"), ("String.split_at", "si"),
    ("Enum.reverse_slice", "ljj"), ("String.myers_difference", "ss"), ("List.myers_difference", "ll"),
]  # fmt: skip
MAP_FUNCTIONS = [
    ("Map.put", "maa"), ("Map.delete", "ma"), ("Map.merge", "mm"), ("Map.take", "ml"),
    ("Map.drop", "ml"), ("Map.put_new", "maa"), ("Map.new", "K"), ("Enum.into", "Km"),
    ("Enum.frequencies", "l"), ("Map.replace", "maa"), ("Map.from_struct", "d"), ("Map.from_keys", "la"),
    ("URI.decode_query", "s"), ("Regex.named_captures", "rs"), ("Map.split", "ml"), ("put_in", "mSa"),
]  # fmt: skip
ANY_FUNCTIONS = [
    ("Map.get", "ma"), ("Map.get", "maa"), ("Map.fetch", "ma"), ("Map.fetch!", "ma"), ("hd", "l"),
    ("Enum.at", "li"), ("Enum.max", "l"), ("Enum.min", "l"), ("List.first", "l"), ("List.last", "l"),
    ("Integer.parse", "s"), ("Date.from_iso8601", "s"), ("DateTime.from_iso8601", "s"),
    ("NaiveDateTime.from_iso8601", "s"), ("elem", "tj"), ("Date.compare", "dd"),
    ("DateTime.compare", "uu"), ("Regex.run", "rs"), ("Map.pop", "ma"), ("List.keyfind", "Kaj"),
    ("Base.decode64", "s"), ("Base.decode16", "s"), ("String.to_float", "s"), ("get_in", "mS"),
    ("Enum.fetch", "li"), ("List.pop_at", "li"), ("String.next_grapheme", "s"), ("DateTime.from_unix", "i"),
    ("Date.new", "iii"), ("Date.to_erl", "d"), ("NaiveDateTime.to_erl", "n"), ("pop_in", "mS"),
    ("URI.new", "s"), ("URI.parse", "s"), ("put_elem", "tja"), ("String.jaro_distance", "ss"),
    ("List.to_tuple", "l"), ("Base.decode32", "s"), ("Base.url_decode64", "s"),
]  # fmt: skip
DATE_FUNCTIONS = [
    ("Date.add", "di"), ("Date.beginning_of_month", "d"), ("Date.end_of_month", "d"),
    ("Date.beginning_of_week", "d"), ("DateTime.to_date", "u"), ("NaiveDateTime.to_date", "n"),
    ("Date.end_of_week", "d"), ("DateTime.to_naive", "u"), ("NaiveDateTime.to_time", "n"),
    ("DateTime.to_time", "u"), ("DateTime.truncate", "uM"), ("NaiveDateTime.truncate", "nM"),
    ("DateTime.add", "ui"), ("NaiveDateTime.add", "ni"),
]  # fmt: skip
UNARY_HIGHER = ["Enum.map", "Enum.filter", "Enum.reject", "Enum.any?", "Enum.all?", "Enum.find",
                "Enum.count", "Enum.sort_by", "Enum.group_by", "Enum.uniq_by", "Enum.max_by",
                "Enum.min_by", "Enum.flat_map", "Enum.split_with", "Enum.take_while",
                "Enum.drop_while", "Enum.find_index", "Enum.map_join", "Enum.frequencies_by",
                "Enum.chunk_by", "Enum.dedup_by", "Enum.find_value", "Enum.split_while",
                "Enum.min_max_by", "Enum.each"]  # fmt: skip
COMPARISONS = ["==", "!=", "===", "!==", "<", ">", "<=", ">="]
CLASSES: dict[str, list[tuple[str, str]]] = {
    "i": INT_FUNCTIONS, "s": STRING_FUNCTIONS, "b": BOOL_FUNCTIONS, "l": LIST_FUNCTIONS,
    "m": MAP_FUNCTIONS, "a": ANY_FUNCTIONS, "d": DATE_FUNCTIONS,
}  # fmt: skip
LEAVES = {
    "s": [*STRINGS, 'record["s"]', 'record["name"]', "action", "metadata.table_name"],
    "i": [*INTEGERS, 'record["id"]', 'record["n_items"]'], "f": [*FLOATS, 'record["price"]', "2"],
    "b": ["true", "false", 'record["flag"]'], "d": DATES, "u": MOMENTS, "n": NAIVES, "r": REGEXES,
    "o": [":asc", ":desc"], "N": [":nfc", ":nfd"], "M": [":second", ":millisecond"], "B": ["2", "16", "36"],
    "j": ["0", "1", "2", "3", "-1"], "U": ['URI.parse("http://a.b/c?d=e")', 'URI.parse("x")'],
    "m": ["record", "%{}", '%{"a" => 1, "b" => %{"c" => nil}}', "%{a: 1, b: 2.0}", 'record["map"]',
          '%{1 => "x", 1.0 => "y"}', "metadata"],
    "l": ["[]", "[3, 1, 2]", '["b", "a"]', '[1, "a", nil, :b, 2.5]', 'record["tags"]', "[[1], [2, [3]]]",
          "[1, 1.0, 1]", "~w(x y z)", "[nil, false, 0]", "[{:a, 1}, {:b, 2}]"],
    "I": ["[]", "[1, 2, 3]", "[5, -2]", "[0.5, 1]", "[1, nil]"], "S": ['["a"]', '["b", "a"]', '["a", "b", "c"]', "[]"],
    "K": ["[]", "[a: 1, b: 2]", '[{"k", 1}, {"j", nil}]', "[{1, 2}, {1.0, 3}]"], "L": ["[[1, 2], [3, 4]]"],
    "t": ["{}", "{1}", '{:ok, "v"}', "{1, 2, 3}"], "a": [*ATOMS, *INTEGERS, *STRINGS, *FLOATS, "[1]", "%{}"],
}  # fmt: skip

DECIMALS = ['Decimal.new("12.50")', 'Decimal.new("-0.00")', "Decimal.new(3)", 'Decimal.new("1.005")',
            'Decimal.new("NaN")', 'Decimal.new("1E+3")', "3", '"2.5"']  # fmt: skip
_NEWEST: dict[str, list[tuple[str, str]]] = {
    "b": [("Decimal.positive?", "e"), ("Decimal.negative?", "e"), ("Decimal.gt?", "ee"), ("Decimal.equal?", "ee"),
          ("Decimal.integer?", "e"), ("Decimal.nan?", "e")],
    "i": [("Decimal.scale", "e"), ("Decimal.to_integer", "e")],
    "s": [("Decimal.to_string", "e"), ("JSON.encode!", "a"), ("JSON.encode!", "m")],
    "a": [("Decimal.add", "ee"), ("Decimal.rem", "ee"), ("Decimal.div_int", "ee"), ("Decimal.max", "ee"),
          ("Decimal.round", "ei"), ("Decimal.abs", "e"), ("Decimal.normalize", "e"), ("Decimal.mult", "ee"),
          ("Decimal.compare", "ee"), ("Decimal.cast", "a"), ("JSON.decode!", "s"), ("Date.range", "dd")],
}  # fmt: skip


def widen() -> None:
    """Add what only Elixir 1.19 on OTP 28 with the package `decimal` decides as servers do."""
    if "e" in LEAVES:
        return
    LEAVES["e"] = DECIMALS
    LEAVES["s"] += [
        '"Zoë Ærø!"',
        '"Søren-Kierkegård"',
        '"naïve café"',
        '"{\\"k\\": [1.50, \\"ü\\"]}"',
    ]
    LEAVES["r"] += [
        "~r/\\w+/",
        "~r/\\W+/",
        "~r/\\b/",
        "~r/[[:punct:]]/",
        "~r/^\\d{,2}$/",
        "~r/[[:alnum:]]+/",
        "~r/É/i",
        "~r/\\w{ 1, 3 }/",
        "~r/[^\\w]/",
        "~r/\\w+/u",
    ]
    LEAVES["d"] += ["~D[9999-12-31]", "~D[9999-12-30]"]
    LEAVES["u"].append("~U[9999-12-31 23:59:59Z]")
    LEAVES["a"] += DECIMALS[:4]
    for kind, functions in _NEWEST.items():
        CLASSES[kind] += functions


@st.composite
def expression(draw: Draw, kind: str = "a", depth: int = 3) -> str:
    """The text of an expression of a kind (a letter of `LEAVES`)."""
    roll = draw(st.integers(0, 99))  # type: ignore[arg-type]
    if int(roll) < 3:
        kind = draw(st.sampled_from("silbmadt"))
    if depth <= 0 or int(roll) < 25:
        return draw(st.sampled_from(LEAVES.get(kind, LEAVES["a"])))
    if kind == "a":
        kind = draw(st.sampled_from("sssiiibblllmmaaadfct"))
    sub = depth - 1

    def part(which: str) -> str:
        return draw(expression(which, sub))

    form = int(draw(st.integers(0, 9)))  # type: ignore[arg-type]
    if kind in CLASSES and form < 5:
        name, kinds = draw(st.sampled_from(CLASSES[kind]))  # type: ignore[str-unpack]
        args = [part(which) for which in kinds]
        if form == 0 and not args[0].startswith(("if", "case", "fn")):
            return f"({args[0]} |> {name}({', '.join(args[1:])}))"
        return f"{name}({', '.join(args)})"
    return draw(compound(kind, sub, form))


@st.composite
def closure(draw: Draw, depth: int) -> str:
    """A closure of one argument."""
    which = int(draw(st.integers(0, 4)))  # type: ignore[arg-type]
    if which == 0:
        return draw(st.sampled_from(["&is_nil/1", "&to_string/1", "&String.upcase/1", "& &1", "&{&1, 1}",
                                     "&(&1 == 1)", "&[&1]", "&is_integer/1", "&(&1 > 1)"]))  # fmt: skip
    if which == 1:
        body = draw(expression("a", depth))
        return f"fn x -> {{x, {body}}} end"
    if which == 2:
        return draw(st.sampled_from([
            "fn {k, _} -> k\n x -> x end", "fn x when is_integer(x) and x > 1 -> x * 2\n _ -> nil end",
            'fn "a" <> rest -> rest\n x -> x end', "fn [h | _] -> h\n x -> x end",
            'fn %{"a" => v} -> v\n %{} -> :map\n x -> x end', "fn x -> x > 1 end",
            "fn x when length(x) > 0 -> hd(x)\n x when x in [1, 2] -> x\n _ -> false end",
        ]))  # fmt: skip
    body = draw(expression("a", depth))
    return f"fn x -> if x == {draw(expression('a', 0))}, do: {body}, else: x end"


@st.composite
def compound(draw: Draw, kind: str, depth: int, form: int) -> str:
    """Operators, literals with parts, and control flow."""

    def part(which: str) -> str:
        return draw(expression(which, depth))

    pick = int(draw(st.integers(0, 5)))  # type: ignore[arg-type]
    if form == 5:
        return f"if({part('a')}, do: {part(kind)}, else: {part(kind)})"
    if form == 6:
        return (
            f"(case {part('a')} do\n  nil -> {part(kind)}\n  x when is_binary(x) -> {part(kind)}\n"
            f"  [_ | _] -> {part(kind)}\n  {{_, y}} -> y\n  _ -> {part(kind)}\nend)"
        )
    if form == 7 and pick < 3:
        name = draw(st.sampled_from(UNARY_HIGHER))
        return f"{name}({part('l' if pick else 'm')}, {draw(closure(depth))})"
    if form == 7:
        forms: list[Callable[[], str]] = [
            lambda: f"(cond do\n  is_nil({part('a')}) -> {part(kind)}\n  {part('b')} == true -> 2\n"
            f"  true -> {part(kind)}\nend)",
            lambda: f"(case {part('s')} do\n  \"a\" <> rest -> rest\n  <<c, _::binary>> when c > 96 -> c\n"
            f"  <<a, b, c::binary>> -> [a, b, c]\n  other -> other\nend)",
            lambda: f"(case {part('m')} do\n  %{{\"a\" => 1, \"b\" => b}} -> b\n  %{{a: a}} -> a\n"
            f"  %{{\"id\" => id}} when is_integer(id) -> id\n  x -> map_size(x)\nend)",
            lambda: f"(case {part('l')} do\n  [] -> 0\n  [x] -> x\n  [x, x | _] -> {{:twice, x}}\n"
            f"  [h | t] = all -> {{h, length(t), all == [h | t]}}\n  _ -> nil\nend)",
            lambda: f"(with [h | _] when h != nil <- {part('l')}, %{{}} = m <- {part('m')} do\n  {{h, m}}\nelse\n"
            f"  [] -> :empty\n  x when is_list(x) -> x\n  _ -> {part(kind)}\nend)",
            lambda: f"(x = {part('i')}\ny = (x = 1; x + 1)\nf = fn z -> z + x end\n[x, y, f.(2)])",
            lambda: f"(x = {part('a')}\n^x = x\nx)",
            lambda: f"(%{{year: y}} = {part('d')}\ny)",
            lambda: f"(%mod{{}} = {part('u')}\nmod)",
            lambda: f"(<<p::binary-size(1), rest::binary>> = {part('s')}\n{{p, rest}})",
            lambda: f"({{a, [b | _]}} = {{{part('a')}, {part('l')}}}\n{{b, a}})",
            lambda: f"match?({{:ok, _}}, {part('a')})", lambda: f"match?(%{{\"a\" => _}}, {part('m')})",
            lambda: f"Enum.map({part('l')}, &\"<#{{&1}}>\")", lambda: f"Enum.sort_by({part('l')}, &(-&1))",
            lambda: f"Enum.map({part('m')}, fn {{k, v}} when is_binary(k) -> {{v, k}}\n  {{k, _}} -> k end)",
            lambda: f"Enum.reduce({part('l')}, %{{}}, fn x, acc -> Map.update(acc, x, 1, &(&1 + 1)) end)",
            lambda: f"[a: {part('a')}, b: {part('a')}][:b]", lambda: f"[{{:a, {part('a')}}}][:a]",
            lambda: f"put_in({part('m')}[\"a\"], {part('a')})", lambda: f"update_in({part('m')}[\"b\"][\"c\"], &[&1])",
            lambda: f"pop_in({part('m')}[\"a\"])", lambda: f"~w(a #{{{part('i')}}} c)", lambda: f"~w(a b)a ++ {part('l')}",
            lambda: f"(if {part('b')} do\n  {part(kind)}\nend)", lambda: f"({part('a')} not in {part('l')})",
            lambda: f"{part('s')} |> String.split(\"a\") |> Enum.map(&String.length/1) |> Enum.sum()",
            lambda: f"(f = fn 0, acc -> acc\n  n, acc -> acc + n end\nf.({part('i')}, {part('i')}))",
            lambda: f"Enum.reduce({part('I')}, 0, fn x, acc -> x + acc end)",
            lambda: f"Map.new({part('m')}, fn {{k, v}} -> {{v, k}} end)",
            lambda: f"Map.filter({part('m')}, fn {{_, v}} -> v end)",
            lambda: f"Map.update({part('m')}, {part('a')}, 1, &to_string/1)",
            lambda: f"Enum.map({part('m')}, fn {{k, v}} -> [k, v] end)",
            lambda: f"Enum.scan({part('I')}, &(&1 + &2))",
            lambda: f"Enum.zip_with({part('l')}, {part('l')}, fn a, b -> {{a, b}} end)",
            lambda: f"Enum.reduce_while({part('l')}, 0, fn x, n -> if x, do: {{:cont, n + 1}}, else: "
            f"{{:halt, n}} end)",
            lambda: f"String.replace({part('s')}, {part('r')}, fn m -> m <> m end)",
            lambda: f"String.split({part('s')}, {part('s')}, trim: true, parts: 2)",
            lambda: f"update_in({part('m')}, {part('S')}, fn v -> [v] end)",
            lambda: f"DateTime.diff({part('u')}, {part('u')}, :day)",
            lambda: f"Enum.sort({part('l')}, fn a, b -> a >= b end)",
            lambda: f"Regex.run({part('r')}, {part('s')}, return: :index)",
            lambda: f"Regex.replace({part('r')}, {part('s')}, \"<\\\\0>\", global: false)",
            lambda: f"Regex.split({part('r')}, {part('s')}, include_captures: true, trim: true)",
        ]  # fmt: skip
        # Only the parts of the form that is chosen are drawn.
        return forms[int(draw(st.integers(0, len(forms) - 1)))]()  # type: ignore[arg-type]
    if form == 8:
        return (
            f"(with {{:ok, v}} <- {part('a')}, w = {part('a')} do\n  {{v, w}}\nelse\n"
            f"  nil -> 0\n  other -> other\nend)"
        )
    return draw(literal(kind, depth, pick))


@st.composite
def literal(draw: Draw, kind: str, depth: int, pick: int) -> str:
    """Operators and literals with parts."""

    def part(which: str) -> str:
        return draw(expression(which, depth))

    match kind:
        case "i" | "f":
            operator = draw(st.sampled_from(["+", "-", "*", "/"]))
            return f"({part(kind)} {operator} {part('i')})"
        case "s":
            if pick < 2:
                return f"({part('s')} <> {part('s')})"
            return f'"a#{{{part("a")}}}b#{{{part("s")}}}"' if depth < 2 else \
                f"Enum.join([{part('s')}, {part('i')}], {part('s')})"  # fmt: skip
        case "b":
            if pick < 3:
                return f"({part('a')} {draw(st.sampled_from(COMPARISONS))} {part('a')})"
            if pick == 3:
                return f"({part('b')} {draw(st.sampled_from(['and', 'or']))} {part('b')})"
            return f"({part('a')} in {part('l')})" if pick == 4 else f"(not {part('b')})"
        case "l":
            if pick < 3:
                return f"[{part('a')}, {part('a')}]"
            return f"({part('l')} ++ {part('l')})" if pick < 5 else f"[{part('a')} | {part('l')}]"
        case "m":
            if pick < 3:
                return f'%{{"k" => {part("a")}, {part("a")} => {part("a")}}}'
            return f"%{{a: {part('a')}, b: {part('a')}}}"
        case "t":
            return f"{{{part('a')}, {part('a')}}}"
        case "a":
            if pick < 2:
                return f"({part('a')} {draw(st.sampled_from(['||', '&&']))} {part('a')})"
            return (
                f"{part('m')}[{part('a')}]"
                if pick < 5
                else f"{part('m')}[{part('s')}][{part('s')}]"
            )
        case "c":
            return f"(x = {part('a')}\n{{x, y}} = {{{part('a')}, x}}\n[x, y])"
    return draw(st.sampled_from(LEAVES.get(kind, LEAVES["a"])))
