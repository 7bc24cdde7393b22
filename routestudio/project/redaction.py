"""Hides secrets in texts, in every form in which a service or an error may give them back."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from routestudio.model import jsonio


class Redactor:
    """Replaces secret values in text, also as JSON, `repr`, URL-quoted, hexadecimal and Base64 text
    have them.

    A part of a secret that is one by itself (the password of a URL) counts, too.
    Secrets of fewer than four characters are left: they would match everywhere.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        parts = {part for secret in secrets for part in _parts(secret) if len(part) >= 4}
        forms = {form for part in parts for form in _forms(part)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def __repr__(self) -> str:
        return "Redactor()"

    def redact(self, text: str) -> str:
        """`text` with dots in place of secrets."""
        if self._pattern is None or not any(form in text for form in self._forms):
            return text
        return self._pattern.sub("••••", text)

    def redact_data(self, value: Any) -> Any:
        """Plain data with dots in place of secrets in its texts and keys."""
        if self._pattern is None or not self._holds(value):
            return value
        return self._cleaned(value)

    def _holds(self, value: Any) -> bool:
        """Whether a secret may be in plain data: a quick look at all of it at once."""
        try:
            text = jsonio.dumps(value)
        except (TypeError, ValueError):
            return True
        return any(form in text for form in self._forms)

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self._cleaned(key): self._cleaned(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._cleaned(item) for item in value]
        return value


MARGIN: Final = 16_384
"""Characters behind a cut that are looked at: no secret is longer."""


def beginning(redact: Callable[[str], str], text: str, most: int) -> str:
    """The first characters of a text as they may be shown: nothing is left of a secret that the
    cut would divide."""
    part = text[: most + MARGIN]
    safe = redact(part)
    if safe != part and len(text) > len(part):
        safe = redact(text)
    return safe[:most]


def _forms(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1],
             json.dumps(secret, ensure_ascii=False)[1:-1], urllib.parse.quote(data, safe=""),
             urllib.parse.quote(data), urllib.parse.quote_plus(data), data.hex(),
             data.hex().upper()}  # fmt: skip
    forms |= {re.sub("%..", lambda match: match[0].lower(), form) for form in forms if "%" in form}
    for shift in range(3):
        # Inside a longer text (`user:secret`) the code begins at any of three bits; the
        # characters at the edges depend on the neighbours.
        encoded = base64.b64encode(bytes(shift) + data).decode().rstrip("=")
        cut = (len(data) + shift) % 3
        middle = encoded[shift + 1 if shift else 0 : len(encoded) - (1 if cut else 0)]
        if shift == 0:
            forms |= {encoded, encoded.translate(_URL_SAFE)}
        if len(middle) >= 5:
            forms |= {middle, middle.translate(_URL_SAFE)}
    return forms


_URL_SAFE: Final = str.maketrans("+/", "-_")


_TELLING_PART: Final = re.compile(r"(?i)key|secret|token|pass|pwd|sig|auth|credential|code")


def _parts(secret: str) -> Iterator[str]:
    """A secret, and what of it is one by itself: parts of a URL, of `user:password`, of a list
    of settings (`Name=value;Name=value`)."""
    yield secret
    if "%" in secret:
        yield urllib.parse.unquote(secret)
    scheme, mark, rest = secret.partition("://")
    if mark and re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        yield from _url_parts(rest)
    elif secret.count(";") and "=" in secret:
        for setting in secret.split(";"):
            name, _, value = setting.partition("=")
            if _TELLING_PART.search(name) and not name.lower().endswith("name"):
                yield value
    elif not re.search(r"\s", secret):
        user, colon, password = secret.partition(":")
        if colon and user and not re.fullmatch(r"\d{0,5}(,.*)?", password):
            yield from _both(password)


def _url_parts(rest: str) -> Iterator[str]:
    authority, path, query = re.fullmatch(r"(?s)([^/?#]*)([^?#]*)(.*)", rest).groups()  # type: ignore[union-attr]
    info, at, _ = authority.rpartition("@")
    if at:
        user, colon, password = info.partition(":")
        yield from _both(info)
        yield from _both(password if colon else user)
    path = path.strip("/")
    if len(path) >= _LONG:
        yield from _both(path)
    for part in path.split("/"):
        if _drawn(part):
            yield from _both(part)
    for pair in re.split(r"[?#&;]", query):
        name, _, value = pair.partition("=")
        value = value or name
        if len(value) >= _LONG or _TELLING_PART.search(name):
            yield from _both(value)
            yield urllib.parse.unquote_plus(value)


_LONG: Final = 8


def _both(part: str) -> Iterator[str]:
    yield part
    yield urllib.parse.unquote(part)


def _drawn(part: str) -> bool:
    """Whether a part of a path is rather drawn than a word."""
    if len(part) < _LONG:
        return False
    mixed = part != part.lower() and part != part.upper() and not part.istitle()
    return len(part) >= 20 or mixed or any(char.isdigit() for char in part)


_ADDRESS: Final = re.compile(r"(?:[A-Za-z][\w+.-]*://)?[\w.-]+(?::\d{1,5})?(?:/([\w./-]*))?")


def harmless_address(text: str) -> bool:
    """Whether a URL or host says only where something is: no user info, no query, and in its path
    nothing but short words."""
    match = _ADDRESS.fullmatch(text)
    if match is None or ("://" not in text and not re.search(r"[.:]|^localhost$", text)):
        return False
    return all(len(part) < _LONG and not _drawn(part) for part in (match[1] or "").split("/"))


def user_infos(value: Any) -> Iterator[str]:
    """The user info of every URL in plain data, which is a secret wherever it comes from."""
    if isinstance(value, str):
        match = re.match(r"[A-Za-z][\w+.-]*://([^/?#]+)@", value)
        if match and (":" in match[1] or _drawn(match[1])):
            yield match[1]
    elif isinstance(value, dict):
        for item in value.values():
            yield from user_infos(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from user_infos(item)
