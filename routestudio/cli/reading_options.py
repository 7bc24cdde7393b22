"""The options that say how rows are read. Parsed for every command, so this imports little."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from routestudio.api.sources import Source, columns_of
from routestudio.cli.run_options import count
from routestudio.errors import UsageError


def add_reading_options(parser: argparse.ArgumentParser, *, limit: bool = True) -> None:
    """Add `--envelope`, `--key` and `--limit`."""
    parser.add_argument(
        "--envelope",
        metavar="NAME",
        default="auto",
        help="row format (see `routestudio formats`); recognised without it",
    )
    parser.add_argument(
        "--key",
        metavar="COLUMNS",
        help="columns of the primary key, with commas, in the key's order",
    )
    if limit:
        parser.add_argument("--limit", metavar="N", type=count, help="read N messages at most")


def add_read_back_options(parser: argparse.ArgumentParser, source: str) -> None:
    """Add what `read-back` is asked for; `--limit` counts the records that are read."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--sample", metavar="NAME", help="preview a sample set of the project")
    group.add_argument("--input", metavar="SOURCE", help=f"preview {source}")
    parser.add_argument(
        "--limit", metavar="N", type=count,
        help="read the last N records of each destination (default: as many as previewed)",
    )  # fmt: skip
    parser.add_argument("--destination", metavar="D", help="read only this one; for RabbitMQ, the "
                        "queue")  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="read even where that leaves a trace, "
                        "which is shown without it")  # fmt: skip
    add_reading_options(parser, limit=False)


def reading_params(options: argparse.Namespace) -> dict[str, Any]:
    """The options, as parameters of a request (`engine.reading.reading_of`)."""
    return {"envelope": options.envelope, "key": options.key,
            "limit": getattr(options, "limit", None)}  # fmt: skip


def given_rows(options: argparse.Namespace) -> Source | None:
    """The rows that are named for a check or for lint, if any."""
    if not options.input:
        return None
    key, limit = columns_of(options.key or ""), getattr(options, "limit", None)
    return Source(input=options.input, envelope=options.envelope, key=key, limit=limit)


def chosen_rows(options: argparse.Namespace, samples: Sequence[str]) -> dict[str, Any]:
    """The rows of `--input` or `--sample`, or of the project's first sample set, and how they are
    read. Raises `UsageError` where there are none."""
    params = reading_params(options)
    if options.input:
        return {"input": options.input, **params}
    if options.sample:
        return {"sample": options.sample, **params}
    if not samples:
        raise UsageError("the project has no samples", hint="name a file with --input")
    return {"sample": samples[0], **params}
