"""Variables and secrets: `${VAR}` references, the `.env` file, the system keyring, redaction."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import RouteStudioError, UsageError
from routestudio.project.dotenv import MAX_ENV, parse_env, with_variables
from routestudio.project.files import own, read_own, write_own
from routestudio.project.redaction import Redactor, harmless_address
from routestudio.project.user_state import ProjectState
from routestudio.system import current as system

SERVICE: Final = "routestudio"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_REFERENCE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-+=])(?P<word>[^}]*))?\})",
    re.ASCII,
)


_SECRET_NAME: Final = re.compile(
    r"(?i)pass|secret|token|key|credential|auth|signature|private|connection_string"
    r"|user_?info|cookie|bearer|jwt|(^|_)(pw|pwd|pat|sas)($|_)"
)
_PLACE_NAME: Final = re.compile(r"(?i)webhook|(^|_)(dsn|ur[il]|hook)($|_)")
"""A variable that names a place: a secret only where its value has more than a host."""


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable is hidden, by the variable's name. Unsure means yes."""
    if _SECRET_NAME.search(name):
        return True
    return bool(_PLACE_NAME.search(name)) and not harmless_address(value)


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
        self.store = SecretStore(root, project)
        self._file: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        self._redactor = Redactor(())
        self._redacted: frozenset[str] = frozenset()
        self._keyring: dict[str, str | None] = {}
        self._forgotten = 0
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
        """Look `name` up again next time (it was just stored)."""
        self._keyring.pop(name, None)
        self._stamp = None
        self._forgotten += 1

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
    def token(self) -> Any:
        """What is another value when variables may have other values than before."""
        with contextlib.suppress(RouteStudioError):
            self._read_file()
        return (self._stamp, dict(self._environ), self._forgotten)

    @property
    def hidden(self) -> frozenset[str]:
        """Values of variables that are secrets by their names, and what the keyring holds."""
        values = set(self._resolved)
        with contextlib.suppress(RouteStudioError):
            self._read_file()
        values |= {v for name, v in self._file.items() if v and is_secret(name, v)}
        values |= {v for v in self._keyring.values() if v}
        return frozenset(values)

    @property
    def redactor(self) -> Redactor:
        """Hides these values."""
        values = self.hidden
        if values != self._redacted:
            self._redacted, self._redactor = values, Redactor(values)
        return self._redactor

    def secrets(self, used: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
        """Values that must not leave the project, by name: those of `known`, and of `used` and
        `.env` where the name shows that it is a secret."""
        found = {name: self.get(name) for name in used}
        with contextlib.suppress(RouteStudioError):
            found |= self._read_file()
        found = {name: value for name, value in found.items() if value and is_secret(name, value)}
        found |= {name: self.get(name) for name in known}
        return {name: value for name, value in found.items() if value}

    def from_outside(self, value: Any) -> set[str]:
        """Names of variables in `value` that the process's environment gives."""
        return {name for name in references(value) if name in self._environ}

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
        if is_secret(name, value):
            self._resolved.add(value)
        return value

    def _read_file(self) -> dict[str, str]:
        path = own(self._root, ".env")
        try:
            info = path.lstat()
        except OSError:
            return {}
        stamp = (info.st_mtime_ns, info.st_size)
        if stamp != self._stamp:
            self._file = parse_env(read_own(self._root, ".env", limit=MAX_ENV) or "", str(path))
            self._stamp = stamp
        return self._file


class SecretStore:
    """Where typed secrets go: the system keyring, or the git-ignored `.env`.

    Entries of the keyring belong to the project's identity in the user's state (`user_state`), so
    that another project of the same name does not get them.
    """

    def __init__(self, root: Path, project: str | None = None) -> None:
        self._root = root
        self._known = project
        self._state = ProjectState(root)

    def put(self, name: str, value: str, *, where: str = "env") -> str:
        """Store a secret and return the reference to write instead of it.

        `where` is `keyring` or `env`. Raises `UsageError` for a bad name or a keyring that
        refuses.
        """
        if where == "env":
            self.put_all({name: value})
        elif where == "keyring":
            _refuse_name(name)
            self._to_keyring(name, value)
        else:
            raise UsageError(f"unknown place `{where}`", hint="places: keyring, env")
        return "${" + name + "}"

    def put_all(self, secrets: Mapping[str, str]) -> None:
        """Store secrets in `.env`, which is written once."""
        text = read_own(self._root, ".env", limit=MAX_ENV) or ""
        for name in secrets:
            _refuse_name(name)
        written = with_variables(text, secrets, str(self._root / ".env"))
        ignore(self._root, ".env")
        write_own(self._root, ".env", written, mode=0o600)

    def from_keyring(self, name: str) -> str | None:
        """The keyring's value, or `None`; never raises."""
        project = self._known or self._state.identity
        with contextlib.suppress(Exception):
            if project is not None:
                import keyring

                return keyring.get_password(SERVICE, f"{project}/{name}")
        return None

    def _to_keyring(self, name: str, value: str) -> None:
        project = self._known or self._state.identify()
        if project is None:
            raise UsageError(
                "the keyring is not used: the state folder of this user cannot be written",
                hint="store the secret in .env instead",
            )
        longest = system.desktop.longest_secret
        if longest is not None and len(value.encode("utf-16-le", "surrogatepass")) > longest:
            raise UsageError(
                f"the {system.desktop.secrets} keeps at most {longest // 2} characters",
                hint="store the secret in .env instead",
            )
        try:
            import keyring

            keyring.set_password(SERVICE, f"{project}/{name}", value)
        except Exception as error:
            raise UsageError(
                f"the system keyring refuses: {type(error).__name__}",
                hint="store the secret in .env instead",
            ) from None


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"`{name}` is not a variable name", hint="letters, digits and `_`")


def references(value: Any) -> set[str]:
    """Names of all variables that `value` refers to."""
    return {m["plain"] or m["name"] for m in _matches(value) if not m["escaped"]}


def is_reference(value: object) -> bool:
    """Whether a text is one reference and nothing else."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and not match["escaped"]


def ignore(root: Path, *entries: str) -> None:
    """Add entries to the folder's `.gitignore` when they are not in it."""
    text = read_own(root, ".gitignore", limit=1 << 20) or ""
    missing = [entry for entry in entries if entry not in text.splitlines()]
    if missing:
        start = text if not text or text.endswith("\n") else text + "\n"
        write_own(root, ".gitignore", start + "\n".join(missing) + "\n")


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
