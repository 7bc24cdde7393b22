"""Parses arguments, runs one command, turns every failure into one line and an exit code.

0: fine. 1: the command ran and found failures. 2: bad usage or an unreadable project.
130: interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NoReturn

from routestudio.cli.convert_options import add_convert
from routestudio.cli.environment import add_environment, choose_environment
from routestudio.cli.output import redact_with, say
from routestudio.cli.reading_options import add_read_back_options, add_reading_options
from routestudio.cli.run_options import add_run_options
from routestudio.cli.secret_files import take_secret_files
from routestudio.errors import ConfigError, RouteStudioError

COMMANDS = (
    "demo", "new", "sinks", "eval", "preview", "test", "check", "run", "lint", "import",
    "export", "convert", "plan", "diff", "docs", "schema", "sample", "formats",
    "rehearse", "read-back",
)  # fmt: skip

_PROJECT = "folder of the project, or its YAML file"
_INPUT = "rows of a file, of - (standard input), or of an address such as kafka://host:port/topic"

_YOUNG: Final = 100_000
"""Objects made and not yet let go of before the collector of cycles looks. Most of those of a start
are modules and classes, which stay: walking them again and again took a quarter of its time."""

Command = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"routestudio: {message} (see `{self.prog} --help`)\n")


class _Unasked(_Parser):
    """Stands for the parser of a command that is not called."""

    def add_argument(self, *_: Any, **__: Any) -> Any:
        """Nothing is added."""

    def add_mutually_exclusive_group(self, **_: Any) -> Any:
        """Itself, which takes everything."""
        return self


_UNASKED: Final = _Unasked(add_help=False)


class _Version(argparse.Action):
    """Prints the version; the commit is looked up only when somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        from routestudio import release

        print(f"routestudio {release.description()}")
        parser.exit(0)


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of every command, or that which knows one alone: it is made in a tenth of the time
    and reads the same of it."""
    parser = _Parser(
        prog="routestudio",
        description="Design, preview, test and deliver routes for change-data-capture messages.",
        epilog="Without a command the window opens: `routestudio [PROJECT]`.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version and its commit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        if only not in (None, name):
            return _UNASKED
        return commands.add_parser(name, help=text, description=text)

    def project(p: argparse.ArgumentParser) -> None:
        p.add_argument("project", metavar="PROJECT", help=_PROJECT)
        add_environment(p)

    def source(p: argparse.ArgumentParser) -> None:
        group = p.add_mutually_exclusive_group()
        group.add_argument("--sample", metavar="NAME", help="a sample set of the project")
        group.add_argument("--input", metavar="SOURCE", help=_INPUT)
        add_reading_options(p)

    def enrich(p: argparse.ArgumentParser) -> None:
        p.add_argument("--enrich", action="store_true",
                       help="ask the project's databases for enrichments")  # fmt: skip

    def formats(p: argparse.ArgumentParser) -> None:
        p.add_argument("--format", choices=("text", "json"), default="text",
                       help="json is for programs")  # fmt: skip

    demo = add("demo", "Open the demo project on stand-ins, or run it in the terminal.")
    demo.add_argument("--headless", action="store_true", help="in the terminal, without a window")
    new = add("new", "Create a project with a starter function and samples.")
    new.add_argument("project", metavar="PROJECT", help="folder to create")
    new.add_argument("--sink", metavar="TYPE", help="sink type to start with (default: kafka)")
    sinks = add("sinks", "List the sink types, or describe one.")
    sinks.add_argument("type", metavar="TYPE", nargs="?", help="describe this one in full")
    formats(sinks)
    evaluate = add("eval", "Run one function on messages.")
    evaluate.add_argument("function", metavar="FUNCTION_FILE", nargs="?")
    evaluate.add_argument("--input", metavar="MESSAGES", help="JSON lines; - is standard input")
    evaluate.add_argument("--batch", metavar="FILE", help="many programs as JSON lines")
    evaluate.add_argument("--kind", choices=("route", "filter", "transform"), default="route")
    evaluate.add_argument("--sink-type", metavar="TYPE", help="give the effective routing")
    formats(evaluate)
    preview = add("preview", "Show what a route does to messages.")
    project(preview)
    preview.add_argument("sink", metavar="SINK", help="name of a sink")
    source(preview)
    enrich(preview)
    formats(preview)
    test = add("test", "Run the route tests of a project.")
    project(test)
    test.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    test.add_argument(
        "--coverage", action="store_true", help="list the branches that no test reaches"
    )
    enrich(test)
    formats(test)
    check = add("check", "Test the connections of a project's sinks.")
    project(check)
    check.add_argument("sink", metavar="SINK", nargs="?", help="only this sink")
    check.add_argument("--database", metavar="NAME", help="a database of the project instead")
    check.add_argument("--input", metavar="SOURCE", help=f"prove destinations of {_INPUT}")
    add_reading_options(check)
    formats(check)
    run = add("run", "Deliver messages.")
    project(run)
    run.add_argument("sink", metavar="SINK", help="name of a sink")
    add_run_options(run)
    formats(run)
    rehearse = add("rehearse", "Deliver to a stand-in that fails, and judge what arrived.")
    project(rehearse)
    rehearse.add_argument("sink", metavar="SINK", help="name of a sink")
    faults = ("down", "slow", "throttled", "half-refused", "killed", "duplicate", "all")
    rehearse.add_argument("--fault", choices=faults, required=True, help="what goes wrong")
    source(rehearse)
    formats(rehearse)
    reading = add("read-back", "Compare what a sink's destination holds with the preview.")
    project(reading)
    reading.add_argument("sink", metavar="SINK", help="name of a sink")
    add_read_back_options(reading, _INPUT)
    formats(reading)
    lint = add("lint", "Check the project without a network.")
    project(lint)
    lint.add_argument("--input", metavar="SOURCE", help=f"look at {_INPUT}, too")
    lint.add_argument("--database", metavar="NAME", help="compare with the tables of a database of "
                      "the project, or of `all`")  # fmt: skip
    add_reading_options(lint)
    formats(lint)
    imported = add("import", "Make a project from a server's sequin.yaml.")
    imported.add_argument("file", metavar="FILE")
    imported.add_argument("--output", metavar="PROJECT", required=True, help="folder to create")
    export = add("export", "Write the configuration that a server needs.")
    project(export)
    export.add_argument("--target", choices=("sequin", "routestudio"), required=True)
    export.add_argument("--output", metavar="FILE", help="file, or folder for routestudio")
    plan = add("plan", "Compare the project with a server's configuration.")
    project(plan)
    plan.add_argument("--against", metavar="FILE", help="a server's exported YAML, or a project")
    plan.add_argument("--server", metavar="URL",
                      help="the server itself; its token is in SEQUIN_API_TOKEN")  # fmt: skip
    source(plan)
    formats(plan)
    difference = add("diff", "Compare the destinations of sample rows between two projects.")
    add_environment(difference)
    difference.add_argument("project_a", metavar="PROJECT_A")
    difference.add_argument("project_b", metavar="PROJECT_B")
    difference.add_argument("sink", metavar="SINK", help="name of a sink")
    difference.add_argument("--input", metavar="SOURCE", required=True, help=_INPUT)
    add_reading_options(difference)
    formats(difference)
    add_convert(add("convert", "Convert a function between Python and Elixir, and verify it."))
    docs = add("docs", "Print or write the pages of sink types and hazards.")
    docs.add_argument("--write", metavar="FOLDER", nargs="?", const="docs")
    add("schema", "Print the JSON schema of the project file.")
    rows = add("sample", "Show the rows of a source as messages; delivers nothing.")
    rows.add_argument("source", metavar="SOURCE", help=_INPUT)
    add_reading_options(rows)
    rows.add_argument("--output", metavar="FILE", help="write the messages there as JSON lines")
    formats(rows)
    described = add("formats", "List the recognised row formats, or describe one.")
    described.add_argument("name", metavar="NAME", nargs="?", help="describe this one in full")
    formats(described)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Nothing but SystemExit leaves it."""
    usual = gc.get_threshold()
    gc.set_threshold(max(_YOUNG, usual[0]), *usual[1:])
    try:
        return _run(arguments)
    finally:
        gc.set_threshold(*usual)


def _run(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Rows may hold characters that a terminal, or any text, cannot.
            stream.reconfigure(errors="backslashreplace")
    redact_with(str)
    try:
        called = arguments[0] if arguments and arguments[0] in COMMANDS else None
        options = build_parser(called).parse_args(list(arguments))
        choose_environment(options, os.environ)
        take_secret_files(os.environ)
        with asyncio.Runner(loop_factory=_loop(options)) as runner:
            code = runner.run(_perform(options))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("routestudio: interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ConfigError as error:
        say(f"routestudio: {error}")
        return 2
    except RouteStudioError as error:
        say(f"routestudio: {error}")
        return 2
    except Exception as error:
        say(f"routestudio: an internal fault ({type(error).__name__}); details are in "
            f"{_report()}")  # fmt: skip
        return 1


def _loop(options: argparse.Namespace) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop of a command: a quicker one is worth loading where much is sent."""
    if options.command != "run" or options.dry_run:
        return None
    from routestudio.system import current as system

    return system.streaming.loop


async def _perform(options: argparse.Namespace) -> int:
    command = options.command
    if command not in ("lint", "preview", "run") or (getattr(options, "workers", None) or 1) > 1:
        return await _command(command)(options)
    from routestudio.cli import early

    await early.start(options.project)
    try:
        return await _command(command)(options)
    finally:
        if (pool := early.take()) is not None:
            await pool.close()


def _command(name: str) -> Command:
    """The coroutine of a command; modules are imported when they are needed."""
    if name == "demo":
        from routestudio.cli.demo import demo

        return demo
    if name == "eval":
        from routestudio.cli.evaluate import evaluate

        return evaluate
    if name == "run":
        from routestudio.cli.run import run

        return run
    if name == "preview":
        from routestudio.cli.preview import preview

        return preview
    if name == "lint":
        from routestudio.cli.lint import lint

        return lint
    if name == "check":
        from routestudio.cli.check import check

        return check
    if name == "convert":
        from routestudio.cli.convert import convert

        return convert
    if name == "rehearse":
        from routestudio.cli.rehearse import rehearsal

        return rehearsal
    if name == "read-back":
        from routestudio.cli.read_back import read_back

        return read_back
    if name == "test":
        from routestudio.cli.testing import test

        return test
    if name in ("sample", "formats"):
        from routestudio.cli import rows

        return {"sample": rows.sample, "formats": rows.formats}[name]
    if name in ("plan", "diff"):
        from routestudio.cli import plan

        return {"plan": plan.plan, "diff": plan.diff}[name]
    from routestudio.cli import files

    found: dict[str, Any] = {
        "new": files.new, "sinks": files.sinks, "import": files.import_file,
        "export": files.export, "docs": files.docs, "schema": files.schema,
    }  # fmt: skip
    command: Command = found[name]
    return command


def _report() -> str:
    """Write the details of the current fault to a private file, without arguments' values."""
    import tempfile
    import traceback

    lines = []
    error = sys.exc_info()[1]
    assert error is not None
    for frame in traceback.extract_tb(error.__traceback__):
        lines.append(f"{frame.filename}:{frame.lineno} in {frame.name}")
    lines.append(f"{type(error).__name__} (its text is left out: it may hold data)")
    try:
        prefix = time.strftime("routestudio-fault-%Y%m%d-%H%M%S-")
        # Made by `mkstemp`: a name that nobody can guess, new, and for its owner only.
        handle, path = tempfile.mkstemp(prefix=prefix, suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return "no file: the folder for temporary files cannot be written"
    return path
