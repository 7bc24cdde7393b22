"""The second half of the table in `help`: numbers, dates, texts in other forms."""

from __future__ import annotations

from typing import Final

MORE: Final[dict[str, str]] = {
    "List": """
ascii_printable?(list, [limit]) Whether all code points are printable ASCII.
delete(list, value) Without the first item that is the value.
delete_at(list, index) Without the item at a position.
duplicate(value, count) The value several times.
ends_with?(list, end) Whether a list ends in another.
first(list, [default]) The first item, or the default.
flatten(list, [tail]) Lists inside of lists put into one.
foldl(list, start, fun) One value made from the items, from the left.
foldr(list, start, fun) One value made from the items, from the right.
improper?(list) Whether the tail is not a list.
insert_at(list, index, value) With a value at a position.
keydelete(list, key, position) Without the first tuple that has the key.
keyfind(list, key, position, [default]) The first tuple that has the key.
keyfind!(list, key, position) The same; raises when there is none.
keymember?(list, key, position) Whether a tuple has the key.
keyreplace(list, key, position, tuple) The first tuple that has the key replaced.
keysort(list, position, [sorter]) Tuples in the order of one of their items.
keystore(list, key, position, tuple) A tuple replaced, or put at the end.
keytake(list, key, position) The first tuple that has the key, and the rest.
last(list, [default]) The last item, or the default.
myers_difference(a, b) The shortest way from one list to the other.
pop_at(list, index, [default]) An item, and the list without it.
replace_at(list, index, value) Another item at a position.
starts_with?(list, start) Whether a list starts with another.
to_charlist(list) Code points and texts as one list of code points.
to_float(charlist) The float that the code points spell.
to_integer(charlist, [base]) The integer that the code points spell.
to_string(list) Code points and texts as one text.
to_tuple(list) The items as a tuple.
update_at(list, index, fun) The item at a position changed.
wrap(value) The value in a list, unless it is one; nil gives an empty list.
zip(lists) Items of several lists side by side.
""",
    "Integer": """
ceil_div(a, b) The quotient, rounded up.
digits(number, [base]) The digits as a list.
extended_gcd(a, b) The greatest common divisor and its two factors.
floor_div(a, b) The quotient, rounded down.
gcd(a, b) The greatest common divisor.
mod(a, b) The rest of a division, with the sign of the second.
parse(text, [base]) The integer at the start of a text and the rest, or :error.
popcount(number) The number of bits that are set.
pow(base, exponent) The power of integers.
to_charlist(number, [base]) The digits as code points.
to_string(number, [base]) The digits as text.
undigits(digits, [base]) The integer of a list of digits.
""",
    "Base": """
decode16(text, [options]) `{:ok, bytes}` of hexadecimal digits, or :error.
decode16!(text, [options]) The bytes of hexadecimal digits; raises for any other text.
decode32(text, [options]) `{:ok, bytes}` of Base32, or :error.
decode32!(text, [options]) The bytes of Base32; raises for any other text.
decode64(text, [options]) `{:ok, bytes}` of Base64, or :error.
decode64!(text, [options]) The bytes of Base64; raises for any other text.
encode16(bytes, [options]) Hexadecimal digits; `case: :lower` for small ones.
encode32(bytes, [options]) Base32.
encode64(bytes, [options]) Base64; `padding: false` leaves out the `=`.
hex_decode32(text, [options]) `{:ok, bytes}` of Base32 with the extended alphabet, or :error.
hex_decode32!(text, [options]) The same bytes; raises for any other text.
hex_encode32(bytes, [options]) Base32 with the extended alphabet.
hex_valid32?(text, [options]) Whether a text is Base32 with the extended alphabet.
url_decode64(text, [options]) `{:ok, bytes}` of Base64 for URLs, or :error.
url_decode64!(text, [options]) The same bytes; raises for any other text.
url_encode64(bytes, [options]) Base64 with letters that URLs allow.
url_valid64?(text, [options]) Whether a text is Base64 for URLs.
valid16?(text, [options]) Whether a text is hexadecimal.
valid32?(text, [options]) Whether a text is Base32.
valid64?(text, [options]) Whether a text is Base64.
""",
    "Regex": """
compile(source, [options]) `{:ok, regex}`, or an error.
compile!(source, [options]) A regular expression; raises for a wrong one.
escape(text) The text with special characters escaped.
match?(regex, text) Whether it matches somewhere.
named_captures(regex, text, [options]) The named groups as a map, nil without a match.
names(regex) The names of its groups.
opts(regex) Its options.
regex?(value) Whether the value is a regular expression.
replace(regex, text, new, [options]) All matches replaced by a text or a closure's result.
run(regex, text, [options]) The first match and its groups, nil without one.
scan(regex, text, [options]) All matches with their groups.
source(regex) The text of the expression.
split(regex, text, [options]) The parts between the matches.
""",
    "Date": """
add(date, days) The date some days later.
after?(a, b) Whether the first is later.
before?(a, b) Whether the first is earlier.
beginning_of_month(date) The first day of the month.
beginning_of_week(date, [first]) The first day of the week.
compare(a, b) :lt, :eq or :gt; never compare dates with `<`.
day_of_era(date) The number of the day in its era.
day_of_week(date, [first]) 1 for Monday to 7 for Sunday.
day_of_year(date) 1 to 366.
days_in_month(date) 28 to 31.
diff(a, b) The days between two dates.
end_of_month(date) The last day of the month.
end_of_week(date, [first]) The last day of the week.
from_erl(tuple) `{:ok, date}` of `{year, month, day}`, or an error.
from_erl!(tuple) The date of `{year, month, day}`; raises for a wrong one.
from_gregorian_days(days) The date by the number of its day.
from_iso8601(text) `{:ok, date}`, or an error.
from_iso8601!(text) The date; raises for any other text.
leap_year?(date) Whether its year has 366 days.
months_in_year(date) 12.
new(year, month, day) `{:ok, date}`, or an error.
new!(year, month, day) The date; raises for a wrong one.
quarter_of_year(date) 1 to 4.
range(first, last, [step]) The dates between two, for Enum.
shift(date, duration) The date moved, such as by `month: 1`.
to_erl(date) `{year, month, day}`.
to_gregorian_days(date) The number of the day.
to_iso8601(date, [format]) The text `2024-01-31`.
to_string(date) The text `2024-01-31`.
utc_today() Today; another one tomorrow.
year_of_era(date) The year and its era.
""",
    "DateTime": """
add(time, amount, [unit]) The time some seconds or other units later.
after?(a, b) Whether the first is later.
before?(a, b) Whether the first is earlier.
compare(a, b) :lt, :eq or :gt; never compare times with `<`.
diff(a, b, [unit]) The seconds or other units between two times.
from_gregorian_seconds(seconds) The time by its seconds from year 0.
from_iso8601(text, [format]) `{:ok, time, offset}`, or an error.
from_naive(naive, zone) `{:ok, time}` in `Etc/UTC`, or an error.
from_naive!(naive, zone) The time in `Etc/UTC`.
from_unix(number, [unit]) `{:ok, time}` by its seconds since 1970, or an error.
from_unix!(number, [unit]) The time by its seconds since 1970.
new(date, time, [zone]) `{:ok, time}`, or an error.
new!(date, time, [zone]) The time of a date and a time of day.
shift(time, duration) The time moved, such as by `month: 1`.
shift_zone(time, zone) `{:ok, time}`; only `Etc/UTC` is known.
shift_zone!(time, zone) The time; only `Etc/UTC` is known.
to_date(time) Its date.
to_gregorian_seconds(time) Its seconds from year 0, and microseconds.
to_iso8601(time, [format], [offset]) The text with `T` and `Z`.
to_naive(time) The time without its zone.
to_string(time) The text with a space between date and time.
to_time(time) Its time of day.
to_unix(time, [unit]) Its seconds since 1970, or other units.
truncate(time, precision) Cut to :second, :millisecond or :microsecond.
utc_now([unit]) Now; another one at each call.
""",
    "NaiveDateTime": """
add(time, amount, [unit]) The time some seconds or other units later.
after?(a, b) Whether the first is later.
before?(a, b) Whether the first is earlier.
beginning_of_day(time) Midnight of its day.
compare(a, b) :lt, :eq or :gt; never compare times with `<`.
diff(a, b, [unit]) The seconds or other units between two times.
end_of_day(time) The last moment of its day.
from_erl(tuple) `{:ok, time}` of `{date, time}`, or an error.
from_erl!(tuple) The time of `{date, time}`.
from_iso8601(text) `{:ok, time}`, or an error; an offset is ignored.
from_iso8601!(text) The time; raises for any other text.
local_now() Now; another one at each call.
new(date, time) `{:ok, time}` of a date and a time, or of six to seven numbers.
new!(date, time) The same time; raises for a wrong one.
shift(time, duration) The time moved, such as by `month: 1`.
to_date(time) Its date.
to_erl(time) `{date, time}` as tuples.
to_iso8601(time, [format]) The text with `T`.
to_string(time) The text with a space between date and time.
to_time(time) Its time of day.
truncate(time, precision) Cut to :second, :millisecond or :microsecond.
utc_now() Now; another one at each call.
""",
    "Decimal": """
abs(decimal) Without its sign.
add(a, b) The sum.
apply_context(decimal) Rounded to 28 digits.
cast(value) `{:ok, decimal}` of a number or text, or :error.
cmp(a, b) Deprecated: write Decimal.compare(a, b).
compare(a, b) :lt, :eq or :gt; never compare decimals with `<`.
div(a, b) The quotient, with up to 28 digits.
div_int(a, b) The quotient without its fraction.
div_rem(a, b) The quotient without its fraction, and the rest.
eq?(a, b) Whether both are the same number.
equal?(a, b) Whether both are the same number.
from_float(float) The decimal of a float.
gt?(a, b) Whether the first is greater.
gte?(a, b) Whether the first is not smaller.
inf?(decimal) Whether it is infinite.
integer?(decimal) Whether it has no fraction.
lt?(a, b) Whether the first is smaller.
lte?(a, b) Whether the first is not greater.
max(a, b) The greater one.
min(a, b) The smaller one.
minus(decimal) Deprecated: write Decimal.negate(decimal).
mult(a, b) The product.
nan?(decimal) Whether it is not a number.
negate(decimal) With the other sign.
negative?(decimal) Whether it is below 0.
new(value) The decimal of an integer or a text.
normalize(decimal) Without zeros at the end.
parse(text) The decimal at the start of a text and the rest, or :error.
positive?(decimal) Whether it is above 0.
rem(a, b) The rest of a division.
round(decimal, [places], [mode]) Rounded; halves away from zero.
scale(decimal) The number of its places.
sub(a, b) The difference.
to_float(decimal) The nearest float.
to_integer(decimal) The integer; raises when it has a fraction.
to_string(decimal, [format]) The digits as text.
""",
    "JSON": """
decode(text) `{:ok, value}`, or an error.
decode!(text) The value of JSON text; raises for any other text.
encode!(value) The value as JSON text.
""",
    "URI": """
append_path(uri, path) The URI with a longer path.
append_query(uri, query) The URI with a longer query.
char_reserved?(code) Whether a character has a meaning in URIs.
char_unescaped?(code) Whether a character needs no escape.
char_unreserved?(code) Whether a character has no meaning in URIs.
decode(text) The text without escapes.
decode_query(text, [map], [encoding]) The entries of a query as a map.
decode_www_form(text) The text without escapes; `+` is a space.
default_port(scheme) The port of a scheme, such as 443.
encode(text, [fun]) The text with escapes; reserved characters stay.
encode_query(entries, [encoding]) A map or pairs as a query.
encode_www_form(text) The text with escapes, for one part of a path or query.
merge(base, relative) A relative URI resolved.
new(text) `{:ok, uri}`, or an error.
new!(text) The URI; raises for a wrong one.
parse(text) The parts of a URI.
query_decoder(text, [encoding]) The pairs of a query, for Enum.
to_string(uri) The URI as text.
""",
    "UUID": """
binary_to_string!(bytes, [format]) The text of 16 bytes.
info(text) `{:ok, entries}` about a UUID, or an error.
info!(text) Entries about a UUID; raises for a wrong one.
string_to_binary!(text) The 16 bytes of a UUID.
uuid1([format]) A UUID of the clock; another one at each call.
uuid3(namespace, name, [format]) A UUID made from a name, with MD5.
uuid4([format]) A random UUID; another one at each call.
uuid5(namespace, name, [format]) A UUID made from a name, with SHA-1.
""",
}
"""By module: a line for each function, its arguments in parentheses, and one sentence."""
