"""Every function of Elixir that a server allows, as calls with generated arguments.

`CALLS` has a line for each function and arity: the call with a letter in angle brackets for every
argument, the letter naming a pool of argument texts (`POOLS`, and `LEAVES` of the grammar).
"""

from __future__ import annotations

# ruff: noqa: E501 - tables of short texts, many to a line
import random
import re
from collections.abc import Iterator
from typing import Final

from tests.support.elixir_grammar import DATES, LEAVES, MOMENTS, NAIVES

POOLS: Final[dict[str, list[str]]] = {
    **LEAVES,
    "s": [*LEAVES["s"], '"aXbXc"', '"ﬁne"', '"ΣΑΣ"', '"a\\r\\nb"', '"\\u00A0x\\u00A0"', '"ab ab ab"', '<<255, 97>>',
          '"ǅungla"', '"İi"', '"\\u200Bz"', '"a\\0b"', '"🇩🇪🇫🇷"'],
    "d": [*DATES, "~D[2023-03-01]", "~D[0000-01-01]", "~D[-0001-12-31]", "~D[9999-12-31]", "~D[2020-12-28]"],
    "u": [*MOMENTS, "~U[2024-02-29 12:30:45.000001Z]", "~U[0000-01-01 00:00:00Z]", "~U[2023-01-01 00:00:00.10Z]"],
    "n": [*NAIVES, "~N[1969-12-31 23:59:59.5]", "~N[2023-01-01 00:00:00.100]"],
    "T": ["~T[10:00:00]", "~T[23:59:59.999]", "~T[00:00:00.000001]"],
    "y": ["2024", "2023", "1900", "2000", "0", "-1", "9999", "10000"],
    "O": ["1", "2", "12", "0", "13", "6"],
    "D": ["1", "28", "29", "30", "31", "0", "32"],
    "H": ["0", "23", "24", "12", "-1"],
    "P": ["0", "59", "60", "30"],
    "Q": ["{0, 0}", "{120, 3}", "{999999, 6}", "{1, 7}", "5", "0"],
    "E": ["{2024, 1, 31}", "{2023, 2, 29}", "{0, 1, 1}", "{1, 2}"],
    "G": ["{{2024, 1, 31}, {10, 0, 0}}", "{{2024, 2, 30}, {0, 0, 0}}", "{{2024, 2, 3}, {24, 0, 0}}"],
    "V": [":second", ":millisecond", ":microsecond", ":nanosecond", ":minute", ":hour", ":day", "1000", "10"],
    "v": [":second", ":millisecond", ":microsecond"],
    "X": [":basic", ":extended"],
    "W": [":monday", ":sunday", ":saturday", ":default", ":friday"],
    "Z": ['"2024-01-31T10:00:00Z"', '"2024-01-31 10:00:00.120+02:00"', '"2024-13-01T00:00:00Z"', '"2024-01-31T10:00:00"',
          '"2024-02-30T10:00:00Z"', '"2024-01-31T25:00:00Z"', '"2024-01-31T10:00Z"', '"-0001-01-01T00:00:00Z"',
          '"2024-01-31t10:00:00z"', '"2024-01-31T10:00:00,5-0330"', '"2024-01-31T10:00:00.1234567Z"', '"x"',
          '"2024-01-31T23:59:60Z"', '"2024-01-31T10:00:00.Z"', '"2024-01-31T10:00:00-00:00"', '"+2024-01-31T10:00:00Z"',
          '"20240131T100000Z"'],
    "z": ['"2024-01-31"', '"2024-02-30"', '"2024-1-31"', '"+2024-01-31"', '"-2024-01-31"', '"20240131"', '"2024-01-31T"', '""'],
    "k": ["[]", "[{:a, 1}]", "[x: 1, y: nil]", '[{"b", 2}, {"a", 1}]', "[{1, :one}, {1.0, :two}, {nil, 3}]"],
    "c": ["~c\"abc\"", "~c\"12\"", "[]", "[233, 0x65E5]", "~c\"1.5\"", "~c\"ff\"", "[97, \"b\", [99]]", "[-1]", "[1114112]"],
    "x": ["[1, 1.0, nil, :a, \"b\", {1}, [2], %{}]", '%{"a" => 1, b: 2}', "[3, 1, 2, 1]", '["b", "a", "c"]', "[]", "[[1, 2], [3]]",
          "[{:a, 1}, {:b, 2}]", "%{}", "Date.range(~D[2024-01-30], ~D[2024-02-02])", "[nil, false, 0, true]", "[2.5, 1, 2, 2.0]"],
    "g": ["&is_nil/1", "& &1", "&{&1, 1}", "fn x -> x == 1 end", "&is_integer/1", "fn {k, _} -> k\n x -> x end", "&(&1 > 1)",
          "fn _ -> nil end", "&to_string/1", "fn x -> [x, x] end", "fn x -> {:ok, x} end", "&(&1 * 2)", "fn x when is_number(x) -> x end"],
    "q": ["fn a, b -> a <= b end", "fn a, b -> a > b end", "fn a, b -> {a, b} end", "&==/2", "fn a, _ -> a end", "&+/2", "fn _, b -> b end",
          "fn x, acc -> [x, acc] end", "fn x, acc when is_integer(x) and is_integer(acc) -> x + acc\n _, acc -> acc end"],
    "Y": ["fn k, a, b -> {k, a, b} end", "fn _, a, _ -> a end", "fn _, a, b -> a + b end"],
    "w": ['"http://a.b/c?d=e#f"', '"//h:80"', '"mailto:x@y"', '"a b"', '"http://[::1]:9/x"', '"?q"', '"https://u:p@h/../x/./y"', '""', '"%zz"',
          '"HTTP://EX.com"', '"http://a:b"', '"ftp://h:21/"', '"http://h\\\\x"'],
    "6": ['"aGk="', '"aGk"', '"_-8="', '"+/8="', '""', '"a Gk=\\n"', '"a"', '"NBUQ===="', '"nbuq===="', '"6869"', '"6a6B"', '"é"', '"D1KG===="', '"GE"'],
    "C": [":upper", ":lower", ":mixed"],
    "F": [":default", ":ascii", ":greek"],
    "A": ["Date", "DateTime", "{:desc, Date}", ":asc", ":desc", "fn a, b -> a <= b end", "{:asc, Date}"],
    "h": ["[]", "[:a]", '["a"]', '["b", "c"]', '["x"]', '["y", "z"]', "[fn :get, m, next -> next.(m[\"a\"]) end]", "[nil]"],
    "R": ["[]", "[global: false]", "[return: :index]", "[capture: :first]", "[capture: :all_but_first]", "[capture: :none]", "[capture: [1]]",
          "[capture: [\"x\"]]", "[offset: 1]", "[capture: :all_names]"],
    "e": ['"\\\\0\\\\0"', '"<\\\\1>"', '"\\\\g{2}"', '"\\\\"', '"x"', '""', "fn a -> a <> a end", "fn a, b -> b <> a end", "fn _ -> 1 end"],
    "J": ["0", "3", "-3", "2.5", "-2.5", "1.0e20", "0.49999999999999994", "10", "-0.0", "1.5", "0.5", "-0.5", "9007199254740993", "4.0"],
    "L": ["[[1, 2], [3, 4]]", "[[1], [2, 3]]", "[]", "[[], [1]]", '[%{"a" => 1}, [2]]', "{[1, 2], [3, 4]}", "[1]"],
    "p": ['"a"', '","', '" "', '""', '["a", "b"]', "[]", '["", "x"]', '["ab", "a"]', "~r/a/", "~r/\\s/", '"X"', '"\\n"'],
}  # fmt: skip
"""Texts of arguments by letter."""

ODD: Final = [
    "nil", "1", '"x"', ":a", "[]", "%{}", "{1}", "2.5", "~D[2024-01-31]", "[1 | 2]", "true", '<<255>>', "-1",
    "~U[2024-01-31 10:00:00Z]", "fn -> 1 end", "[1]", '["x"]', "~T[10:00:00]", "%{a: 1}", '%{"a" => 1}',
]  # fmt: skip
"""Arguments of a type that a function may well not want."""

CALLS: Final = """
Base.decode16(<6>)
Base.decode16(<6>, case: <C>)
Base.decode16!(<6>)
Base.decode16!(<6>, case: <C>)
Base.decode32(<6>)
Base.decode32(<6>, case: <C>, padding: <b>)
Base.decode32!(<6>)
Base.decode32!(<6>, padding: false)
Base.decode64(<6>)
Base.decode64(<6>, ignore: :whitespace, padding: <b>)
Base.decode64!(<6>)
Base.decode64!(<6>, padding: <b>)
Base.encode16(<s>)
Base.encode16(<s>, case: <C>)
Base.encode32(<s>)
Base.encode32(<s>, case: <C>, padding: <b>)
Base.encode64(<s>)
Base.encode64(<s>, padding: <b>)
Base.hex_decode32(<6>)
Base.hex_decode32(<6>, case: <C>)
Base.hex_decode32!(<6>)
Base.hex_decode32!(<6>, padding: <b>)
Base.hex_encode32(<s>)
Base.hex_encode32(<s>, case: <C>)
Base.url_decode64(<6>)
Base.url_decode64(<6>, padding: <b>)
Base.url_decode64!(<6>)
Base.url_decode64!(<6>, ignore: :whitespace)
Base.url_encode64(<s>)
Base.url_encode64(<s>, padding: <b>)
Date.add(<d>, <i>)
Date.beginning_of_month(<d>)
Date.beginning_of_week(<d>)
Date.beginning_of_week(<d>, <W>)
Date.compare(<d>, <d>)
Date.day_of_era(<d>)
Date.day_of_week(<d>)
Date.day_of_week(<d>, <W>)
Date.day_of_year(<d>)
Date.days_in_month(<d>)
Date.diff(<d>, <d>)
Date.end_of_month(<d>)
Date.end_of_week(<d>)
Date.end_of_week(<d>, <W>)
Date.from_erl(<E>)
Date.from_erl!(<E>)
Date.from_gregorian_days(<i>)
Date.from_iso8601(<z>)
Date.from_iso8601!(<z>)
Date.leap_year?(<d>)
Date.months_in_year(<d>)
Date.new(<y>, <O>, <D>)
Date.new!(<y>, <O>, <D>)
Date.quarter_of_year(<d>)
Date.range(<d>, <d>)
Date.range(<d>, <d>, <i>)
Date.to_erl(<d>)
Date.to_gregorian_days(<d>)
Date.to_iso8601(<d>)
Date.to_iso8601(<d>, <X>)
Date.to_string(<d>)
Date.year_of_era(<d>)
DateTime.add(<u>, <i>)
DateTime.add(<u>, <i>, <V>)
DateTime.compare(<u>, <u>)
DateTime.diff(<u>, <u>)
DateTime.diff(<u>, <u>, <V>)
DateTime.from_gregorian_seconds(<i>)
DateTime.from_iso8601(<Z>)
DateTime.from_iso8601(<Z>, <X>)
DateTime.from_naive(<n>, "Etc/UTC")
DateTime.from_naive!(<n>, "Etc/UTC")
DateTime.from_unix(<i>)
DateTime.from_unix(<i>, <V>)
DateTime.from_unix!(<i>)
DateTime.from_unix!(<i>, <V>)
DateTime.new(<d>, <T>)
DateTime.new(<d>, <T>, "Etc/UTC")
DateTime.new!(<d>, <T>)
DateTime.new!(<d>, <T>, "Etc/UTC")
DateTime.shift_zone(<u>, "Etc/UTC")
DateTime.shift_zone!(<u>, "Etc/UTC")
DateTime.to_date(<u>)
DateTime.to_gregorian_seconds(<u>)
DateTime.to_iso8601(<u>)
DateTime.to_iso8601(<u>, <X>)
DateTime.to_iso8601(<u>, <X>, <i>)
DateTime.to_naive(<u>)
DateTime.to_string(<u>)
DateTime.to_time(<u>)
DateTime.to_unix(<u>)
DateTime.to_unix(<u>, <V>)
DateTime.truncate(<u>, <v>)
Enum.all?(<x>)
Enum.all?(<x>, <g>)
Enum.any?(<x>)
Enum.any?(<x>, <g>)
Enum.at(<x>, <i>)
Enum.at(<x>, <i>, <a>)
Enum.chunk_by(<x>, <g>)
Enum.chunk_every(<x>, <j>)
Enum.chunk_every(<x>, <j>, <j>)
Enum.chunk_every(<x>, <j>, <j>, <x>)
Enum.chunk_while(<x>, [], fn x, acc -> if(x == 1, do: {:cont, acc, []}, else: {:cont, [x | acc]}) end, fn acc -> {:cont, acc, []} end)
Enum.concat(<L>)
Enum.concat(<x>, <x>)
Enum.count(<x>)
Enum.count(<x>, <g>)
Enum.count_until(<x>, <j>)
Enum.count_until(<x>, <g>, <j>)
Enum.dedup(<x>)
Enum.dedup_by(<x>, <g>)
Enum.drop(<x>, <i>)
Enum.drop_every(<x>, <j>)
Enum.drop_while(<x>, <g>)
Enum.each(<x>, <g>)
Enum.empty?(<x>)
Enum.fetch(<x>, <i>)
Enum.fetch!(<x>, <i>)
Enum.filter(<x>, <g>)
Enum.find(<x>, <g>)
Enum.find(<x>, <a>, <g>)
Enum.find_index(<x>, <g>)
Enum.find_value(<x>, <g>)
Enum.find_value(<x>, <a>, <g>)
Enum.flat_map(<x>, <g>)
Enum.flat_map_reduce(<x>, 0, fn x, n -> if(n < 2, do: {[x, n], n + 1}, else: {:halt, n}) end)
Enum.frequencies(<x>)
Enum.frequencies_by(<x>, <g>)
Enum.group_by(<x>, <g>)
Enum.group_by(<x>, <g>, <g>)
Enum.intersperse(<x>, <a>)
Enum.into(<x>, <m>)
Enum.into(<k>, <m>)
Enum.into(<x>, [])
Enum.into(<x>, <m>, <g>)
Enum.into(["a", "b"], "", <g>)
Enum.join(<x>)
Enum.join(<x>, <s>)
Enum.map(<x>, <g>)
Enum.map_every(<x>, <j>, <g>)
Enum.map_intersperse(<x>, <a>, <g>)
Enum.map_join(<x>, <g>)
Enum.map_join(<x>, <s>, <g>)
Enum.map_reduce(<x>, 0, fn x, n -> {{n, x}, n + 1} end)
Enum.max(<x>)
Enum.max(<x>, <A>)
Enum.max(<x>, <A>, fn -> :none end)
Enum.max_by(<x>, <g>)
Enum.max_by(<x>, <g>, <A>)
Enum.max_by(<x>, <g>, <A>, fn -> 0 end)
Enum.member?(<x>, <a>)
Enum.min(<x>)
Enum.min(<x>, <A>)
Enum.min(<x>, <A>, fn -> :none end)
Enum.min_by(<x>, <g>)
Enum.min_by(<x>, <g>, <A>)
Enum.min_by(<x>, <g>, <A>, fn -> 0 end)
Enum.min_max(<x>)
Enum.min_max(<x>, fn -> nil end)
Enum.min_max_by(<x>, <g>)
Enum.min_max_by(<x>, <g>, fn -> nil end)
Enum.min_max_by(<x>, <g>, fn a, b -> a <= b end, fn -> nil end)
Enum.partition(<x>, <g>)
Enum.product(<I>)
Enum.reduce(<x>, <q>)
Enum.reduce(<x>, <a>, <q>)
Enum.reduce_while(<x>, 0, fn x, n -> if(x, do: {:cont, n + 1}, else: {:halt, {x, n}}) end)
Enum.reject(<x>, <g>)
Enum.reverse(<x>)
Enum.reverse(<x>, <x>)
Enum.reverse_slice(<x>, <j>, <j>)
Enum.scan(<x>, <q>)
Enum.scan(<x>, <a>, <q>)
Enum.slice(<x>, <i>, <j>)
Enum.slide(<x>, <i>, <i>)
Enum.sort(<x>)
Enum.sort(<x>, <A>)
Enum.sort_by(<x>, <g>)
Enum.sort_by(<x>, <g>, <A>)
Enum.split(<x>, <i>)
Enum.split_while(<x>, <g>)
Enum.split_with(<x>, <g>)
Enum.sum(<I>)
Enum.take(<x>, <i>)
Enum.take_every(<x>, <j>)
Enum.take_while(<x>, <g>)
Enum.to_list(<x>)
Enum.uniq(<x>)
Enum.uniq(<x>, <g>)
Enum.uniq_by(<x>, <g>)
Enum.unzip(<k>)
Enum.with_index(<x>)
Enum.with_index(<x>, <i>)
Enum.with_index(<x>, fn x, i -> {i, x} end)
Enum.zip(<L>)
Enum.zip(<x>, <x>)
Enum.zip_reduce(<L>, [], fn items, acc -> [items | acc] end)
Enum.zip_reduce(<x>, <x>, [], fn a, b, acc -> [{a, b} | acc] end)
Enum.zip_with(<L>, fn items -> items end)
Enum.zip_with(<x>, <x>, <q>)
Integer.digits(<i>)
Integer.digits(<i>, <B>)
Integer.extended_gcd(<i>, <i>)
Integer.floor_div(<i>, <i>)
Integer.gcd(<i>, <i>)
Integer.mod(<i>, <i>)
Integer.parse(<s>)
Integer.parse(<s>, <B>)
Integer.pow(<i>, <j>)
Integer.to_charlist(<i>)
Integer.to_charlist(<i>, <B>)
Integer.to_string(<i>)
Integer.to_string(<i>, <B>)
Integer.undigits(<I>)
Integer.undigits([1, 0, 1], <B>)
abs(<J>)
binary_part(<s>, <j>, <j>)
bit_size(<s>)
byte_size(<s>)
ceil(<J>)
div(<i>, <i>)
elem(<t>, <j>)
floor(<J>)
get_and_update_in(<m>, <h>, fn v -> {v, [v]} end)
get_and_update_in(<m>, <h>, fn _ -> :pop end)
get_in(<m>, <h>)
hd(<l>)
is_atom(<a>)
is_binary(<a>)
is_bitstring(<a>)
is_boolean(<a>)
is_exception(<a>)
is_float(<a>)
is_function(<g>)
is_function(<g>, <j>)
is_integer(<a>)
is_list(<l>)
is_map(<m>)
is_map_key(<m>, <a>)
is_nil(<a>)
is_number(<a>)
is_reference(<a>)
is_struct(<d>)
is_struct(<d>, Date)
is_tuple(<t>)
length(<l>)
map_size(<m>)
max(<a>, <a>)
min(<a>, <a>)
not(<b>)
pop_in(<m>, <h>)
put_elem(<t>, <j>, <a>)
put_in(<m>, <h>, <a>)
rem(<i>, <i>)
round(<J>)
tl(<l>)
to_string(<a>)
to_string(<c>)
trunc(<J>)
tuple_size(<t>)
update_in(<m>, <h>, <g>)
Kernel.to_string(<u>)
List.ascii_printable?(<c>)
List.ascii_printable?(<c>, <j>)
List.delete(<l>, <a>)
List.delete_at(<l>, <i>)
List.duplicate(<a>, <j>)
List.first(<l>)
List.first(<l>, <a>)
List.flatten(<l>)
List.flatten(<l>, <l>)
List.foldl(<l>, <a>, <q>)
List.foldr(<l>, <a>, <q>)
List.improper?(<l>)
List.insert_at(<l>, <i>, <a>)
List.keydelete(<k>, <a>, 0)
List.keyfind(<k>, :a, <j>)
List.keyfind(<k>, <a>, 0, <a>)
List.keyfind!(<k>, <a>, 0)
List.keymember?(<k>, <a>, <j>)
List.keyreplace(<k>, :x, 0, <t>)
List.keysort(<k>, <j>)
List.keysort(<k>, <j>, <A>)
List.keystore(<k>, <a>, 0, <t>)
List.keytake(<k>, :a, <j>)
List.last(<l>)
List.last(<l>, <a>)
List.myers_difference(<l>, <l>)
List.pop_at(<l>, <i>)
List.pop_at(<l>, <i>, <a>)
List.replace_at(<l>, <i>, <a>)
List.starts_with?(<l>, <l>)
List.to_charlist(<c>)
List.to_float(<c>)
List.to_integer(<c>)
List.to_integer(<c>, <B>)
List.to_string(<c>)
List.to_tuple(<l>)
List.update_at(<l>, <i>, <g>)
List.wrap(<a>)
List.zip(<L>)
Map.delete(<m>, <a>)
Map.drop(<m>, <S>)
Map.equal?(<m>, <m>)
Map.fetch(<m>, <s>)
Map.fetch!(<m>, <s>)
Map.filter(<m>, fn {_, v} -> v end)
Map.from_keys(<l>, <a>)
Map.from_struct(<u>)
Map.get(<m>, <a>)
Map.get(<m>, <s>, <a>)
Map.get_and_update(<m>, <s>, fn v -> {v, 1} end)
Map.get_and_update(<m>, "a", fn _ -> :pop end)
Map.get_and_update!(<m>, "a", fn v -> {v, [v]} end)
Map.get_lazy(<m>, <s>, fn -> 1 end)
Map.has_key?(<m>, <a>)
Map.keys(<m>)
Map.map(<m>, fn {k, v} -> {k, v} end)
Map.merge(<m>, <m>)
Map.merge(<m>, <m>, <Y>)
Map.new()
Map.new(<k>)
Map.new(<x>, <g>)
Map.pop(<m>, <a>)
Map.pop(<m>, <s>, <a>)
Map.pop!(<m>, <s>)
Map.pop_lazy(<m>, <s>, fn -> 1 end)
Map.put(<m>, <a>, <a>)
Map.put_new(<m>, <s>, <a>)
Map.put_new_lazy(<m>, <s>, fn -> 1 end)
Map.reject(<m>, fn {_, v} -> v end)
Map.replace(<m>, <s>, <a>)
Map.replace!(<m>, <s>, <a>)
Map.replace_lazy(<m>, <s>, <g>)
Map.size(<m>)
Map.split(<m>, <S>)
Map.take(<m>, <S>)
Map.to_list(<m>)
Map.update(<m>, <s>, <a>, <g>)
Map.update!(<m>, <s>, <g>)
Map.values(<m>)
NaiveDateTime.add(<n>, <i>)
NaiveDateTime.add(<n>, <i>, <V>)
NaiveDateTime.compare(<n>, <n>)
NaiveDateTime.diff(<n>, <n>)
NaiveDateTime.diff(<n>, <n>, <V>)
NaiveDateTime.from_erl(<G>)
NaiveDateTime.from_erl!(<G>)
NaiveDateTime.from_iso8601(<Z>)
NaiveDateTime.from_iso8601!(<Z>)
NaiveDateTime.new(<d>, <T>)
NaiveDateTime.new(<y>, <O>, <D>, <H>, <P>, <P>)
NaiveDateTime.new(<y>, <O>, <D>, <H>, <P>, <P>, <Q>)
NaiveDateTime.new!(<d>, <T>)
NaiveDateTime.new!(<y>, <O>, <D>, <H>, <P>, <P>)
NaiveDateTime.new!(<y>, <O>, <D>, <H>, <P>, <P>, <Q>)
NaiveDateTime.to_date(<n>)
NaiveDateTime.to_erl(<n>)
NaiveDateTime.to_iso8601(<n>)
NaiveDateTime.to_iso8601(<n>, <X>)
NaiveDateTime.to_string(<n>)
NaiveDateTime.to_time(<n>)
NaiveDateTime.truncate(<n>, <v>)
Regex.compile(<s>)
Regex.compile(<s>, "i")
Regex.compile!(<s>)
Regex.compile!(<s>, "u")
Regex.escape(<s>)
Regex.match?(<r>, <s>)
Regex.named_captures(<r>, <s>)
Regex.named_captures(<r>, <s>, return: :index)
Regex.names(<r>)
Regex.regex?(<r>)
Regex.replace(<r>, <s>, <e>)
Regex.replace(<r>, <s>, <e>, global: <b>)
Regex.run(<r>, <s>)
Regex.run(<r>, <s>, <R>)
Regex.scan(<r>, <s>)
Regex.scan(<r>, <s>, <R>)
Regex.source(<r>)
Regex.split(<r>, <s>)
Regex.split(<r>, <s>, parts: <j>, trim: <b>, include_captures: <b>)
Regex.split(<r>, <s>, on: [1])
String.at(<s>, <i>)
String.bag_distance(<s>, <s>)
String.capitalize(<s>)
String.capitalize(<s>, <F>)
String.chunk(<s>, :valid)
String.chunk(<s>, :printable)
String.codepoints(<s>)
String.contains?(<s>, <p>)
String.downcase(<s>)
String.downcase(<s>, <F>)
String.duplicate(<s>, <j>)
String.ends_with?(<s>, <p>)
String.equivalent?(<s>, <s>)
String.first(<s>)
String.graphemes(<s>)
String.jaro_distance(<s>, <s>)
String.last(<s>)
String.length(<s>)
String.match?(<s>, <r>)
String.myers_difference(<s>, <s>)
String.next_codepoint(<s>)
String.next_grapheme(<s>)
String.normalize(<s>, <N>)
String.pad_leading(<s>, <i>)
String.pad_leading(<s>, 6, <s>)
String.pad_leading(<s>, 6, <S>)
String.pad_trailing(<s>, <j>)
String.pad_trailing(<s>, 6, <S>)
String.printable?(<s>)
String.printable?(<s>, <j>)
String.replace(<s>, <p>, <s>)
String.replace(<s>, <p>, <e>)
String.replace(<s>, <p>, <e>, global: <b>)
String.replace_leading(<s>, <s>, <s>)
String.replace_prefix(<s>, <s>, <s>)
String.replace_suffix(<s>, <s>, <s>)
String.replace_trailing(<s>, <s>, <s>)
String.reverse(<s>)
String.slice(<s>, <i>, <j>)
String.split(<s>)
String.split(<s>, <p>)
String.split(<s>, <p>, trim: <b>)
String.split(<s>, <p>, parts: <j>)
String.split_at(<s>, <i>)
Enum.to_list(String.splitter(<s>, <p>))
Enum.to_list(String.splitter(<s>, <p>, trim: <b>))
String.splitter(<s>, 1)
String.splitter(<s>, 1, trim: true)
String.starts_with?(<s>, <p>)
String.to_charlist(<s>)
String.to_float(<s>)
String.to_integer(<s>)
String.to_integer(<s>, <B>)
String.trim(<s>)
String.trim(<s>, <s>)
String.trim_leading(<s>)
String.trim_leading(<s>, <s>)
String.trim_trailing(<s>)
String.trim_trailing(<s>, <s>)
String.upcase(<s>)
String.upcase(<s>, <F>)
String.valid?(<s>)
URI.append_query(URI.parse(<w>), <s>)
URI.char_reserved?(<i>)
URI.char_unescaped?(<i>)
URI.char_unreserved?(<i>)
URI.decode(<w>)
URI.decode_query(<s>)
URI.decode_query(<s>, <m>)
URI.decode_query(<s>, %{}, :rfc3986)
URI.decode_www_form(<s>)
URI.default_port(<s>)
URI.encode(<w>)
URI.encode(<w>, &URI.char_unreserved?/1)
URI.encode_query(<m>)
URI.encode_query(<k>, :rfc3986)
URI.encode_www_form(<w>)
URI.merge(<w>, <w>)
URI.new(<w>)
URI.new!(<w>)
URI.parse(<w>)
Enum.to_list(URI.query_decoder(<s>))
URI.query_decoder(<i>)
URI.query_decoder(<i>, :rfc3986)
URI.to_string(URI.parse(<w>))
"""
"""A call of every function that both Elixir 1.14 and Elixir 1.19 have."""

NEWER: Final = [
    "Base.hex_valid32?/1",
    "Base.hex_valid32?/2",
    "Base.url_valid64?/1",
    "Base.url_valid64?/2",
    "Base.valid16?/1",
    "Base.valid16?/2",
    "Base.valid32?/1",
    "Base.valid32?/2",
    "Base.valid64?/1",
    "Base.valid64?/2",
    "Date.after?/2",
    "Date.before?/2",
    "Date.shift/2",
    "DateTime.after?/2",
    "DateTime.before?/2",
    "DateTime.shift/2",
    "Enum.product_by/2",
    "Enum.sum_by/2",
    "Integer.ceil_div/2",
    "Integer.popcount/1",
    "List.ends_with?/2",
    "Map.intersect/2",
    "Map.intersect/3",
    "Map.split_with/2",
    "NaiveDateTime.after?/2",
    "NaiveDateTime.before?/2",
    "NaiveDateTime.beginning_of_day/1",
    "NaiveDateTime.end_of_day/1",
    "NaiveDateTime.shift/2",
    "Regex.import/1",
    "String.byte_slice/3",
    "String.count/2",
    "String.replace_invalid/1",
    "String.replace_invalid/2",
    "URI.append_path/2",
    "String.valid?/2",
]
"""Functions that Debian's Elixir has not yet. The recorded vectors of 1.19 try them."""

UNREPEATABLE: Final = [
    "DateTime.utc_now/0",
    "Date.utc_today/0",
    "NaiveDateTime.utc_now/0",
    "NaiveDateTime.local_now/0",
    "Enum.random/1",
    "Enum.shuffle/1",
    "Enum.take_random/2",
    "Kernel.make_ref/0",
    "Kernel.self/0",
    "Regex.opts/1",
]
"""The clock and chance; `Regex.opts` gives a text before Elixir 1.19."""

_PLACE: Final = re.compile(r"<(\w)>")
_HEAD: Final = re.compile(r"(?:(?:Enum\.to_list)\()?((?:[A-Z]\w*\.)?[a-z_]\w*[?!]?)\(")


def templates() -> list[str]:
    """The lines of `CALLS`."""
    return [line for line in CALLS.splitlines() if line]


def called(template: str) -> str:
    """`Module.name/arity` of a template; the outermost call but for `Enum.to_list` of a stream."""
    text = template
    if text.startswith("Enum.to_list(") and "<x>" not in text:
        text = text[len("Enum.to_list(") : -1]
    found = _HEAD.match(text)
    assert found is not None, template
    name = found[1] if "." in found[1] else f"Kernel.{found[1]}"
    return f"{name}/{_arity(text[found.end() : -1])}"


def _arity(arguments: str) -> int:
    """Arguments of a call: commas outside of brackets and closures; keywords count as one."""
    if not arguments:
        return 0
    depth, count, keywords = 0, 1, 0
    for word in re.findall(r"\bfn\b|\bend\b|\w+: |[(\[{]|[)\]}]|,", arguments):
        if word in ("fn", "(", "[", "{"):
            depth += 1
        elif word in ("end", ")", "]", "}"):
            depth -= 1
        elif depth == 0 and word == ",":
            count += 1
        elif depth == 0:
            keywords += 1
    return count - max(0, keywords - 1)


def generated(template: str, count: int, seed: int) -> Iterator[tuple[str, bool]]:
    """`count` texts of calls, and whether an argument of another type is among the arguments."""
    chance = random.Random(f"{seed} {template}")
    odd = False

    def argument(place: re.Match[str]) -> str:
        nonlocal odd
        if chance.random() >= 0.1:
            return chance.choice(POOLS[place[1]])
        odd = True
        return chance.choice(ODD)

    for _ in range(count):
        odd = False
        yield _PLACE.sub(argument, template), odd
