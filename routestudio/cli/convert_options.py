"""Options of `routestudio convert`."""

from __future__ import annotations

import argparse

from routestudio.cli.environment import add_environment


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("function", metavar="FUNCTION_FILE|PROJECT[:FUNCTION]")
    add_environment(parser)
    parser.add_argument("--to", choices=("elixir", "python"), required=True)
    parser.add_argument("--output", metavar="FILE",
                        help="where to write it; a folder for several functions")  # fmt: skip
    parser.add_argument("--input", metavar="MESSAGES",
                        help="also verify with these JSON lines; - is standard input")  # fmt: skip
    parser.add_argument("--sink-type", metavar="TYPE", help="compare the effective routing")
    parser.add_argument("--force", action="store_true",
                        help="write the result even if verification found differences")  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text",
                        help="json is for programs")  # fmt: skip
