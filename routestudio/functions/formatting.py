"""Format the text of a function; its meaning stays the same. For a worker: some texts take long."""

from __future__ import annotations

import ast
import warnings

from routestudio.errors import UsageError
from routestudio.functions.python import MAX_BYTES
from routestudio.model.function import Language


def load_formatter() -> None:
    """Load Black, and what it loads at its first text: a third of a second."""
    formatted("def f():\n    return {'a': [1, 2.5], **{}}\n", Language.PYTHON)


def formatted(code: str, language: Language) -> str:
    """The text in Black's style. Raises `UsageError`, which explains why, for a text it refuses."""
    if language is not Language.PYTHON:
        raise UsageError(
            f"there is no formatter for {language.value.title()} functions here",
            hint="format the file with `mix format`, which comes with Elixir",
        )
    if len(code.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UsageError(f"cannot be formatted: more than {MAX_BYTES:,} bytes are not accepted",
                         hint="shorten the function")  # fmt: skip
    import black
    from black.parsing import InvalidInput

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
            return black.format_str(code, mode=black.Mode())
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        raise UsageError(f"cannot be formatted: {place}{error.msg}",
                         hint="correct the text first") from None  # fmt: skip
    except (InvalidInput, ValueError, AssertionError) as error:
        text = str(error).splitlines()[0] if str(error) else "the text is not understood"
        raise UsageError(f"cannot be formatted: {text}") from None
    except (RecursionError, MemoryError):
        raise UsageError("cannot be formatted: the code is nested too deeply") from None
