"""UUID: the package `uuid` 1.1.8."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, argument
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.registry import Varies, elixir, unevaluated
from routestudio.functions.elixir.values import ERROR, OK, Atom, atom, bytes_of, text_of

_SPACES: Final = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
    "nil": uuid.UUID(int=0),
}
_DEFAULT: Final = atom("default")


def _shown(value: uuid.UUID, form: Any) -> str:
    match getattr(form, "name", ""):
        case "default":
            return str(value)
        case "hex":
            return value.hex
        case "urn":
            return value.urn
        case "raw":
            return text_of(value.bytes)
    raise argument(f"Invalid format {inspect(form)}; Expected: :default|:hex|:urn")


def _read(text: Any) -> uuid.UUID:
    if type(text) is str:
        try:
            if len(bytes_of(text)) == 16:
                return uuid.UUID(bytes=bytes_of(text))
            plain = text.removeprefix("urn:uuid:")
            if len(plain) in (32, 36):
                return uuid.UUID(plain)
        except ValueError:
            pass
    raise argument(f"Invalid argument; Expected: UUID, got: {inspect(text)}")


def _space(value: Any) -> uuid.UUID:
    if type(value) is Atom or value is None:
        found = _SPACES.get("nil" if value is None else value.name)
        if found is None:
            raise argument("Invalid argument; Expected: :dns|:url|:oid|:x500|:nil OR String")
        return found
    return _read(value)


@elixir("UUID.uuid3(namespace, name, [format])", "A UUID made from a name, with MD5.")
def uuid3(space: Any, name: Any, form: Any = _DEFAULT) -> str:
    if type(name) is not str:
        raise argument("Invalid argument; Expected: String")
    return _shown(_named(3, _space(space), name), form)


@elixir("UUID.uuid5(namespace, name, [format])", "A UUID made from a name, with SHA-1.")
def uuid5(space: Any, name: Any, form: Any = _DEFAULT) -> str:
    if type(name) is not str:
        raise argument("Invalid argument; Expected: String")
    return _shown(_named(5, _space(space), name), form)


def _named(version: int, space: uuid.UUID, name: str) -> uuid.UUID:
    digest = hashlib.md5 if version == 3 else hashlib.sha1
    found = digest(space.bytes + bytes_of(name), usedforsecurity=False).digest()
    return uuid.UUID(bytes=found[:16], version=version)


@elixir("UUID.uuid4([format])", "A random UUID; another one at each call.", varies=Varies.CHANCE)
def uuid4(form: Any = _DEFAULT) -> str:
    return _shown(uuid.uuid4(), form)


@elixir(
    "UUID.uuid1([format])", "A UUID of the clock; another one at each call.", varies=Varies.CHANCE
)
def uuid1(form: Any = _DEFAULT) -> str:
    return _shown(uuid.uuid1(node=0x0242AC110002), form)


@elixir("UUID.string_to_binary!(text)", "The 16 bytes of a UUID.")
def string_to_binary(text: Any) -> str:
    return text_of(_read(text).bytes)


@elixir("UUID.binary_to_string!(bytes, [format])", "The text of 16 bytes.")
def binary_to_string(data: Any, form: Any = _DEFAULT) -> str:
    return _shown(_read(data), form)


_VARIANTS: Final = {
    uuid.RESERVED_NCS: "reserved_ncs",
    uuid.RFC_4122: "rfc4122",
    uuid.RESERVED_MICROSOFT: "reserved_microsoft",
    uuid.RESERVED_FUTURE: "reserved_future",
}


def _info(text: Any) -> list[Any]:
    value = _read(text)
    kind = "raw" if len(bytes_of(text)) == 16 else "urn" if text.startswith("urn:") else \
        "hex" if len(text) == 32 else "default"  # fmt: skip
    version = value.bytes[6] >> 4
    if version not in (1, 2, 3, 4, 5):
        raise argument("Invalid argument; Not a valid UUID: " + text)
    return [
        (atom("uuid"), text),
        (atom("binary"), text_of(value.bytes)),
        (atom("type"), atom(kind)),
        (atom("version"), version),
        (atom("variant"), atom(_VARIANTS[value.variant])),
    ]


@elixir("UUID.info!(text)", "Entries about a UUID; raises for a wrong one.")
def info_b(text: Any) -> list[Any]:
    return _info(text)


@elixir("UUID.info(text)", "`{:ok, entries}` about a UUID, or an error.")
def info(text: Any) -> Any:
    try:
        return OK, _info(text)
    except ElixirError as error:
        return ERROR, error.message


unevaluated(
    "UUID",
    "uuid1/2,3 uuid4/2",
)
