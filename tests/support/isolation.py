"""A home of its own for the test run: nothing of the person's settings is read or written."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

_FOLDERS = {
    "HOME": ".",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
    "XDG_RUNTIME_DIR": "run",
    "USERPROFILE": ".",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


_HOME = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Point the environment, which children inherit, to an empty home.

    Proxies are forgotten, no keyring is reached, and Qt draws off-screen unless told otherwise.
    """
    home = config.stash[_HOME] = Path(tempfile.mkdtemp(prefix="routestudio-tests-"))
    for variable, place in _FOLDERS.items():
        folder = home / place
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[variable] = str(folder)
    for variable in _PROXIES:
        os.environ.pop(variable, None)
        os.environ.pop(variable.upper(), None)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the home."""
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)


@pytest.fixture(autouse=True)
def _limits_of_python() -> Iterator[None]:
    """Elixir functions that run in the test's own process raise two limits of Python; the next
    test has its own again."""
    depth, digits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    yield
    sys.setrecursionlimit(depth)
    sys.set_int_max_str_digits(digits)


class MemoryKeyring(KeyringBackend):
    """A keyring that lives as long as the test. `secrets` maps (service, name) to a secret."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, or None."""
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep the secret."""
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget the secret. Raises keyring's `PasswordDeleteError` without one."""
        if self.secrets.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def memory_keyring() -> Iterator[MemoryKeyring]:
    """A working keyring, in memory; without this fixture there is none."""
    import keyring

    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)
