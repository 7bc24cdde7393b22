"""What one language expresses with an operator and the other does not: small closures at the top.

Each closure gives exactly the value that Python gives, or fails; it never gives another value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PRELUDE: Final[dict[str, str]] = {
    "truthy": """\
# What counts as true in Python: not None, False, zero or empty.
truthy = fn
  value when value in [nil, false, 0, 0.0, -0.0, "", [], %{}] -> false
  value when is_struct(value, Decimal) -> not Decimal.equal?(value, 0)
  _ -> true
end""",
    "float_text": """\
# A float as Python writes it.
float_text = fn value ->
  case Regex.run(~r/^(-?)(\\d)\\.(\\d+)e(-?\\d+)$/, to_string(value)) do
    nil ->
      to_string(value)

    [_, sign, whole, fraction, exponent] ->
      power = String.to_integer(exponent)
      fraction = if(fraction == "0", do: "", else: fraction)

      cond do
        power >= 16 or power < -4 ->
          mantissa = if(fraction == "", do: whole, else: whole <> "." <> fraction)
          mark = if(power < 0, do: "e-", else: "e+")
          sign <> mantissa <> mark <> String.pad_leading(to_string(abs(power)), 2, "0")

        power < 0 ->
          sign <> "0." <> String.duplicate("0", -power - 1) <> whole <> fraction

        true ->
          digits = String.pad_trailing(whole <> fraction, power + 1, "0")
          {before, rest} = String.split_at(digits, power + 1)
          sign <> before <> "." <> if(rest == "", do: "0", else: rest)
      end
  end
end""",
    "text": """\
# A value as text, as Python writes it.
text = fn
  nil -> "None"
  true -> "True"
  false -> "False"
  value when is_binary(value) or is_integer(value) -> to_string(value)
  value when is_float(value) -> float_text.(value)
  value when is_struct(value, DateTime) -> DateTime.to_iso8601(value)
  value when is_struct(value, NaiveDateTime) -> NaiveDateTime.to_iso8601(value)
  value when is_struct(value, Date) or is_struct(value, Time) or is_struct(value, Decimal) ->
    to_string(value)
end""",
    "iso": """\
# A date or time as the text that Python functions get.
iso = fn
  value when is_struct(value, DateTime) -> DateTime.to_iso8601(value)
  value when is_struct(value, NaiveDateTime) -> NaiveDateTime.to_iso8601(value)
  value when is_struct(value, Date) -> Date.to_iso8601(value)
  value -> value
end""",
    "same": """\
# Whether two values are equal in Python, where true is 1.
same = fn left, right ->
  number = fn value -> if(is_boolean(value), do: if(value, do: 1, else: 0), else: value) end
  {left, right} = {number.(left), number.(right)}

  cond do
    not is_struct(left, Decimal) and not is_struct(right, Decimal) -> left == right
    not (is_number(left) or is_struct(left, Decimal)) -> false
    not (is_number(right) or is_struct(right, Decimal)) -> false
    true -> Decimal.equal?(left, right)
  end
end""",
    "compare": """\
# Python's order: numbers with numbers and text with text; anything else fails.
compare = fn left, right ->
  number = fn value -> if(is_boolean(value), do: if(value, do: 1, else: 0), else: value) end
  {left, right} = {number.(left), number.(right)}

  case {left, right} do
    {a, b} when (is_number(a) and is_number(b)) or (is_binary(a) and is_binary(b)) ->
      cond do
        a < b -> :lt
        a > b -> :gt
        true -> :eq
      end

    {a, b} when is_struct(a, DateTime) and is_struct(b, DateTime) -> DateTime.compare(a, b)
    {a, b} when is_struct(a, NaiveDateTime) and is_struct(b, NaiveDateTime) ->
      NaiveDateTime.compare(a, b)
    {a, b} when is_struct(a, Date) and is_struct(b, Date) -> Date.compare(a, b)
    {a, b} when is_struct(a, Decimal) or is_struct(b, Decimal) -> Decimal.compare(a, b)
  end
end""",
    "contains": """\
# Python's `in`: a part of a text, an item of a list, a key of a map.
contains = fn
  whole, part when is_binary(whole) and is_binary(part) -> String.contains?(whole, part)
  whole, part when is_list(whole) -> Enum.any?(whole, fn item -> same.(item, part) end)
  whole, part when is_map(whole) and not is_struct(whole) and is_binary(part) ->
    Map.has_key?(whole, part)
end""",
    "size": """\
# Python's `len`: code points of a text, items of a list or map.
size = fn
  value when is_binary(value) -> length(String.codepoints(value))
  value when is_list(value) -> length(value)
  value when is_map(value) and not is_struct(value) -> map_size(value)
end""",
    "list": """\
# What Python goes through: items, characters, the key of a map; more keys have another order.
list = fn
  value when is_list(value) -> value
  value when is_binary(value) -> String.codepoints(value)
  value when is_map(value) and not is_struct(value) and map_size(value) < 2 -> Map.keys(value)
end""",
    "string": """\
# Only text can be joined.
string = fn value when is_binary(value) -> value end""",
    "map": """\
# Only a map has keys.
map = fn value when is_map(value) and not is_struct(value) -> value end""",
    "at": """\
# The item at a position; text counts in code points.
at = fn
  value, index when is_binary(value) -> Enum.fetch!(String.codepoints(value), index)
  value, index when is_list(value) -> Enum.fetch!(value, index)
end""",
    "part": """\
# A slice of a list or of a text, which counts in code points.
part = fn
  value, cut when is_binary(value) -> value |> String.codepoints() |> cut.() |> Enum.join()
  value, cut when is_list(value) -> cut.(value)
end""",
    "plus": """\
# Python's `+`: numbers, texts or lists.
plus = fn
  left, right when is_binary(left) and is_binary(right) -> left <> right
  left, right when is_number(left) and is_number(right) -> left + right
  left, right when is_list(left) and is_list(right) -> left ++ right
end""",
    "times": """\
# Only numbers: text times a number is another thing in Python.
times = fn left, right when is_number(left) and is_number(right) -> left * right end""",
    "quotient": """\
# Python's `/`; integers that a float cannot hold exactly fail.
quotient = fn left, right ->
  exact = fn value -> is_float(value) or trunc(value / 1) == value end
  true = exact.(left) and exact.(right)
  left / right
end""",
    "integer": """\
# Python's `int`.
integer = fn
  value when is_integer(value) -> value
  value when is_boolean(value) -> if(value, do: 1, else: 0)
  value when is_float(value) -> trunc(value)
  value when is_struct(value, Decimal) -> Decimal.to_integer(Decimal.round(value, 0, :down))
  value when is_binary(value) -> String.to_integer(value)
end""",
    "float": """\
# Python's `float`.
float = fn
  value when is_float(value) -> value
  value when is_integer(value) and abs(value) <= 9007199254740992 -> value / 1
  value when is_struct(value, Decimal) -> Decimal.to_float(value)
  value when is_binary(value) ->
    case Integer.parse(value) do
      {_, ""} -> String.to_float(value <> ".0")
      _ -> String.to_float(value)
    end
end""",
    "unique": """\
# A map of pairs, of which no two have the same key.
unique = fn pairs ->
  found = Map.new(pairs)
  true = map_size(found) == length(pairs)
  found
end""",
    "timestamp": """\
# The time of the commit as text.
timestamp = fn value -> if(is_binary(value), do: value, else: DateTime.to_iso8601(value)) end""",
    "total": """\
# The sum of whole numbers.
total = fn values ->
  Enum.reduce(values, 0, fn value, sum when is_integer(value) -> sum + value end)
end""",
}

_NEEDS: Final = {"text": ("float_text",), "contains": ("same",)}
_WORDS: Final = """
and or not in when fn do end nil true false else after catch rescue if case cond with unless for def
defp try receive quote unquote import require alias elem length abs div rem hd tl max min round
trunc floor ceil to_string is_nil self node
"""
RESERVED: Final = frozenset(PRELUDE) | frozenset(_WORDS.split())
"""Names that a converted variable does not take."""


def prelude(used: Collection[str]) -> list[str]:
    """The closures that are used, each after those that it needs."""
    wanted = set(used)
    for name in used:
        wanted.update(_NEEDS.get(name, ()))
    return [text for name, text in PRELUDE.items() if name in wanted]
