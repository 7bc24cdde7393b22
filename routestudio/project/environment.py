"""Variables and secrets: `${VAR}` references, the `.env` file, the system keyring, redaction."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, RouteStudioError, UsageError
from routestudio.project.files import read_text, write_text

SERVICE: Final = "routestudio"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_REFERENCE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-+=])(?P<word>[^}]*))?\})",
    re.ASCII,
)


_SECRET_NAME: Final = re.compile(
    r"(?i)pass|secret|token|key|credential|auth|signature|private|connection_string"
    r"|(^|_)(pw|pwd|pat|sas|dsn|ur[il])($|_)"
)

_ENTRY: Final = re.compile(
    r"""[ \t\r\n]*(?:\#[^\n]*|
    (?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=(?P<gap>[ \t]*)
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^\n]*?))
    (?:[ \t]+\#[^\n]*)?[ \t\r]*(?=\n|\Z))""",
    re.VERBOSE | re.DOTALL,
)
"""A comment or a variable of a `.env` file; quoted values may have several lines."""


class Environment:
    """Looks variables up: process environment, then `.env` beside the file, then the keyring.

    References follow Sequin's command line (docs/reference/sequin.md#configuration-file).
    A missing or locked keyring is not an error: it holds nothing then.
    """

    def __init__(
        self, root: Path, *, environ: Mapping[str, str] | None = None, project: str | None = None
    ) -> None:
        self._root = root
        self._environ = os.environ if environ is None else environ
        self.store = SecretStore(root, project or root.name)
        self._file: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        self._keyring: dict[str, str | None] = {}
        self._resolved: set[str] = set()

    def get(self, name: str) -> str | None:
        """The value of a variable, or `None` when it is set nowhere."""
        value = self._environ.get(name)
        if value is None:
            value = self._read_file().get(name)
        if value is None:
            if name not in self._keyring:
                self._keyring[name] = self.store.from_keyring(name)
            value = self._keyring[name]
        return value

    def forget(self, name: str) -> None:
        """Look `name` up anew next time (it was just stored)."""
        self._keyring.pop(name, None)
        self._stamp = None

    def resolve(self, value: Any) -> Any:
        """`value` with every reference replaced, at any depth; keys and `code` stay."""
        if isinstance(value, str):
            return _REFERENCE.sub(self._replace, value) if "$" in value else value
        if isinstance(value, Mapping):
            return {k: v if k == "code" else self.resolve(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.resolve(item) for item in value]
        return value

    def missing(self, value: Any) -> set[str]:
        """Names that `value` refers to, that are set nowhere and have no default."""
        found: set[str] = set()
        for match in _matches(value):
            name = match["plain"] or match["name"]
            if name and match["op"] is None and self.get(name) is None:
                found.add(name)
        return found

    @property
    def redactor(self) -> Redactor:
        """Hides values of variables that are named like a secret, and what the keyring holds."""
        values = set(self._resolved)
        with contextlib.suppress(RouteStudioError):
            self._read_file()
        values |= {v for name, v in self._file.items() if v and _SECRET_NAME.search(name)}
        values |= {v for v in self._keyring.values() if v}
        return Redactor(values)

    def _replace(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name, op, word = match["plain"] or match["name"], match["op"] or "", match["word"] or ""
        value = self.get(name)
        given = value is not None and (value != "" or not op.startswith(":"))
        if op.endswith("+"):
            return word if given else ""
        if not given:
            return word if op else ""
        assert value is not None
        if _SECRET_NAME.search(name):
            self._resolved.add(value)
        return value

    def _read_file(self) -> dict[str, str]:
        path = self._root / ".env"
        try:
            info = path.stat()
        except OSError:
            return {}
        stamp = (info.st_mtime_ns, info.st_size)
        if stamp != self._stamp:
            self._file = parse_env(read_text(path, limit=1 << 20), str(path))
            self._stamp = stamp
        return self._file


class SecretStore:
    """Where typed secrets go: the system keyring, or the git-ignored `.env`."""

    def __init__(self, root: Path, project: str) -> None:
        self._root = root
        self._project = project

    def put(self, name: str, value: str, *, where: str = "env") -> str:
        """Store a secret and return the reference to write instead of it.

        `where` is `keyring` or `env`. Raises `UsageError` for a bad name or a keyring that
        refuses.
        """
        if not NAME.fullmatch(name):
            raise UsageError(f"`{name}` is not a variable name", hint="letters, digits and `_`")
        if where == "keyring":
            self._to_keyring(name, value)
        elif where == "env":
            self._to_file(name, value)
        else:
            raise UsageError(f"unknown place `{where}`", hint="places: keyring, env")
        return "${" + name + "}"

    def from_keyring(self, name: str) -> str | None:
        """The keyring's value, or `None`; never raises."""
        with contextlib.suppress(Exception):
            import keyring

            return keyring.get_password(SERVICE, f"{self._project}/{name}")
        return None

    def _to_keyring(self, name: str, value: str) -> None:
        try:
            import keyring

            keyring.set_password(SERVICE, f"{self._project}/{name}", value)
        except Exception as error:
            raise UsageError(
                f"the system keyring refuses: {type(error).__name__}",
                hint="store the secret in .env instead",
            ) from None

    def _to_file(self, name: str, value: str) -> None:
        path = self._root / ".env"
        text = read_text(path, limit=1 << 20) if path.exists() else ""
        line, kept, place = f"{name}={_quoted(value)}", "", None
        for match in _entries(text, str(path)):
            if match["name"] != name:
                kept += match[0]
            elif place is None:
                place = len(kept)
        if place is None:
            kept = kept + "\n" if kept.strip() and not kept.endswith("\n") else kept
            place = len(kept)
        elif place:
            line = "\n" + line
        rest = kept[place:]
        end = "" if rest.startswith("\n") else "\n"
        write_text(path, kept[:place] + line + end + rest, mode=0o600)
        ignore(self._root, ".env")


class Redactor:
    """Replaces secret values in text, also as JSON, `repr`, URL-quoted and Base64 text have them.

    Secrets of fewer than four characters are left: they would match everywhere.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= 4 for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __repr__(self) -> str:
        return "Redactor()"

    def redact(self, text: str) -> str:
        """`text` with dots in place of secrets."""
        return self._pattern.sub("••••", text) if self._pattern else text


def _forms(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1],
             json.dumps(secret, ensure_ascii=False)[1:-1], urllib.parse.quote(data, safe=""),
             urllib.parse.quote(data), urllib.parse.quote_plus(data)}  # fmt: skip
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


def references(value: Any) -> set[str]:
    """Names of all variables that `value` refers to."""
    return {m["plain"] or m["name"] for m in _matches(value) if not m["escaped"]}


def is_reference(value: object) -> bool:
    """Whether a text is one reference and nothing else."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and not match["escaped"]


def parse_env(text: str, name: str) -> dict[str, str]:
    """The variables of a `.env` file. Raises `UsageError` with the line of what is wrong."""
    return {match["name"]: _value(match) for match in _entries(text, name) if match["name"]}


def _entries(text: str, name: str) -> Iterator[re.Match[str]]:
    """Comments and variables, which together are the whole text."""
    at = 1 if text.startswith("\ufeff") else 0
    while text[at:].strip():
        match = _ENTRY.match(text, at)
        if match is None:
            rest = text[at:]
            start = at + len(rest) - len(rest.lstrip())
            place = Place(name, text.count("\n", 0, start) + 1)
            raise UsageError("expected NAME=value", place=place)
        yield match
        at = match.end()


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        table = {"n": "\n", "t": "\t", "r": "\r"}
        return re.sub(r"(?s)\\(.)", lambda m: table.get(m[1], m[1]), match["double"])
    if match["single"] is not None:
        return match["single"]
    bare = match["bare"].strip()
    return "" if bare.startswith("#") and match["gap"] else bare


def ignore(root: Path, *entries: str) -> None:
    """Add entries to the folder's `.gitignore` when they are not in it."""
    path = root / ".gitignore"
    text = read_text(path, limit=1 << 20) if path.exists() else ""
    missing = [entry for entry in entries if entry not in text.splitlines()]
    if missing:
        start = text if not text or text.endswith("\n") else text + "\n"
        write_text(path, start + "\n".join(missing) + "\n")


def _matches(value: Any) -> Iterable[re.Match[str]]:
    if isinstance(value, str):
        yield from _REFERENCE.finditer(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "code":
                yield from _matches(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _matches(item)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w./:@%+,=-]+", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
