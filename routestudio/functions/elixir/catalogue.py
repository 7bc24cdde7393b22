"""Which functions exist in the allowed modules, so that an unknown one and one that is merely not
evaluated here are distinguished. Elixir 1.19, decimal 2.3, uuid 1.1.8; operators left out."""

from __future__ import annotations

import difflib
from collections import defaultdict
from typing import Final

_EXPORTS: Final = {
    "Base": (
        "decode16/1,2 decode16!/1,2 decode32/1,2 decode32!/1,2 decode64/1,2 decode64!/1,2 "
        "encode16/1,2 encode32/1,2 encode64/1,2 hex_decode32/1,2 hex_decode32!/1,2 "
        "hex_encode32/1,2 hex_valid32?/1,2 url_decode64/1,2 url_decode64!/1,2 "
        "url_encode64/1,2 url_valid64?/1,2 valid16?/1,2 valid32?/1,2 valid64?/1,2 "
    ),
    "Date": (
        "add/2 after?/2 before?/2 beginning_of_month/1 beginning_of_week/1,2 compare/2 "
        "convert/2 convert!/2 day_of_era/1 day_of_week/1,2 day_of_year/1 days_in_month/1 "
        "diff/2 end_of_month/1 end_of_week/1,2 from_erl/1,2 from_erl!/1,2 "
        "from_gregorian_days/1,2 from_iso8601/1,2 from_iso8601!/1,2 leap_year?/1 "
        "months_in_year/1 new/3,4 new!/3,4 quarter_of_year/1 range/2,3 shift/2 to_erl/1 "
        "to_gregorian_days/1 to_iso8601/1,2 to_iso_days/1 to_string/1 utc_today/0,1 "
        "year_of_era/1 "
    ),
    "DateTime": (
        "add/2,3,4 after?/2 before?/2 compare/2 convert/2 convert!/2 diff/2,3 "
        "from_gregorian_seconds/1,2,3 from_iso8601/1,2,3 from_naive/2,3 from_naive!/2,3 "
        "from_unix/1,2,3 from_unix!/1,2,3 new/2,3,4 new!/2,3,4 now/1,2 now!/1,2 shift/2,3 "
        "shift_zone/2,3 shift_zone!/2,3 to_date/1 to_gregorian_seconds/1 to_iso8601/1,2,3 "
        "to_naive/1 to_string/1 to_time/1 to_unix/1,2 truncate/2 utc_now/0,1,2 "
    ),
    "Decimal": (
        "abs/1 add/2 apply_context/1 cast/1 cmp/2 compare/2,3 div/2 div_int/2 div_rem/2 "
        "eq?/2,3 equal?/2 from_float/1 gt?/2 gte?/2 inf?/1 integer?/1 is_decimal/1 lt?/2 "
        "lte?/2 max/2 min/2 minus/1 mult/2 nan?/1 negate/1 negative?/1 new/1,3 normalize/1 "
        "parse/1 plus/1 positive?/1 rem/2 round/1,2,3 scale/1 sqrt/1 sub/2 to_float/1 "
        "to_integer/1 to_string/1,2 "
    ),
    "Enum": (
        "all?/1,2 any?/1,2 at/2,3 chunk/2,3,4 chunk_by/2 chunk_every/2,3,4 chunk_while/4 "
        "concat/1,2 count/1,2 count_until/2,3 dedup/1 dedup_by/2 drop/2 drop_every/2 "
        "drop_while/2 each/2 empty?/1 fetch/2 fetch!/2 filter/2 filter_map/3 find/2,3 "
        "find_index/2 find_value/2,3 flat_map/2 flat_map_reduce/3 frequencies/1 "
        "frequencies_by/2 group_by/2,3 intersperse/2 into/2,3 join/1,2 map/2 map_every/3 "
        "map_intersperse/3 map_join/2,3 map_reduce/3 max/1,2,3 max_by/2,3,4 member?/2 "
        "min/1,2,3 min_by/2,3,4 min_max/1,2 min_max_by/2,3,4 partition/2 product/1 "
        "product_by/2 random/1 reduce/2,3 reduce_while/3 reject/2 reverse/1,2 reverse_slice/3 "
        "scan/2,3 shuffle/1 slice/2,3 slide/3 sort/1,2 sort_by/2,3 split/2 split_while/2 "
        "split_with/2 sum/1 sum_by/2 take/2 take_every/2 take_random/2 take_while/2 to_list/1 "
        "uniq/1,2 uniq_by/2 unzip/1 with_index/1,2 zip/1,2 zip_reduce/3,4 zip_with/2,3 "
    ),
    "Integer": (
        "ceil_div/2 digits/1,2 extended_gcd/2 floor_div/2 gcd/2 mod/2 parse/1,2 popcount/1 "
        "pow/2 to_char_list/1,2 to_charlist/1,2 to_string/1,2 undigits/1,2 "
    ),
    "JSON": (
        "decode/1,3 decode!/1 encode!/1,2 encode_to_iodata!/1,2 protocol_encode/2 "
    ),
    "Kernel": (
        "abs/1 apply/2,3 binary_part/3 binary_slice/2,3 bit_size/1 byte_size/1 ceil/1 div/2 "
        "elem/2 exit/1 floor/1 function_exported?/3 get_and_update_in/3 get_in/2 hd/1 "
        "inspect/1,2 is_atom/1 is_binary/1 is_bitstring/1 is_boolean/1 is_float/1 "
        "is_function/1,2 is_integer/1 is_list/1 is_map/1 is_map_key/2 is_number/1 is_pid/1 "
        "is_port/1 is_reference/1 is_tuple/1 length/1 macro_exported?/3 make_ref/0 map_size/1 "
        "max/2 min/2 node/0,1 not/1 pop_in/2 put_elem/3 put_in/3 rem/2 round/1 self/0 send/2 "
        "spawn/1,3 spawn_link/1,3 spawn_monitor/1,3 struct/1,2 struct!/1,2 throw/1 tl/1 "
        "trunc/1 tuple_size/1 update_in/3 "
    ),
    "List": (
        "ascii_printable?/1,2 delete/2 delete_at/2 duplicate/2 ends_with?/2 first/1,2 "
        "flatten/1,2 foldl/3 foldr/3 improper?/1 insert_at/3 keydelete/3 keyfind/3,4 "
        "keyfind!/3 keymember?/3 keyreplace/4 keysort/2,3 keystore/4 keytake/3 last/1,2 "
        "myers_difference/2,3 pop_at/2,3 replace_at/3 starts_with?/2 to_atom/1 to_charlist/1 "
        "to_existing_atom/1 to_float/1 to_integer/1,2 to_string/1 to_tuple/1 update_at/3 "
        "wrap/1 zip/1 "
    ),
    "Map": (
        "delete/2 drop/2 equal?/2 fetch/2 fetch!/2 filter/2 from_keys/2 from_struct/1 get/2,3 "
        "get_and_update/3 get_and_update!/3 get_lazy/3 has_key?/2 intersect/2,3 keys/1 map/2 "
        "merge/2,3 new/0,1,2 pop/2,3 pop!/2 pop_lazy/3 put/3 put_new/3 put_new_lazy/3 "
        "reject/2 replace/3 replace!/3 replace_lazy/3 size/1 split/2 split_with/2 take/2 "
        "to_list/1 update/4 update!/3 values/1 "
    ),
    "NaiveDateTime": (
        "add/2,3 after?/2 before?/2 beginning_of_day/1 compare/2 convert/2 convert!/2 "
        "diff/2,3 end_of_day/1 from_erl/1,2,3 from_erl!/1,2,3 from_gregorian_seconds/1,2,3 "
        "from_iso8601/1,2 from_iso8601!/1,2 local_now/0,1 new/2,6,7,8 new!/2,6,7,8 shift/2 "
        "to_date/1 to_erl/1 to_gregorian_seconds/1 to_iso8601/1,2 to_string/1 to_time/1 "
        "truncate/2 utc_now/0,1 "
    ),
    "Regex": (
        "compile/1,2 compile!/1,2 escape/1 import/1 match?/2 named_captures/2,3 names/1 "
        "opts/1 re_pattern/1 recompile/1 recompile!/1 regex?/1 replace/3,4 run/2,3 scan/2,3 "
        "source/1 split/2,3 to_embed/1,2 unescape_map/1 version/0 "
    ),
    "String": (
        "at/2 bag_distance/2 byte_slice/3 capitalize/1,2 chunk/2 codepoints/1 contains?/2 "
        "count/2 downcase/1,2 duplicate/2 ends_with?/2 equivalent?/2 first/1 graphemes/1 "
        "jaro_distance/2 last/1 length/1 ljust/2,3 lstrip/1,2 match?/2 myers_difference/2 "
        "next_codepoint/1 next_grapheme/1 next_grapheme_size/1 normalize/2 pad_leading/2,3 "
        "pad_trailing/2,3 printable?/1,2 replace/3,4 replace_invalid/1,2 replace_leading/3 "
        "replace_prefix/3 replace_suffix/3 replace_trailing/3 reverse/1 rjust/2,3 rstrip/1,2 "
        "slice/2,3 split/1,2,3 split_at/2 splitter/2,3 starts_with?/2 strip/1,2 to_atom/1 "
        "to_char_list/1 to_charlist/1 to_existing_atom/1 to_float/1 to_integer/1,2 trim/1,2 "
        "trim_leading/1,2 trim_trailing/1,2 upcase/1,2 valid?/1 valid_character?/1 "
    ),
    "URI": (
        "append_path/2 append_query/2 char_reserved?/1 char_unescaped?/1 char_unreserved?/1 "
        "decode/1 decode_query/1,2,3 decode_www_form/1 default_port/1,2 encode/1,2 "
        "encode_query/1,2 encode_www_form/1 merge/2 new/1 new!/1 parse/1 query_decoder/1,2 "
        "to_string/1 "
    ),
    "UUID": (
        "binary_to_string!/1,2 info/1 info!/1 string_to_binary!/1 uuid1/0,1,2,3 uuid3/2,3 "
        "uuid4/0,1,2 uuid5/2,3 "
    ),
}  # fmt: skip

_KNOWN: Final[dict[str, dict[str, frozenset[int]]]] = defaultdict(dict)
for _module, _text in _EXPORTS.items():
    for _entry in _text.split():
        _name, _, _arities = _entry.partition("/")
        _KNOWN[_module][_name] = frozenset(map(int, _arities.split(",")))

_UNSTEADY: Final = frozenset(
    [
        "DateTime.utc_now",
        "DateTime.now",
        "DateTime.now!",
        "Date.utc_today",
        "NaiveDateTime.utc_now",
        "NaiveDateTime.local_now",
        "UUID.uuid1",
        "UUID.uuid4",
        "Enum.random",
        "Enum.shuffle",
        "Enum.take_random",
        "Kernel.make_ref",
        "Kernel.self",
    ]
)


def exists(module: str, name: str, arity: int) -> bool:
    """Whether Elixir has this function."""
    return arity in _KNOWN.get(module, {}).get(name, ())


def is_macro(module: str, name: str, arity: int) -> bool:
    """Whether this is a macro of a module that functions cannot `require`."""
    return module == "Integer" and name in ("is_even", "is_odd") and arity == 1


def unsteady(module: str, name: str) -> bool:
    """Whether a function gives another value each time: the clock, chance."""
    return f"{module}.{name}" in _UNSTEADY


def similar(module: str, name: str, arity: int) -> str | None:
    """A hint for a function that does not exist."""
    known = _KNOWN.get(module, {})
    if is_macro(module, name, arity):
        return "write `rem(x, 2) == 0`"
    if name in known:
        if arity in known[name]:
            return None
        takes = " or ".join(map(str, sorted(known[name])))
        return f"{module}.{name} takes {takes} arguments"
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{module}.{near[0]}`?" if near else None
