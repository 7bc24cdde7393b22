"""Grows Python and Elixir functions in the subset that conversions understand."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[str]], str]

TEXTS = st.sampled_from(
    ["", "eu", "a-b", "ñandú", "x y", "Ada", "50%", "it's", 'say "hi"', "{b}", "#{c}", "\\d", "new"]
)
SURE = st.sampled_from(["eu", "-", "@", "a", " ", "é"])
INTS = st.sampled_from(["0", "1", "3", "7", "100", "-2"])


def _python_text(depth: int) -> st.SearchStrategy[str]:
    base = st.one_of(
        TEXTS.map(repr),
        st.sampled_from(["action", "metadata.table_name", "metadata.table_schema",
                         'record["name"]', 'record.get("name")', 'record.get("region", "eu")',
                         'record["email"]', 'record["created_at"][:10]',
                         '"-".join(metadata.record_pks)']),
    )  # fmt: skip
    if depth == 0:
        return base
    text, any_ = _python_text(depth - 1), _python_any(depth - 1)
    return st.one_of(
        base,
        st.builds("{}.{}()".format, text.map(_held), st.sampled_from(["lower", "upper", "strip"])),
        st.builds("{} + {}".format, text.map(_held), text.map(_held)),
        st.builds('f"{}{{{}}}"'.format, st.sampled_from(["", "a.", "ü-"]), st.sampled_from(
            ["record['id']", "record['name']", "record.get('note')", "record['price']",
             "record['active']", "action", "metadata.commit_lsn", "record['created_at']"])),
        st.builds("str({})".format, st.sampled_from(
            ['record["total"]', 'record["price"]', 'record["active"]', 'record.get("note")'])),
        st.builds("{}.replace({!r}, {})".format, text.map(_held), SURE, text),
        st.builds("{}.split({!r})[{}]".format, text.map(_held), SURE, st.sampled_from(["0", "-1"])),
        st.builds(
            "{}[{}]".format, text.map(_held), st.sampled_from([":2", "1:", "-3:", ":-1", "1:3"])
        ),
        st.builds("({} if {} else {})".format, text, _python_test(depth - 1), text),
        st.builds("({} or {})".format, text, text),
        st.builds("({} or {!r})".format, any_, TEXTS),
    )  # fmt: skip


def _held(text: str) -> str:
    return f"({text})"


def _python_number(depth: int) -> st.SearchStrategy[str]:
    base = st.one_of(INTS, st.sampled_from(
        ['record["total"]', 'record["price"]', "metadata.commit_idx", "len(record)",
         'len(record["tags"])', 'record.get("total", 5)']))  # fmt: skip
    if depth == 0:
        return base
    inner = _python_number(depth - 1)
    return st.one_of(
        base,
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("(int({}) {} {})".format, inner, st.sampled_from(["//", "%"]),
                  st.sampled_from(["7", "-3", "10"])),
        st.builds("int({})".format, inner), st.builds("abs({})".format, inner),
        st.builds("len({})".format, _python_text(depth - 1)),
    )  # fmt: skip


def _python_test(depth: int) -> st.SearchStrategy[str]:
    base = st.sampled_from(
        ['action == "delete"', 'action in ("insert", "read")', 'record.get("note") is None',
         'record["status"] == "paid"', '"total" in record', "changes", 'record.get("tags")',
         'record["active"]', 'not record.get("region")', '"vip" in record["tags"]',
         'isinstance(record.get("total"), int)', 'changes and "status" in changes',
         'any(tag == "vip" for tag in record["tags"])', 'record["active"] is True',
         're.search(r"^[a-z]+@", record["email"])',
         'record["status"] not in ["new", None]'])  # fmt: skip
    if depth == 0:
        return base
    text, number, test = (grow(depth - 1) for grow in (_python_text, _python_number, _python_test))
    sign = st.sampled_from(["==", "!=", "<", ">", "<=", ">="])
    return st.one_of(
        base,
        st.builds("({} {} {})".format, number, sign, number),
        st.builds("({} {} {})".format, text, sign, text),
        st.builds("({} {} {})".format, test, st.sampled_from(["and", "or"]), test),
        st.builds("not ({})".format, test),
        st.builds("({}).startswith({!r})".format, text, TEXTS),
        st.builds("({!r} in ({}))".format, SURE, text),
        st.builds("({} == {})".format, _python_any(0), _python_any(0)),
    )


def _python_any(depth: int) -> st.SearchStrategy[str]:
    base = st.sampled_from(
        ["None", "True", "1.5", 'record.get("note")', 'record["active"]', 'record.get("tags")',
         'record["total"]', "changes", '(changes or {}).get("status")',
         'record.get("missing")'])  # fmt: skip
    if depth == 0:
        return base
    text, number = _python_text(depth - 1), _python_number(depth - 1)
    return st.one_of(
        base, text, number,
        st.builds("[{} for tag in record['tags']]".format, st.sampled_from(
            ["tag", "tag.upper()", "f'x-{tag}'", "len(tag)"])),
        st.builds("{{{!r}: {}, {!r}: {}}}".format, TEXTS, text, TEXTS, number),
        st.builds("{{key: value for key, value in record.items() if {}}}".format, st.sampled_from(
            ["value is not None", 'key != "id"', "value", 'key.startswith("n")'])),
        st.builds("{{**record, 'x': {}}}".format, text),
        st.builds("({} and {})".format, _python_any(depth - 1), text),
    )  # fmt: skip


@st.composite
def python_functions(draw: st.DrawFn) -> str:
    """A transform in Python."""
    lines = ["def transform(action, record, changes, metadata):"]
    lines.append(f"    first = {draw(_python_text(2))}")
    shape = draw(st.sampled_from(["plain", "if", "early", "loop", "match"]))
    if shape == "if":
        lines += [f"    if {draw(_python_test(2))}:", f"        second = {draw(_python_any(1))}",
                  f"    elif {draw(_python_test(1))}:", f"        first = {draw(_python_text(1))}",
                  "        second = first", "    else:",
                  f"        second = {draw(_python_any(1))}"]  # fmt: skip
    elif shape == "early":
        lines += [f"    if {draw(_python_test(2))}:", f"        return {draw(_python_any(1))}",
                  f"    if {draw(_python_test(1))}:",
                  f'        return {{"first": first, "x": {draw(_python_any(1))}}}',
                  f"    second = {draw(_python_any(2))}"]  # fmt: skip
    elif shape == "loop":
        lines += ["    second = {}", "    for tag in record.get('tags') or []:",
                  f"        if {draw(_python_test(1))}:", '            second[f"t-{tag}"] = first',
                  "        else:", "            second[tag] = 1"]  # fmt: skip
    elif shape == "match":
        lines += ["    match action:", '        case "insert" | "read":',
                  f"            second = {draw(_python_any(1))}", '        case "delete":',
                  f"            second = {draw(_python_text(1))}", "        case _:",
                  f"            second = {draw(_python_any(0))}"]  # fmt: skip
    else:
        lines.append(f"    second = {draw(_python_any(2))}")
    lines.append(
        f'    return {{"first": first, "second": second, "third": {draw(_python_any(1))}}}'
    )
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("#{", "\\#{")
    return f'"{inner}"'


def _elixir_text(depth: int) -> st.SearchStrategy[str]:
    base = st.one_of(
        TEXTS.map(_quoted),
        st.sampled_from(["action", "metadata.table_name", 'record["name"]', 'record["email"]',
                         'Enum.join(metadata.record_pks, "-")', 'Map.get(record, "region", "eu")']),
    )  # fmt: skip
    if depth == 0:
        return base
    text, any_, test = (grow(depth - 1) for grow in (_elixir_text, _elixir_any, _elixir_test))
    call = st.sampled_from(["String.downcase", "String.upcase", "String.trim", "to_string"])
    return st.one_of(
        base,
        st.builds("{}({})".format, call, text),
        st.builds("{} <> {}".format, text.map(_held), text.map(_held)),
        st.builds('"{}#{{{}}}"'.format, st.sampled_from(["", "a.", "ü-"]), st.sampled_from(
            ['record["id"]', 'record["note"]', 'record["price"]', 'record["active"]', "action",
             'record["created_at"]', "metadata.commit_lsn", 'record["total"]'])),
        st.builds("String.replace({}, {}, {})".format, text, SURE.map(_quoted), text),
        st.builds("if({}, do: {}, else: {})".format, test, text, text),
        st.builds("({} || {})".format, any_, text),
        st.builds("({} |> String.downcase())".format, text.map(_held)),
        st.builds("case {} do nil -> {}; \"eu\" -> {}; _ -> {} end".format, any_, text, text, text)
        .map(_held),
        st.builds("Enum.fetch!(String.split({}, {}), 0)".format, text, SURE.map(_quoted)),
    )  # fmt: skip


def _elixir_number(depth: int) -> st.SearchStrategy[str]:
    base = st.one_of(INTS, st.sampled_from(
        ['record["total"]', 'record["price"]', "metadata.commit_idx", "map_size(record)",
         'length(record["tags"])', 'Map.get(record, "total", 5)']))  # fmt: skip
    if depth == 0:
        return base
    inner = _elixir_number(depth - 1)
    return st.one_of(
        base,
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["div", "rem", "Integer.mod"]), inner,
                  st.sampled_from(["7", "-3", "10"])),
        st.builds("abs({})".format, inner), st.builds("trunc({})".format, inner),
    )  # fmt: skip


def _elixir_test(depth: int) -> st.SearchStrategy[str]:
    base = st.sampled_from(
        ['action == "delete"', 'action in ["insert", "read"]', 'is_nil(record["note"])',
         'record["status"] == "paid"', 'Map.has_key?(record, "total")', "not is_nil(changes)",
         'is_integer(record["total"])', 'record["active"] == true', 'is_binary(record["name"])',
         '"vip" in record["tags"]', 'record["status"] not in ["new", nil]'])  # fmt: skip
    if depth == 0:
        return base
    text, number, test = (grow(depth - 1) for grow in (_elixir_text, _elixir_number, _elixir_test))
    sign = st.sampled_from(["==", "!=", "<", ">", "<=", ">="])
    return st.one_of(
        base,
        st.builds("({} {} {})".format, number, sign, number),
        st.builds("({} {} {})".format, text, sign, text),
        st.builds("({} {} {})".format, test, st.sampled_from(["and", "or", "&&", "||"]), test),
        st.builds("not ({})".format, base),
        st.builds("String.starts_with?({}, {})".format, text, TEXTS.map(_quoted)),
        st.builds("String.contains?({}, {})".format, text, SURE.map(_quoted)),
        st.builds("({} == {})".format, _elixir_any(0), _elixir_any(0)),
        st.builds("({} > {})".format, _elixir_any(0), number),
    )


def _elixir_any(depth: int) -> st.SearchStrategy[str]:
    base = st.sampled_from(
        ["nil", "true", "1.5", 'record["note"]', 'record["active"]', 'record["total"]',
         'changes["status"]', 'record["missing"]', 'record["a"]["b"]'])  # fmt: skip
    if depth == 0:
        return base
    text, number = _elixir_text(depth - 1), _elixir_number(depth - 1)
    return st.one_of(
        base, text, number,
        st.sampled_from(['Enum.map(record["tags"], fn tag -> String.upcase(tag) end)',
                         'Enum.filter(record["tags"], fn tag -> tag != "vip" end)',
                         'Map.take(record, ["id", "name"])', 'Map.drop(record, ["id"])',
                         "Map.filter(record, fn {_key, value} -> not is_nil(value) end)"]),
        st.builds("%{{{} => {}, {} => {}}}".format, TEXTS.map(_quoted), text, TEXTS.map(_quoted),
                  number),
        st.builds('Map.put(record, "x", {})'.format, text),
        st.builds("({} && {})".format, _elixir_any(depth - 1), text),
    )  # fmt: skip


@st.composite
def elixir_functions(draw: st.DrawFn) -> str:
    """A transform in Elixir."""
    lines = ["def transform(action, record, changes, metadata) do"]
    lines.append(f"  first = {draw(_elixir_text(2))}")
    shape = draw(st.sampled_from(["plain", "if", "cond", "case"]))
    if shape == "if":
        lines += ["  second =", f"    if {draw(_elixir_test(2))} do",
                  f"      first = {draw(_elixir_text(1))}", '      first <> "!"', "    else",
                  f"      {draw(_elixir_any(1))}", "    end"]  # fmt: skip
    elif shape == "cond":
        lines += ["  second =", "    cond do", f"      {draw(_elixir_test(1))} -> first",
                  f"      {draw(_elixir_test(1))} -> {draw(_elixir_any(1))}",
                  f"      true -> {draw(_elixir_any(1))}", "    end"]  # fmt: skip
    elif shape == "case":
        lines += ["  second =", "    case action do", f'      "insert" -> {draw(_elixir_any(1))}',
                  '      other when other in ["update", "read"] -> other <> first',
                  f"      _ -> {draw(_elixir_any(1))}", "    end"]  # fmt: skip
    else:
        lines.append(f"  second = {draw(_elixir_any(2))}")
    lines.append(f'  %{{"first" => first, "second" => second, "third" => {draw(_elixir_any(1))}}}')
    return "\n".join([*lines, "end"]) + "\n"
