"""Text that is never shown by accident: what prints, logs or describes it sees dots."""

from __future__ import annotations

from typing import Final

_DOTS: Final = "**********"


class SecretStr:
    """Text whose `repr` and `str` hide it; only `get_secret_value` gives it. Immutable by use."""

    __slots__ = ("_secret_value",)

    def __init__(self, secret_value: str) -> None:
        self._secret_value = secret_value

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._secret_value

    def __len__(self) -> int:
        return len(self._secret_value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._secret_value == other._secret_value

    def __hash__(self) -> int:
        return hash(self._secret_value)

    def __str__(self) -> str:
        return _DOTS if self._secret_value else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"
