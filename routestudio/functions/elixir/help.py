"""What the editor shows about the functions that Elixir functions may call: arguments, one
sentence.

Optional arguments stand in brackets. The catalogue shows which of them exist, the registry which
are evaluated here; a test keeps the three together.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from routestudio.functions.elixir.help_more import MORE
from routestudio.functions.library import Entry

_TEXT: Final[dict[str, str]] = {
    "Kernel": """
abs(number) The number without its sign.
binary_part(text, start, length) A part of the bytes of a text.
bit_size(text) The number of bits of a text.
byte_size(text) The number of bytes of a text.
ceil(number) The smallest integer that is not below the number.
div(a, b) The integer quotient, cut toward zero.
elem(tuple, index) The item of a tuple at a position from 0.
floor(number) The largest integer that is not above the number.
get_and_update_in(data, keys, fun) Reads and changes a nested value at once.
get_in(data, keys) A nested value, nil where a key is missing.
hd(list) The first item of a list that is not empty.
inspect(value) The value as Elixir writes it; only as the capture `&inspect/1`.
is_atom(value) Whether the value is an atom; nil, true and false are.
is_binary(value) Whether the value is a text.
is_bitstring(value) Whether the value is a text or other bits.
is_boolean(value) Whether the value is true or false.
is_exception(value, [name]) Whether the value is an exception.
is_float(value) Whether the value is a floating-point number.
is_function(value, [arity]) Whether the value is a closure.
is_integer(value) Whether the value is an integer.
is_list(value) Whether the value is a list.
is_map(value) Whether the value is a map; dates and decimals are, too.
is_map_key(map, key) Whether the map has the key.
is_nil(value) Whether the value is nil.
is_number(value) Whether the value is an integer or a float; a Decimal is not.
is_reference(value) Whether the value is a reference.
is_struct(value, [name]) Whether the value is a struct, such as a date or a decimal.
is_tuple(value) Whether the value is a tuple.
length(list) The number of items of a list.
make_ref() A reference that nothing else is equal to.
map_size(map) The number of entries of a map.
max(a, b) The greater of two values.
min(a, b) The smaller of two values.
not(value) The opposite of true or false.
pop_in(data, keys) A nested value, and the data without it.
put_elem(tuple, index, value) The tuple with another item at a position.
put_in(data, keys, value) The data with another nested value.
rem(a, b) The rest of an integer division, with the sign of the first.
round(number) The nearest integer; halves away from zero.
self() The process; of no use here.
tl(list) The list without its first item.
to_string(value) The value as text; nil is empty.
trunc(number) The number without its fraction.
tuple_size(tuple) The number of items of a tuple.
update_in(data, keys, fun) The data with a nested value changed by a closure.
""",
    "Map": """
delete(map, key) The map without a key.
drop(map, keys) The map without several keys.
equal?(a, b) Whether two maps hold the same.
fetch(map, key) `{:ok, value}`, or `:error` when the key is missing.
fetch!(map, key) The value; raises when the key is missing.
filter(map, fun) The entries for which the closure returns a true value, as a map.
from_keys(keys, value) A map of these keys, all with one value.
from_struct(struct) The fields of a struct as a map.
get(map, key, [default]) The value, or the default when the key is missing.
get_and_update(map, key, fun) Reads and changes one value at once.
get_and_update!(map, key, fun) The same; raises when the key is missing.
get_lazy(map, key, fun) The value, or what the closure gives when the key is missing.
has_key?(map, key) Whether the map has the key.
intersect(a, b, [fun]) The entries whose keys are in both maps.
keys(map) All keys, in order.
map(map, fun) Deprecated: write Map.new(map, fun).
merge(a, b, [fun]) Both maps together; the second one wins.
new([entries], [fun]) A map of `{key, value}` pairs.
pop(map, key, [default]) The value and the map without it.
pop!(map, key) The same; raises when the key is missing.
pop_lazy(map, key, fun) The same, with a closure for a missing key.
put(map, key, value) The map with the key set.
put_new(map, key, value) The map with the key set, unless it has one.
put_new_lazy(map, key, fun) The same, with a closure for the value.
reject(map, fun) The map without the entries for which the closure returns a true value.
replace(map, key, value) The map with another value, when it has the key.
replace!(map, key, value) The same; raises when the key is missing.
replace_lazy(map, key, fun) The map with a value changed, when it has the key.
size(map) Deprecated: write map_size(map).
split(map, keys) The entries of these keys, and the others.
split_with(map, fun) The entries for which the closure returns a true value, and the others.
take(map, keys) Only the entries of these keys.
to_list(map) The entries as `{key, value}` pairs.
update(map, key, default, fun) The map with a value changed; the default when it is missing.
update!(map, key, fun) The map with a value changed; raises when it is missing.
values(map) All values, in the order of the keys.
""",
    "String": """
at(text, index) The character at a position from 0; negative ones count from the end.
bag_distance(a, b) How alike two texts are, from 0 to 1, by their characters.
byte_slice(text, start, length) A part counted in bytes, without halves of characters.
capitalize(text, [mode]) The first letter large, the others small.
chunk(text, kind) Parts that are valid or printable, and parts that are not.
codepoints(text) The code points of a text.
contains?(text, part) Whether a text holds a part, or one of several.
count(text, part) How often a part is in a text.
downcase(text, [mode]) All letters small.
duplicate(text, count) The text several times.
ends_with?(text, end) Whether a text ends in one of these.
equivalent?(a, b) Whether two texts are the same once they are normalised.
first(text) The first character, nil for an empty text.
graphemes(text) The characters as they are seen.
jaro_distance(a, b) How alike two texts are, from 0 to 1.
last(text) The last character, nil for an empty text.
length(text) The number of characters as they are seen.
match?(text, regex) Whether a regular expression matches somewhere.
myers_difference(a, b) The shortest way from one text to the other.
next_codepoint(text) The first code point and the rest.
next_grapheme(text) The first character and the rest.
normalize(text, form) The text in a normal form, such as :nfc.
pad_leading(text, count, [padding]) Filled in front up to so many characters.
pad_trailing(text, count, [padding]) Filled at the end up to so many characters.
printable?(text, [limit]) Whether all characters can be printed.
replace(text, pattern, new, [options]) All matches of a text or regular expression replaced.
replace_invalid(text, [new]) Bytes that are not text replaced.
replace_leading(text, part, new) Every repetition at the start replaced.
replace_prefix(text, part, new) The start replaced, when it is this.
replace_suffix(text, part, new) The end replaced, when it is this.
replace_trailing(text, part, new) Every repetition at the end replaced.
reverse(text) The characters from last to first.
slice(text, start, length) A part counted in characters.
split(text, [pattern], [options]) The parts between white space or a pattern.
split_at(text, position) The parts before and after a position.
splitter(text, pattern, [options]) The same as split, one part after the other.
starts_with?(text, start) Whether a text starts with one of these.
to_charlist(text) The code points as a list of integers.
to_float(text) A float of a text such as `1.5`; raises for any other.
to_integer(text, [base]) An integer of its digits; raises for any other text.
trim(text, [part]) Without white space at both ends.
trim_leading(text, [part]) Without white space at the start.
trim_trailing(text, [part]) Without white space at the end.
upcase(text, [mode]) All letters large.
valid?(text) Whether all bytes are UTF-8.
""",
    "Enum": """
all?(items, [fun]) Whether every item is true.
any?(items, [fun]) Whether at least one item is true.
at(items, index, [default]) The item at a position from 0.
chunk_by(items, fun) Neighbours with the same result in one list.
chunk_every(items, count, [step], [rest]) Lists of so many items.
chunk_while(items, state, fun, last) Lists as a closure cuts them.
concat(items, [more]) Lists one after the other.
count(items, [fun]) The number of items, or of those with a yes.
count_until(items, [fun], limit) The number of items, at most the limit.
dedup(items) Without neighbours that are the same.
dedup_by(items, fun) Without neighbours with the same result.
drop(items, count) Without the first items; negative counts drop at the end.
drop_every(items, step) Without every so-many-th item.
drop_while(items, fun) Without the first items that have a yes.
each(items, fun) Calls a closure for every item; gives :ok.
empty?(items) Whether there are no items.
fetch(items, index) `{:ok, item}` or :error.
fetch!(items, index) The item; raises when there is none.
filter(items, fun) The items for which the closure returns a true value.
find(items, [default], fun) The first item with a yes.
find_index(items, fun) The position of the first item with a yes.
find_value(items, [default], fun) The first result that is true.
flat_map(items, fun) The lists that the closure gives, put together.
flat_map_reduce(items, state, fun) The same, with a state that is handed on.
frequencies(items) How often each item is there, as a map.
frequencies_by(items, fun) How often each result is there, as a map.
group_by(items, fun, [value]) A map of lists by the closure's result.
intersperse(items, separator) With a separator between the items.
into(items, target, [fun]) The items put into a map, a list or a text.
join(items, [separator]) The items as one text.
map(items, fun) The closure's results in a list.
map_every(items, step, fun) Every so-many-th item changed.
map_intersperse(items, separator, fun) The results with a separator between them.
map_join(items, [separator], fun) The results as one text.
map_reduce(items, state, fun) The results and the last state.
max(items, [sorter], [empty]) The greatest item.
max_by(items, fun, [sorter], [empty]) The item with the greatest result.
member?(items, value) Whether the value is among the items.
min(items, [sorter], [empty]) The smallest item.
min_by(items, fun, [sorter], [empty]) The item with the smallest result.
min_max(items, [empty]) The smallest and the greatest item.
min_max_by(items, fun, [sorter], [empty]) The items with the smallest and the greatest result.
partition(items, fun) Deprecated: write Enum.split_with(items, fun).
product(numbers) All numbers multiplied.
product_by(items, fun) All results multiplied.
random(items) Any one of the items; another one each time.
reduce(items, [start], fun) One value made from all items.
reduce_while(items, start, fun) The same, until the closure halts.
reject(items, fun) The items for which the closure returns nil or false.
reverse(items, [tail]) The items from last to first.
reverse_slice(items, start, count) A part of the items turned around.
scan(items, [start], fun) Every value on the way of a reduction.
shuffle(items) The items in any order; another one each time.
slice(items, start, count) A part of the items.
slide(items, index, target) One item moved to another place.
sort(items, [sorter]) The items in order; :desc turns it around, a module compares.
sort_by(items, fun, [sorter]) The items in the order of their results.
split(items, count) The first items and the others.
split_while(items, fun) The first items with a yes, and the others.
split_with(items, fun) The items with a yes, and those with a no.
sum(numbers) All numbers added up.
sum_by(items, fun) All results added up.
take(items, count) The first items; negative counts take from the end.
take_every(items, step) Every so-many-th item.
take_random(items, count) Any of the items; others each time.
take_while(items, fun) The first items that have a yes.
to_list(items) The items in a list.
uniq(items, [fun]) Every item once.
uniq_by(items, fun) One item for each result.
unzip(pairs) The first and the second parts of pairs.
with_index(items, [offset]) Pairs of item and position.
zip(items, [more]) Items of several lists side by side.
zip_reduce(items, [more], start, fun) One value made from several lists at once.
zip_with(items, [more], fun) The results for items side by side.
""",
    **MORE,
}

FORMS: Final = (
    Entry("case", "case value do … end", "The first clause whose pattern fits."),
    Entry("cond", "cond do … end", "The first clause whose condition is true."),
    Entry("if", "if condition do … else … end", "One of two ways; without `else` nil."),
    Entry("with", "with pattern <- value do … else … end", "Goes on as long as patterns fit."),
    Entry("fn", "fn value -> … end", "A closure, called as `f.(value)`."),
    Entry("match?", "match?(pattern, value)", "Whether a pattern fits a value."),
)
"""The special forms that functions may use."""


@cache
def entries() -> tuple[Entry, ...]:
    """Every function that is evaluated, as it is written, with its arguments and one sentence."""
    found = list(FORMS)
    for module, text in _TEXT.items():
        for line in text.strip().splitlines():
            head, _, doc = line.partition(") ")
            name, _, arguments = head.partition("(")
            written = name if module == "Kernel" else f"{module}.{name}"
            found.append(Entry(written, f"{written}({arguments})", doc))
    return tuple(found)


@cache
def entry(name: str) -> Entry | None:
    """The entry of a name as it is written (`Map.get`, `to_string`)."""
    return next((item for item in entries() if item.name == name), None)
