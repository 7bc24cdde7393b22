"""What the classes of PCRE hold, as sets of the `regex` package: of bytes, and of characters.

Of bytes as OTP 28 has them (PCRE2): ASCII only. Up to OTP 27 they knew the letters of Latin-1.
"""

from __future__ import annotations

from typing import Final

_HORIZONTAL: Final = r"\t \xa0"
VERTICAL: Final = r"\n\x0b\f\r\x85"
_WIDE_H: Final = _HORIZONTAL + r"\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
WIDE_V: Final = VERTICAL + r"\u2028\u2029"
BYTE: Final = {
    "d": "0-9",
    "s": r"\t\n\x0b\f\r ",
    "h": _HORIZONTAL,
    "v": VERTICAL,
    "w": "A-Za-z0-9_",
}
WIDE: Final = {
    "d": r"\p{Nd}",
    "s": r"\p{Z}\t\n\x0b\f\r\x85",
    "h": _WIDE_H,
    "v": WIDE_V,
    "w": r"\p{L}\p{N}_",
}
POSIX_BYTE: Final = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z",
    "space": r"\t\n\x0b\f\r ", "blank": r"\t ", "word": BYTE["w"], "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~", "cntrl": r"\x00-\x1f\x7f", "graph": "!-~", "print": " -~",
    "ascii": r"\x00-\x7f",
}  # fmt: skip
POSIX_WIDE: Final = {
    "alpha": r"\p{L}", "digit": r"\p{Nd}", "alnum": r"\p{L}\p{N}", "upper": r"\p{Lu}",
    "lower": r"\p{Ll}", "space": WIDE["s"], "blank": _WIDE_H, "word": WIDE["w"],
    "xdigit": "0-9A-Fa-f", "punct": r"\p{P}$+<=>\^`|~", "cntrl": r"\p{Cc}",
    "graph": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}", "print": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Zs}",
    "ascii": r"\x00-\x7f",
}  # fmt: skip
