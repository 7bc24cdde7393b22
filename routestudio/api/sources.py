"""Which rows a request is about, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One of: a sample set of the project, an `input` (a path or an address), a text.

    `envelope` is the row format (recognised when `None`), `key` names the key columns; of a
    source on a server, and where more is in it than is wanted, `limit` rows are read.
    """

    sample: str | None = None
    input: str | None = None
    text: str | None = None
    envelope: str | None = None
    key: tuple[str, ...] = ()
    limit: int | None = None

    def params(self) -> dict[str, object]:
        """What is given, by name."""
        given = {"sample": self.sample, "input": self.input, "text": self.text,
                 "envelope": self.envelope, "key": self.key, "limit": self.limit}  # fmt: skip
        return {name: value for name, value in given.items() if value not in (None, ())}


def columns_of(text: str) -> tuple[str, ...]:
    """Columns of a key as people write them: with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
