"""A record as a command of the shell, for people who send it by hand.

A sink lists words with the real values; `written` quotes them and puts a variable in the place of
every secret, so that none is in the text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from routestudio.model.fields import RuleError
from routestudio.sinks._shared.http.endpoint import EndpointUrl

LONGEST: Final = 100_000
"""Bytes of one argument: systems take 128 KiB."""
NOT_TEXT: Final = "is not text, and a command holds text only"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal acts on when a command is pasted."""


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A program with its arguments. `body` is its standard input, `through` a program between,
    `environment` what is set for it; `notes` are what a person should know before it is run."""

    words: tuple[str, ...]
    body: bytes | None = None
    through: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def written(command: ShellCommand, secrets: Mapping[str, str]) -> str:
    """The command for `sh`. `secrets` are names of variables by what they hold.

    Raises `RuleError` for what a command cannot hold.
    """
    parts = []
    if command.body is not None:
        parts.append(f"printf '%s' {_word(_text(command.body), secrets)} |")
    if command.through:
        parts.append(f"{command.through} |")
    for name, value in command.environment.items():
        parts.append(f"{name}={_word(value, secrets)}")
    for word in command.words:
        if len(word.encode("utf-8", "surrogatepass")) > LONGEST:
            raise RuleError("is too long for a command",
                            hint=f"an argument takes {LONGEST:,} bytes")  # fmt: skip
        parts.append(_word(word, secrets))
    return " ".join(parts)


def curl(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | None,
    *,
    user: str | None = None,
    through: str = "",
) -> ShellCommand:
    """A request by curl, which sends nothing else: no header of curl's own is left."""
    words = ["curl", "-sS", "-g", "--path-as-is", "-X", method, url]
    given = {name.lower() for name, _ in headers}
    if user is not None:
        words += ["-u", user]
    for name, value in headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    words += [part for name in ("Expect", "User-Agent", "Accept")
              if name.lower() not in given for part in ("-H", f"{name}:")]  # fmt: skip
    if body is None:
        return ShellCommand(tuple(words))
    if "content-type" not in given:
        words += ["-H", "Content-Type:"]
    return ShellCommand((*words, "--data-binary", "@-"), body, through)


def user_of(url: EndpointUrl) -> str | None:
    """User and password of a URL, as curl wants them; `None` without."""
    from urllib.parse import unquote

    if url.userinfo is None:
        return None
    user, _, password = url.userinfo.get_secret_value().partition(":")
    return f"{unquote(user)}:{unquote(password)}"


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RuleError(NOT_TEXT) from None


def _word(text: str, secrets: Mapping[str, str]) -> str:
    """A word in quotes; a variable stands for each secret in it."""
    if "\0" in text:
        raise RuleError("has a null character, which no command can hold")
    if _CONTROL.search(text):
        raise RuleError("has a control character, which a terminal would act on")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RuleError(NOT_TEXT) from None
    hidden = sorted((value for value in secrets if value), key=len, reverse=True)
    if not hidden:
        return shlex.quote(text)
    pieces = re.split("(" + "|".join(map(re.escape, hidden)) + ")", text)
    shown = [f'"${secrets[piece]}"' if number % 2 else shlex.quote(piece)
             for number, piece in enumerate(pieces) if piece]  # fmt: skip
    return "".join(shown) or "''"


def named_secrets(value: Any, name: str = "SECRET") -> dict[str, str]:
    """Secrets of a validated configuration with a name for each: the field's, in capitals."""
    if isinstance(value, SecretStr):
        return {value.get_secret_value(): re.sub(r"\W+", "_", name).upper()}
    if isinstance(value, EndpointUrl):
        password = (user_of(value) or "").partition(":")[2]
        return {password: "URL_PASSWORD"} if password else {}
    if isinstance(value, BaseModel):
        items: Iterable[tuple[str, Any]] = ((key, getattr(value, key))
                                            for key in type(value).model_fields)  # fmt: skip
    elif isinstance(value, Mapping):
        items = value.items()
    elif is_dataclass(value):
        items = ((part.name, getattr(value, part.name)) for part in fields(value))
    else:
        return {}
    return {text: found for key, item in items for text, found in named_secrets(item, key).items()}
