"""The text encodings that functions may use, loaded before the worker can open files no more.

Python loads the others when they are first named. In the worker that fails, and its error would
show a path of the machine: here an encoding that is not listed is unknown.
"""

from __future__ import annotations

import codecs
import encodings
from encodings import aliases
from typing import Final

NAMES: Final = (
    *("ascii", "latin_1", "utf_8", "utf_8_sig", "utf_7", "utf_16", "utf_16_le", "utf_16_be"),
    *("utf_32", "utf_32_le", "utf_32_be", "idna", "punycode", "unicode_escape"),
    *("raw_unicode_escape", "cp437", "cp850", "cp852", "cp855", "cp858", "cp866", "cp874"),
    *(f"cp{number}" for number in range(1250, 1259)),
    *(f"iso8859_{number}" for number in range(1, 17) if number != 12),
    *("koi8_r", "koi8_u", "mac_roman", "big5", "gb2312", "gbk", "gb18030", "hz"),
    *("euc_jp", "shift_jis", "cp932", "iso2022_jp", "euc_kr", "cp949"),
)
"""By the names of their modules; Python's other names of them work, too."""


def load() -> None:
    """Load them, and let every other name be unknown. For the worker process only."""
    found = {}
    for name in NAMES:
        codec = encodings.search_function(name)
        if codec is not None:
            found[name] = codec

    def search(wanted: str) -> codecs.CodecInfo | None:
        name = encodings.normalize_encoding(wanted).lower()
        name = aliases.aliases.get(name) or aliases.aliases.get(name.replace(".", "_"), name)
        return found.get(name)

    codecs.unregister(encodings.search_function)
    codecs.register(search)
