"""Rules of the fields that sinks for HTTP APIs share: where the API is, its key, JSON maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.fields import Rule, RuleError, Secret
from routestudio.sinks._shared.http.endpoint import UrlRule


def climbs(name: str) -> bool:
    """Whether `.` or `..` is a part of a name's path.

    Such a name is escaped in a URL, but a proxy that undoes escapes and then resolves the path
    would take it for another one, with the credentials of this one.
    """
    return not {".", ".."}.isdisjoint(re.split(r"[/\\]", name))


def segment_problem(name: str) -> str | None:
    """Why a name cannot be one step of a URL's path; `None` when it can. See `climbs`."""
    if name in (".", ".."):
        return "must not be `.` or `..`"
    return "must not contain `/` or `\\`" if "/" in name or "\\" in name else None


@dataclass(frozen=True)
class ServiceUrl(UrlRule):
    """The URL below which an API is: a path is allowed, query and fragment are not."""

    def cast(self, value: Any) -> Any:
        if isinstance(value, str):
            parts = (("?", "query"), ("#", "fragment"))
            found = [f"must not have a {name} (`{mark}`)" for mark, name in parts if mark in value]
            if found:
                raise RuleError(*found)
        return super().cast(value)


@dataclass(frozen=True)
class Token(Secret):
    """A secret that travels in a header, so it is printable ASCII in one word."""

    def cast(self, value: Any) -> Any:
        secret: SecretStr = super().cast(value)
        if not re.fullmatch(r"[!-~]+", secret.get_secret_value(), re.ASCII):
            raise RuleError(
                "must be printable ASCII without spaces and line breaks",
                hint="look for a space or a line break at its end",
            )
        return secret


@dataclass(frozen=True)
class OneLine(Secret):
    """A secret that travels in a header, perhaps encoded: printable text in one line."""

    def cast(self, value: Any) -> Any:
        secret: SecretStr = super().cast(value)
        text = secret.get_secret_value()
        if text != text.strip() or not text.isprintable():
            raise RuleError(
                "must be one line of text without spaces around it",
                hint="look for a space or a line break at its end",
            )
        return secret


@dataclass(frozen=True)
class JsonMap(Rule):
    """A map with any JSON values, at most `max_bytes` as JSON."""

    kind: ClassVar[str] = "map"
    max_bytes: int = 65_536

    def cast(self, value: Any) -> Any:
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise RuleError("is invalid: expected a map of names to values")
        try:
            size = len(jsonio.dump_bytes(value))
        except (TypeError, ValueError, RecursionError):
            raise RuleError("has a value without a JSON form") from None
        if size > self.max_bytes:
            raise RuleError(f"should be at most {self.max_bytes} bytes as JSON, is {size}")
        return value

    def quick(self) -> Callable[[Any], bool]:
        return lambda value: type(value) is dict and not value

    def limits(self) -> str:
        return f"a map, at most {self.max_bytes} bytes as JSON"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object"}
