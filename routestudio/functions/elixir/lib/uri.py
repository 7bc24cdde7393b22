"""URI."""

from __future__ import annotations

import re
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, argument, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import items, need_text, truthy, unary
from routestudio.functions.elixir.registry import elixir, unevaluated
from routestudio.functions.elixir.runtime import MISSING, to_text
from routestudio.functions.elixir.structs import DEFAULT_PORTS, Uri
from routestudio.functions.elixir.values import ERROR, OK, atom, bytes_of, key_in, text_of

_WWW_FORM: Final = atom("www_form")

_RESERVED: Final = frozenset(b":/?#[]@!$&'()*+,;=")
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_PARTS: Final = re.compile(
    r"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_AUTHORITY: Final = re.compile(r"(?:(.*)@)?(\[[a-zA-Z0-9:.]*\]|[^:]*)(?::(\d*).*)?\Z", re.DOTALL)


def _escaped(text: str, keep: Any, space: str = "%20") -> str:
    return "".join(chr(b) if keep(b) else space if b == 32 else f"%{b:02X}" for b in bytes_of(text))


@elixir("URI.char_reserved?(code)", "Whether a character has a meaning in URIs.")
def char_reserved(char: Any) -> bool:
    return char in _RESERVED


@elixir("URI.char_unreserved?(code)", "Whether a character has no meaning in URIs.")
def char_unreserved(char: Any) -> bool:
    return char in _UNRESERVED


@elixir("URI.char_unescaped?(code)", "Whether a character needs no escape.")
def char_unescaped(char: Any) -> bool:
    return char in _RESERVED or char in _UNRESERVED


@elixir(
    "URI.encode(text, [fun])", "The text with escapes; reserved characters stay.", closure=(1, 1)
)
def encode(text: Any, predicate: Any = MISSING) -> str:
    need_text(text, "URI.encode/2")
    if predicate is MISSING:
        return _escaped(text, char_unescaped)
    test = unary(predicate)
    return _escaped(text, lambda byte: truthy(test(byte)))


@elixir("URI.encode_www_form(text)", "The text with escapes, for one part of a path or query.")
def encode_www_form(text: Any) -> str:
    return _escaped(need_text(text, "URI.encode_www_form/1"), char_unreserved, "+")


def _unescaped(text: str, plus: bool) -> str:
    found = bytearray()
    data = bytes_of(text)
    at = 0
    while at < len(data):
        byte = data[at]
        if byte == 37:
            digits = data[at + 1 : at + 3].decode("latin-1")
            if not re.fullmatch("[0-9A-Fa-f]{2}", digits):
                found.append(byte)  # not an escape: it is left as it is
                at += 1
                continue
            found.append(int(digits, 16))
            at += 3
            continue
        found.append(32 if plus and byte == 43 else byte)
        at += 1
    return text_of(bytes(found))


@elixir("URI.decode(text)", "The text without escapes.")
def decode(text: Any) -> str:
    return _unescaped(need_text(text, "URI.decode/1"), False)


@elixir("URI.decode_www_form(text)", "The text without escapes; `+` is a space.")
def decode_www_form(text: Any) -> str:
    return _unescaped(need_text(text, "URI.decode_www_form/1"), True)


def _pair(pair: Any, form: str) -> str:
    if type(pair) is not tuple or len(pair) != 2:
        raise clause("URI.encode_kv_pair/2")
    for part in pair:
        if type(part) is list:
            which = "keys" if part is pair[0] else "values"
            raise argument(f"encode_query/2 {which} cannot be lists, got: {inspect(part)}")
    if form == "rfc3986":
        return "=".join(_escaped(to_text(part), char_unreserved) for part in pair)
    return "=".join(_escaped(to_text(part), char_unreserved, "+") for part in pair)


@elixir("URI.encode_query(entries, [encoding])", "A map or pairs as a query.")
def encode_query(value: Any, form: Any = _WWW_FORM) -> str:
    return "&".join(_pair(pair, getattr(form, "name", "")) for pair in items(value))


def _query(text: str, form: str = "www_form") -> list[tuple[str, str]]:
    found = []
    for part in text.split("&"):
        if part:
            key, _, value = part.partition("=")
            plus = form != "rfc3986"
            found.append((_unescaped(key, plus), _unescaped(value, plus)))
    return found


@elixir("URI.decode_query(text, [map], [encoding])", "The entries of a query as a map.")
def decode_query(text: Any, into: Any = None, form: Any = _WWW_FORM) -> Any:
    need_text(text, "URI.decode_query/3")
    found = dict(into or {})
    found.update({key_in(key): value for key, value in _query(text, getattr(form, "name", ""))})
    return found


@elixir("URI.query_decoder(text, [encoding])", "The pairs of a query, for Enum.")
def query_decoder(text: Any, form: Any = _WWW_FORM) -> Any:
    return list(_query(need_text(text, "URI.query_decoder/2"), getattr(form, "name", "")))


@elixir("URI.parse(text)", "The parts of a URI.")
def parse(text: Any) -> Any:
    if isinstance(text, Uri):
        return text
    need_text(text, "URI.parse/1")
    found = _PARTS.match(text)
    assert found is not None
    scheme, authority, path, query, fragment = found.groups()
    scheme = scheme.lower() if scheme else None
    userinfo = host = port = None
    if authority is not None:
        split = _AUTHORITY.match(authority)
        if split:
            userinfo, host, number = split.groups()
            host = host.strip("[]")
            port = int(number) if number else None
    if port is None:
        port = DEFAULT_PORTS.get(scheme or "")
    return Uri(scheme=scheme, authority=authority, userinfo=userinfo, host=host, port=port,
               path=path or None, query=query, fragment=fragment)  # fmt: skip


_ALLOWED: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_PORT: Final = re.compile(
    r"([a-zA-Z][a-zA-Z0-9+.-]*:)?//(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^:/?#@\[]*):(?![^/?#]*@)\d*([^\d/?#])"
)
"""A port that is not a number."""


@elixir("URI.new(text)", "`{:ok, uri}`, or an error.")
def new(text: Any) -> Any:
    if isinstance(text, Uri):
        return OK, text
    need_text(text, "URI.new/1")
    bad = _fault(text)
    if bad is not None:
        return ERROR, bad
    parsed = parse(text)
    parsed.authority = None
    return OK, parsed


def _fault(text: str) -> str | None:
    """The part that `:uri_string` stumbles over."""
    for char in text:
        if not _ALLOWED.match(char):
            return char if char.isascii() else text[text.index(char) :][:1]
    port = _PORT.match(text)
    if port is not None:
        return ":" if port[1] else port[2]
    scheme = re.match(r"([^/?#:]*):", text)
    if scheme and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme[1]):
        return ":"
    return None


@elixir("URI.new!(text)", "The URI; raises for a wrong one.")
def new_b(text: Any) -> Any:
    found = new(text)
    if found[0] is not OK:
        raise ElixirError(
            "URI.Error", f"cannot parse due to reason invalid_uri: {inspect(found[1])}"
        )
    return found[1]


@elixir("URI.to_string(uri)", "The URI as text.")
def to_string(value: Any) -> str:
    if isinstance(value, Uri):
        return value.text()
    raise clause("URI.to_string/1")


def _changed(uri: Uri, **parts: Any) -> Uri:
    known = {field.name: value for field, value in uri.fields().items()}
    return Uri(**{**known, **parts})


def _dots(path: str) -> str:
    """A path without `.` and `..`."""
    out: list[str] = []
    segments = path.split("/")
    for index, segment in enumerate(segments):
        final = index == len(segments) - 1
        if segment == "..":
            if len(out) > 1 or (out and out[0] != ""):
                out.pop()
            if final:
                out.append("")
        elif segment == ".":
            if final:
                out.append("")
        else:
            out.append(segment)
    return "/".join(out)


@elixir("URI.merge(base, relative)", "A relative URI resolved.")
def merge(base: Any, relative: Any) -> Any:
    first, second = parse(base), parse(relative)
    if first.scheme is None:
        raise argument("you must merge onto an absolute URI")
    if second.scheme is not None:
        return second if not second.path else _changed(second, path=_dots(second.path))
    if second.host is not None:
        return _changed(second, scheme=first.scheme)
    if second.path is None:
        query = second.query if second.query is not None else first.query
        return _changed(first, query=query, fragment=second.fragment)
    if second.path.startswith("/") or (first.host is None and first.path is None):
        path = _dots(second.path)
    else:
        start = (first.path or "/").rpartition("/")[0]
        path = _dots(f"{start}/{second.path}")
    return _changed(first, path=path, query=second.query, fragment=second.fragment)


@elixir("URI.append_query(uri, query)", "The URI with a longer query.")
def append_query(uri: Any, query: Any) -> Any:
    if not isinstance(uri, Uri) or type(query) is not str:
        raise clause("URI.append_query/2")
    old = uri.query
    if old in (None, ""):
        return _changed(uri, query=query)
    return _changed(uri, query=old + query if old.endswith("&") else f"{old}&{query}")


@elixir("URI.append_path(uri, path)", "The URI with a longer path.")
def append_path(uri: Any, path: Any) -> Any:
    if not isinstance(uri, Uri) or type(path) is not str:
        raise clause("URI.append_path/2")
    if not path.startswith("/") or path.startswith("//"):
        raise argument(f'path must start with "/", got: {inspect(path)}')
    return _changed(uri, path=(uri.path or "").rstrip("/") + path)


@elixir("URI.default_port(scheme)", "The port of a scheme, such as 443.")
def default_port(scheme: Any) -> Any:
    return DEFAULT_PORTS.get(need_text(scheme, "URI.default_port/1"))


unevaluated(
    "URI",
    "default_port/2",
)
