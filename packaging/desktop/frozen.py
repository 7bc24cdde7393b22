"""The frozen program's beginning: RouteStudio, or the Python that it starts itself with.

The engine, function workers and stand-ins are started as `sys.executable -m MODULE` or `-c CODE`.
In a frozen program that is the program itself, so it takes these options, too.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

ALONE = {"-I", "-B", "-E", "-s", "-u"}
"""Options of Python that mean nothing here: a frozen program reads no variables of Python's."""


def interpreter(arguments: list[str]) -> tuple[str, str, list[str]] | None:
    """What Python is asked to run (`-m` or `-c`, and what) with which arguments; or `None`."""
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        if option in ("-m", "-c"):
            return (option, rest[0], rest[1:]) if rest else None
        if option == "-X":
            del rest[:1]
        elif option not in ALONE:
            return None
    return None


def use_program_with_streams() -> None:
    """Let children be started by the program with a console, where this one has none: Windows
    gives a program without a console no standard streams, and the engine speaks by them."""
    console = Path(sys.executable).with_name("routestudio.exe")
    if sys.stdin is None and console.is_file():
        sys.executable = str(console)


def main() -> int:
    """Run what is asked for; returns the exit code."""
    use_program_with_streams()
    asked = interpreter(sys.argv[1:])
    if asked is None:
        from routestudio.app import main as program

        return program()
    option, what, arguments = asked
    if option == "-c":
        sys.argv = ["-c", *arguments]
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as Python does
        return 0
    sys.argv = [sys.argv[0], *arguments]
    runpy.run_module(what, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
