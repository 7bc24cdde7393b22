"""Base: 16, 32 and 64."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from routestudio.functions.elixir.errors import ElixirError, argument, clause
from routestudio.functions.elixir.lib.common import need_text, option
from routestudio.functions.elixir.registry import elixir
from routestudio.functions.elixir.runtime import MISSING
from routestudio.functions.elixir.value_errors import shown
from routestudio.functions.elixir.values import ERROR, OK, atom, bytes_of, text_of

_UPPER_CASE = atom("upper")


_DECODED = ("upper", "lower", "mixed")


def _case(options: Any, known: tuple[str, ...] = ("upper", "lower")) -> str:
    given = option(options, "case", _UPPER_CASE)
    name = getattr(given, "name", None)
    if name not in known:
        raise ElixirError("CaseClauseError", f"no case clause matching:{shown(given)}")
    return str(name)


def _given(options: Any) -> Any:
    return [] if options is MISSING else options


def _cleaned(text: str, options: Any) -> str:
    ignore = getattr(option(options, "ignore"), "name", None)
    return re.sub(r"[ \t\r\n]", "", text) if ignore == "whitespace" else text


def _bad_digit(text: str, alphabet: str) -> ElixirError:
    for char in text:
        if char not in alphabet:
            return argument(f'non-alphabet character found: "{char}" (byte {ord(char) & 255})')
    return argument("incorrect padding")


# Each decoder gives bytes, or raises `ArgumentError`.

_UPPER, _LOWER = "0123456789ABCDEF", "0123456789abcdef"


@elixir("Base.encode16(bytes, [options])", "Hexadecimal digits; `case: :lower` for small ones.")
def encode16(text: Any, options: Any = MISSING) -> str:
    found = bytes_of(need_text(text, "Base.encode16/2")).hex()
    return found if _case(_given(options)) == "lower" else found.upper()


def _decode16(text: Any, options: Any) -> bytes:
    need_text(text, "Base.decode16!/2")
    case = _case(_given(options), _DECODED)
    alphabet = {"upper": _UPPER, "lower": _LOWER}.get(case, _UPPER + "abcdef")
    if len(text) % 2:
        raise argument(
            f"string given to decode has wrong length. An even number of bytes was expected, got: "
            f"{len(text)}. Double check your string for unwanted characters or pad it accordingly"
        )
    if any(char not in alphabet for char in text):
        raise _bad_digit(text, alphabet)
    return bytes.fromhex(text)


def _encode64(text: Any, options: Any, url: bool) -> str:
    data = bytes_of(need_text(text, f"Base.{'url_' if url else ''}encode64/2"))
    found = (base64.urlsafe_b64encode if url else base64.b64encode)(data).decode()
    return found.rstrip("=") if option(_given(options), "padding", True) is False else found


@elixir(
    "Base.encode64(bytes, [options])",
    "Base64; `padding: false` leaves out the `=`.",
    python="base64.b64encode",
)
def encode64(text: Any, options: Any = MISSING) -> str:
    return _encode64(text, options, False)


@elixir(
    "Base.url_encode64(bytes, [options])",
    "Base64 with letters that URLs allow.",
    python="base64.urlsafe_b64encode",
)
def url_encode64(text: Any, options: Any = MISSING) -> str:
    return _encode64(text, options, True)


_B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _decode64(text: Any, options: Any, url: bool) -> bytes:
    need_text(text, f"Base.{'url_' if url else ''}decode64!/2")
    given = _given(options)
    text = _cleaned(text, given)
    alphabet = _B64 + ("-_" if url else "+/")
    body = text.rstrip("=")
    pad = len(text) - len(body)
    if any(char not in alphabet for char in body):
        raise _bad_digit(body, alphabet)
    wanted = -len(body) % 4
    free = option(given, "padding", True) is False
    if wanted == 3 or (pad != wanted and not (free and pad == 0)):
        raise argument("incorrect padding")
    data = body + "=" * wanted
    try:
        return base64.b64decode(data, b"-_" if url else None)
    except binascii.Error:
        raise argument("incorrect padding") from None


def _encode32(text: Any, options: Any, hexa: bool) -> str:
    data = bytes_of(need_text(text, f"Base.{'hex_' if hexa else ''}encode32/2"))
    found = (base64.b32hexencode if hexa else base64.b32encode)(data).decode()
    given = _given(options)
    if _case(given) == "lower":
        found = found.lower()
    return found.rstrip("=") if option(given, "padding", True) is False else found


@elixir("Base.encode32(bytes, [options])", "Base32.")
def encode32(text: Any, options: Any = MISSING) -> str:
    return _encode32(text, options, False)


@elixir("Base.hex_encode32(bytes, [options])", "Base32 with the extended alphabet.")
def hex_encode32(text: Any, options: Any = MISSING) -> str:
    return _encode32(text, options, True)


def _decode32(text: Any, options: Any, hexa: bool) -> bytes:
    need_text(text, f"Base.{'hex_' if hexa else ''}decode32!/2")
    given = _given(options)
    case = _case(given, _DECODED)
    upper = "0123456789ABCDEFGHIJKLMNOPQRSTUV" if hexa else "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    alphabet = {"upper": upper, "lower": upper.lower()}.get(case, upper + upper.lower())
    body = text.rstrip("=")
    pad = len(text) - len(body)
    if any(char not in alphabet for char in body):
        raise _bad_digit(body, alphabet)
    wanted = -len(body) % 8
    free = option(given, "padding", True) is False
    if wanted in (7, 5, 2) or (pad != wanted and not (free and pad == 0)):
        raise argument("incorrect padding")
    decode = base64.b32hexdecode if hexa else base64.b32decode
    return decode(body.upper() + "=" * wanted)


def _decoders(name: str, form: str, function: Any) -> None:
    """Three functions of one form: `name!`, which raises, `name`, and `valid...?`."""

    def strict(text: Any, options: Any = MISSING) -> str:
        return text_of(function(text, options))

    def safe(text: Any, options: Any = MISSING) -> Any:
        if type(text) is not str:
            raise clause(f"Base.{name}/2")
        try:
            return OK, text_of(function(text, options))
        except ElixirError as error:
            if error.kind != "ArgumentError":
                raise
            return ERROR

    def valid(text: Any, options: Any = MISSING) -> bool:
        return safe(text, options) is not ERROR

    given = "(text, [options])"
    elixir(f"Base.{name}{given}", f"`{{:ok, bytes}}` of {form}, or :error.")(safe)
    elixir(f"Base.{name}!{given}", f"The bytes of {form}; raises for any other text.")(strict)
    tested = name.replace("decode", "valid")
    elixir(f"Base.{tested}?{given}", f"Whether a text is {form}.")(valid)


_decoders("decode16", "hexadecimal digits", _decode16)
_decoders("decode64", "Base64", lambda text, options: _decode64(text, options, False))
_decoders("url_decode64", "Base64 for URLs", lambda text, options: _decode64(text, options, True))
_decoders("decode32", "Base32", lambda text, options: _decode32(text, options, False))
_decoders(
    "hex_decode32",
    "Base32 with the extended alphabet",
    lambda text, options: _decode32(text, options, True),
)
