"""Variables and secrets: `${VAR}` references, the `.env` file, the system keyring, redaction."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, UsageError
from routestudio.project.files import read_text, write_text

SERVICE: Final = "routestudio"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_REFERENCE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-+=])(?P<word>[^}]*))?\})",
    re.ASCII,
)


class Environment:
    """Looks variables up: process environment, then `.env` beside the file, then the keyring.

    References follow Sequin's command line (sinks.md, 1.10). A missing or locked keyring is no
    error: it holds nothing then.
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
        """Hides every value that came from a variable named like a secret, or from our stores."""
        values = set(self._resolved)
        values |= {v for k, v in self._read_file().items() if v}
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
        if re.search(r"(?i)pass|secret|token|key|credential|auth", name):
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
        line = f"{name}={_quoted(value)}"
        lines = text.splitlines()
        for index, old in enumerate(lines):
            if re.match(rf"\s*(export\s+)?{name}\s*=", old):
                lines[index] = line
                break
        else:
            lines.append(line)
        write_text(path, "\n".join(lines) + "\n", mode=0o600)
        ignore(self._root, ".env")


class Redactor:
    """Replaces secret values in text, also in their URL-quoted and Base64 forms."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) < 4:
                continue
            encoded = base64.b64encode(secret.encode()).decode()
            forms |= {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret),
                      urllib.parse.quote_plus(secret), encoded, encoded.rstrip("=")}  # fmt: skip
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def redact(self, text: str) -> str:
        """`text` with dots in place of secrets."""
        return self._pattern.sub("••••", text) if self._pattern else text


def references(value: Any) -> set[str]:
    """Names of all variables that `value` refers to."""
    return {m["plain"] or m["name"] for m in _matches(value) if not m["escaped"]}


def is_reference(value: object) -> bool:
    """Whether a text is one reference and nothing else."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and not match["escaped"]


def parse_env(text: str, name: str) -> dict[str, str]:
    """The variables of a `.env` file. Raises `UsageError` with the line of what is wrong."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        key, equals, value = body.removeprefix("export ").partition("=")
        if not equals or not NAME.fullmatch(key.strip()):
            raise UsageError("expected NAME=value", place=Place(name, number))
        found[key.strip()] = _unquoted(value.strip())
    return found


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
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        table: dict[str, str] = {"n": "\n", "t": "\t"}
        convert: Callable[[re.Match[str]], str] = lambda m: table.get(m[1], m[1])  # noqa: E731
        return re.sub(r"\\(.)", convert, value[1:-1])
    return re.sub(r"\s+#.*$", "", value)
