"""Regular expressions as OTP 28 has them; what is expected was asked of `re:run/3` of OTP 28.5."""

from __future__ import annotations

import pytest

from routestudio.functions.elixir.pcre import Pattern
from routestudio.functions.elixir.pcre_pieces import PatternError

LETTERS = [*range(0x41, 0x5B), *range(0x61, 0x7B)]
DIGITS = [*range(0x30, 0x3A)]
PUNCTUATION = [*range(0x21, 0x30), *range(0x3A, 0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F)]

# Bytes that a class without `u` matches.
CLASSES = {
    r"\w": [*DIGITS, *LETTERS, 0x5F],
    r"\s": [*range(9, 14), 32],
    r"\d": DIGITS,
    r"\h": [9, 32, 0xA0],
    r"\v": [*range(10, 14), 0x85],
    "[[:alpha:]]": LETTERS,
    "[[:alnum:]]": [*DIGITS, *LETTERS],
    "[[:upper:]]": [*range(0x41, 0x5B)],
    "[[:lower:]]": [*range(0x61, 0x7B)],
    "[[:space:]]": [*range(9, 14), 32],
    "[[:blank:]]": [9, 32],
    "[[:word:]]": [*DIGITS, *LETTERS, 0x5F],
    "[[:punct:]]": PUNCTUATION,
    "[[:cntrl:]]": [*range(32), 0x7F],
    "[[:graph:]]": [*range(0x21, 0x7F)],
    "[[:print:]]": [*range(0x20, 0x7F)],
    r"(?i)\xe9": [0xE9],
    r"(?i)k": [0x4B, 0x6B],
}


@pytest.mark.parametrize(("text", "wanted"), CLASSES.items(), ids=list(CLASSES))
def test_classes_of_bytes_are_ascii(text: str, wanted: list[int]) -> None:
    pattern = Pattern(text, frozenset())
    found = [code for code in range(256) if pattern.compiled.fullmatch(chr(code))]
    assert found == sorted(wanted)


# How many `a` a pattern matches as a whole, of none to four.
COUNTS = {
    "a{ 2 }": [2], "a{2 ,3}": [2, 3], "a{, 3}": [0, 1, 2, 3], "a{ ,3 }": [0, 1, 2, 3],
    "a{2, }": [2, 3, 4], "a{\t2}": [2], "a{,3}?": [0, 1, 2, 3], "a{,0}": [0],
    "a{,}": [], "a{ }": [], "a{ 2 3}": [], "a{2,3": [],
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), COUNTS.items(), ids=list(COUNTS))
def test_quantifiers_may_begin_with_a_comma(text: str, wanted: list[int]) -> None:
    pattern = Pattern(text, frozenset())
    assert [n for n in range(5) if pattern.compiled.fullmatch("a" * n)] == wanted


NO_ESCAPE = "unrecognized character follows \\"
NOT_OF_PERL = "PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u"
INVALID_RANGE = "invalid range in character class"
ENDLESS = "length of lookbehind assertion is not limited"

REFUSED = {
    "(?<n>a)|(?<n>b)": (
        "two named subpatterns have the same name (PCRE2_DUPNAMES not set)", 13),
    r"[\w-z]": (INVALID_RANGE, 4),
    r"[a-\d]": (INVALID_RANGE, 5),
    "[[:alpha:]-z]": (INVALID_RANGE, 11),
    "(?z)": ("unrecognized character after (? or (?-", 3),
    "(?iz)": ("unrecognized character after (? or (?-", 4),
    r"\i": (NO_ESCAPE, 2),
    r"\y": (NO_ESCAPE, 2),
    r"[\i]": (NO_ESCAPE, 3),
    r"\u0041": (NOT_OF_PERL, 2),
    r"\L": (NOT_OF_PERL, 2),
    r"[\B]": ("escape sequence is invalid in character class", 3),
    r"[\N]": ("\\N is not supported in a class", 3),
    r"\g{-1}(a)": ("reference to non-existent subpattern", 2),
    r"\o": ("missing opening brace after \\o", 2),
    "(?<=a+)b": (ENDLESS, 0),
    r"(?<=\d*)d": (ENDLESS, 0),
    "(?<=(?:ab)+)d": (ENDLESS, 0),
}  # fmt: skip


@pytest.mark.parametrize(("text", "answer"), REFUSED.items(), ids=list(REFUSED))
def test_what_a_server_refuses_is_refused(text: str, answer: tuple[str, int]) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(text, frozenset())
    assert (str(caught.value), caught.value.position) == answer


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (r"(a)\g{-1}", "aa"), ("(?|(?<n>a)|(?<n>b))", "b"), (r"[\w-]+", "a-b"), ("(?^i:A)", "a"),
        (r"[\Qa]\E]+", "]a"), ("(?<=a{1,3})b", "ab"), ("(?<=a|bc)d", "bcd"),
        (r"\p{ l }\pl", "ab"), (r"\p{L}", "\xe9"), (r"\p{Script=Greek}?a", "a"),
    ],
)  # fmt: skip
def test_what_a_server_accepts_is_accepted(text: str, subject: str) -> None:
    assert Pattern(text, frozenset()).compiled.search(subject)


def test_a_slug_of_a_name_is_that_of_the_server() -> None:
    """`Regex.replace` works on bytes here: each byte of `ø` is none of a word."""
    pattern = Pattern(r"[^\w]+", frozenset())
    assert pattern.compiled.sub("-", pattern.subject("søren kierkegård")) == "s-ren-kierkeg-rd"
