"""Variables and secrets: `${VAR}` references, the `.env` files, the system keyring, redaction."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import RouteStudioError, UsageError
from routestudio.project import environments
from routestudio.project.dotenv import MAX_ENV, parse_env, with_variables, without_variable
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

    In a named environment, `.env.NAME` and the keyring's entries for NAME come before `.env`.
    References follow Sequin's command line (docs/reference/sequin.md#configuration-file).
    A missing or locked keyring is not an error: it holds nothing then.
    """

    def __init__(
        self, root: Path, *, environ: Mapping[str, str] | None = None, project: str | None = None
    ) -> None:
        self._root = root
        self._environ = os.environ if environ is None else environ
        self.store = SecretStore(root, project)
        self._folder = f"{root}{os.sep}"
        self._files: dict[str, tuple[tuple[int, ...], dict[str, str]]] = {}
        self._redactor = Redactor(())
        self._redacted: frozenset[str] = frozenset()
        self._keyring: dict[tuple[str | None, str], str | None] = {}
        self._forgotten = 0
        self._resolved: set[str] = set()

    @property
    def name(self) -> str | None:
        """The environment in use; `None` for the shared variables alone."""
        return self.store.environment

    @property
    def file(self) -> str:
        """The file that a variable of the environment in use belongs into."""
        return environments.file_of(self.name)

    def use(self, name: str | None) -> None:
        """Look variables up in another environment from now on."""
        self.store.environment = name
        self._forgotten += 1

    def get(self, name: str) -> str | None:
        """The value of a variable, or `None` when it is set nowhere."""
        return self.look(name)[0]

    def look(self, name: str) -> tuple[str | None, str]:
        """The value of a variable and where it is from: `outside` (the process's environment), the
        name of a file, `keyring`, `keyring of NAME`, or nothing."""
        value = self._environ.get(name)
        if value is not None:
            return value, "outside"
        for layer in self._layers:
            value = self._read_file(layer).get(name)
            if value is not None:
                return value, environments.file_of(layer)
            if (layer, name) not in self._keyring:
                self._keyring[layer, name] = self.store.from_keyring(name, layer)
            value = self._keyring[layer, name]
            if value is not None:
                return value, f"keyring of {layer}" if layer else "keyring"
        return None, ""

    @property
    def _layers(self) -> tuple[str | None, ...]:
        return (None,) if self.name is None else (self.name, None)

    def forget(self, name: str) -> None:
        """Look `name` up again next time (it was just stored)."""
        for layer in self._layers:
            self._keyring.pop((layer, name), None)
        self._files.clear()
        self._forgotten += 1

    def written(self) -> set[str]:
        """The names of the variables that the files in use set."""
        return {name for layer in self._layers for name in self._read_file(layer)}

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
        stamps = []
        for layer in self._layers:
            with contextlib.suppress(RouteStudioError):
                self._read_file(layer)
            stamps.append(self._files.get(environments.file_of(layer), (None,))[0])
        return (self.name, stamps, dict(self._environ), self._forgotten)

    @property
    def hidden(self) -> frozenset[str]:
        """Values of variables that are secrets by their names, and what the keyring holds."""
        values = set(self._resolved)
        for layer in self._layers:
            with contextlib.suppress(RouteStudioError):
                file = self._read_file(layer)
                values |= {v for name, v in file.items() if v and is_secret(name, v)}
        values |= {v for v in self._keyring.values() if v}
        return frozenset(values)

    @property
    def redactor(self) -> Redactor:
        """Hides these values."""
        values = self.hidden
        if values != self._redacted:
            self._redacted, self._redactor = values, Redactor(values)
        return self._redactor

    def secrets(self, used: Iterable[str], known: Iterable[str] = ()) -> set[tuple[str, str]]:
        """Names and values that must not leave the project: those of `known`, and of `used` and
        every environment's file where the name shows that it is a secret."""
        known = set(known)
        found = {(name, self.get(name)) for name in {*used, *known}}
        for layer in (None, *environments.found(self._root)):
            with contextlib.suppress(RouteStudioError):
                found |= set(self._read_file(layer).items())
        return {(n, v) for n, v in found if v and (n in known or is_secret(n, v))}

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

    def _read_file(self, layer: str | None) -> dict[str, str]:
        """The variables of a file; one that is as it was is not walked to again, since the
        redactor asks for each row."""
        relative = environments.file_of(layer)
        try:
            info = os.lstat(self._folder + relative)
        except (FileNotFoundError, NotADirectoryError):
            self._files.pop(relative, None)
            return {}
        except OSError:
            own(self._root, relative)  # which explains it
            return {}
        stamp = (info.st_mtime_ns, info.st_size, info.st_ino, info.st_mode)
        kept = self._files.get(relative)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        path = own(self._root, relative)
        text = read_own(self._root, relative, limit=MAX_ENV) or ""
        found = parse_env(text, str(path))
        self._files[relative] = (stamp, found)
        return found


class SecretStore:
    """Where typed secrets go: the system keyring, or the git-ignored `.env` or `.env.NAME`.

    `environment` names the one that they belong to; an entry of the keyring is its alone. Entries
    belong to the project's identity in the user's state (`user_state`), so that another project of
    the same name does not get them.
    """

    def __init__(self, root: Path, project: str | None = None) -> None:
        self._root = root
        self._known = project
        self._state = ProjectState(root)
        self.environment: str | None = None

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
        """Store secrets in the environment's file, which is written once."""
        file = environments.file_of(self.environment)
        text = read_own(self._root, file, limit=MAX_ENV) or ""
        for name in secrets:
            _refuse_name(name)
        written = with_variables(text, secrets, str(self._root / file))
        self.ignore_file(file)
        write_own(self._root, file, written, mode=0o600)

    def ignore_file(self, file: str) -> None:
        """Let git ignore a file of variables before it is written."""
        ignore(self._root, file)

    @contextlib.contextmanager
    def of(self, environment: str | None) -> Iterator[None]:
        """Store for another environment meanwhile."""
        kept, self.environment = self.environment, environment
        try:
            yield
        finally:
            self.environment = kept

    def remove(self, name: str, place: str) -> None:
        """Take a variable out of where `Environment.look` found it. Raises `UsageError`."""
        _refuse_name(name)
        if place.startswith("keyring"):
            self._out_of_keyring(name, place.removeprefix("keyring").removeprefix(" of ") or None)
            return
        if place not in (environments.COMMON, environments.file_of(self.environment)):
            raise UsageError(f"`{name}` cannot be removed from there",
                             hint="it is set outside of the project")  # fmt: skip
        text = read_own(self._root, place, limit=MAX_ENV) or ""
        written = without_variable(text, name, str(self._root / place))
        write_own(self._root, place, written, mode=0o600)

    def from_keyring(self, name: str, environment: str | None = None) -> str | None:
        """The keyring's value, or `None`; never raises."""
        project = self._known or self._state.identity
        with contextlib.suppress(Exception):
            if project is not None:
                import keyring

                return keyring.get_password(SERVICE, _entry(project, environment, name))
        return None

    def _out_of_keyring(self, name: str, environment: str | None) -> None:
        project = self._known or self._state.identity
        try:
            import keyring

            keyring.delete_password(SERVICE, _entry(project or "", environment, name))
        except Exception as error:
            raise UsageError(f"the system keyring refuses: {type(error).__name__}") from None

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

            keyring.set_password(SERVICE, _entry(project, self.environment, name), value)
        except Exception as error:
            raise UsageError(
                f"the system keyring refuses: {type(error).__name__}",
                hint="store the secret in .env instead",
            ) from None


def _entry(project: str, environment: str | None, name: str) -> str:
    """The keyring's name of a secret. Neither part may hold a `/`, so no two are one."""
    return "/".join(part for part in (project, environment, name) if part)


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"`{name}` is not a variable name", hint="letters, digits and `_`")


def references(value: Any) -> set[str]:
    """Names of all variables that `value` refers to."""
    return {m["plain"] or m["name"] for m in _matches(value) if not m["escaped"]}


def default_of(text: str, name: str) -> str | None:
    """What a text has in place of a variable that is set nowhere; `None` without a default."""
    found = [m for m in _matches(text) if not m["escaped"] and name == (m["plain"] or m["name"])]
    plain = any(match["op"] is None for match in found)
    return None if plain or not found else found[0]["word"] if "+" not in found[0]["op"] else ""


def is_reference(value: object) -> bool:
    """Whether a text is one reference and nothing else."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and not match["escaped"]


def ignore(root: Path, *entries: str) -> None:
    """Add entries to the folder's `.gitignore` when they are not in it."""
    text = read_own(root, ".gitignore", limit=1 << 20) or ""
    lines = text.splitlines()
    missing = [entry for entry in entries if entry not in lines]
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
